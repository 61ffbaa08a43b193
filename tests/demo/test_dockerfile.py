"""The Dockerfile: what it installs is what the package needs to predict and to serve."""

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def names(requirements):
    return {re.match(r"[A-Za-z0-9_-]+", text)[0] for text in requirements}


def test_it_installs_all_but_what_trains():
    """Each dependency is named, and those of the demo, but for Keras and TensorFlow."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = names(project["dependencies"]) | names(project["optional-dependencies"]["demo"])
    text = re.sub(r"\\\n", " ", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    (installed,) = re.findall(r"^RUN pip install --no-cache-dir (?!--)(.+)$", text, re.MULTILINE)
    assert set(installed.split()) == wanted - {"keras", "tensorflow"}

"""A release: the workflows of the forge, the recipe of conda and the version say what the project promises."""

import re
import tomllib
from pathlib import Path

import labcolor

REPOSITORY = Path(__file__).parents[1]
WORKFLOWS = {
    path.stem: path.read_text(encoding="utf-8") for path in (REPOSITORY / ".github" / "workflows").glob("*.yml")
}


def test_each_version_of_python_is_run():
    """The versions of the classifiers are those of the matrix, on three systems."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = {name.split(" :: ")[-1] for name in project["classifiers"] if re.search(r"Python :: 3\.\d+$", name)}
    assert set(re.findall(r'"(3\.\d+)"', WORKFLOWS["tests"])) == promised
    assert WORKFLOWS["tests"].count("os: [ubuntu-latest, windows-latest, macos-latest]") == 2


def test_a_release_passes_ci_before_it_is_published():
    """The wheel is built after .ci/run, from a tag that is the version, and published without a password."""
    text = WORKFLOWS["release"]
    steps = [
        text.index(step) for step in (".ci/run", "labcolor/_version.py", "python -m build", "gh-action-pypi-publish")
    ]
    assert steps == sorted(steps)
    assert "needs: build" in text
    assert "secrets." not in text


def test_rights_are_few():
    """Each workflow may read the repository; only publishing may ask for a token."""
    for text in WORKFLOWS.values():
        assert text.count("\npermissions:\n  contents: read\n") == 1
        assert "write-all" not in text
    assert [name for name, text in WORKFLOWS.items() if "id-token: write" in text] == ["release"]


def test_conda_installs_what_pip_installs():
    """The recipe names the dependencies of the package, with their lower bounds."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    recipe = (REPOSITORY / "docs" / "project" / "recipe.yaml").read_text(encoding="utf-8")
    run = re.search(r"\n  run:\n((?:    - .+\n)+)", recipe)[1]
    named = {line.strip(" -").replace(" ", "") for line in run.splitlines()}
    assert named - {"python>=3.11,<3.14"} == {text.split(";")[0].strip() for text in project["dependencies"]}


def test_one_version_with_one_date():
    """The newest release of the changelog is the version to cite, with its date, that of the recipe, and the package's.

    Between releases the package has the version of the next one, and the changelog a part that is unreleased.
    """
    changelog, citation, recipe = (
        (REPOSITORY / path).read_text(encoding="utf-8")
        for path in ("CHANGELOG.md", "CITATION.cff", "docs/project/recipe.yaml")
    )
    parts = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    unreleased = parts[0] == "Unreleased"
    version, date = parts[unreleased].split(" - ")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == version
    assert re.search(r'^date-released: "(\d{4}-\d\d-\d\d)"$', citation, re.MULTILINE)[1] == date
    assert re.search(r'^  version: "(.+)"$', recipe, re.MULTILINE)[1] == version
    assert labcolor.__version__.endswith(".dev0") if unreleased else labcolor.__version__ == version

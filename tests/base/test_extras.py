"""What to install where an optional package is missing."""

import re
import shlex
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from labcolor.base import extras
from labcolor.errors import LabcolorError

REPOSITORY = Path(__file__).parents[2]
EXTRAS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_remedy_names_the_packages_of_an_extra(extra):
    """The command names each package of the group by the name on the index, and never labcolor."""
    with pytest.raises(LabcolorError, match="No module named 'x'") as error, extras.importing(extra):
        raise ImportError("No module named 'x'")
    command = shlex.split(str(error.value).split("python -m pip install ")[1])
    assert sorted(command) == sorted(re.split("[>=<;]", text)[0] for text in EXTRAS[extra])


def test_without_metadata_no_package_is_guessed(monkeypatch):
    """Where labcolor runs from a folder that is not installed, the error points at pyproject.toml."""

    def unknown(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "requires", unknown)
    with pytest.raises(LabcolorError, match=r"see ray in pyproject\.toml$"), extras.importing("ray"):
        raise ImportError("no ray")


def test_nothing_tells_anybody_to_install_labcolor_from_an_index():
    """No index has a package of this name: whoever registers it would own those who follow the advice."""
    paths = [p for f in ("labcolor", "docs", "examples") for p in (REPOSITORY / f).rglob("*") if p.is_file()]
    for path in [*paths, *REPOSITORY.glob("*.md")]:
        if path.suffix in (".py", ".md", ".js", ".html", ".ipynb", ".rst"):
            found = re.search(r'labcolor\[[a-z]|pip install (-U )?[\\"]*labcolor\b', path.read_text(encoding="utf-8"))
            assert found is None, f"{path}: {found[0]}"

"""Tables of figures in the documentation are those that the benchmarks kept."""

import json
import runpy
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
FILES = sorted((REPOSITORY / "docs" / "figures" / "tables").glob("*.json"))
TABLES = runpy.run_path(str(REPOSITORY / "scripts" / "docs_tables.py"))


@pytest.mark.parametrize("path", TABLES["PAGES"], ids=lambda path: path.name)
def test_pages_have_the_kept_figures(path):
    """Every block of a page is what its file gives; ``python scripts/docs_tables.py`` writes it."""
    text = path.read_text(encoding="utf-8")
    assert text.count("<!-- table: ") == text.count("<!-- end -->") == len(TABLES["BLOCK"].findall(text))
    assert TABLES["filled"](text) == text


def test_every_file_is_in_a_page():
    """No kept table is left over, and no page wants one that is missing."""
    named = {name for path in TABLES["PAGES"] for name in TABLES["BLOCK"].findall(path.read_text(encoding="utf-8"))}
    assert named - set(TABLES["MADE"]) == {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_say_how_they_were_measured(path):
    """Each has the command, the day, the machine and the versions, no path of a machine, and full rows."""
    content = json.loads(path.read_text(encoding="utf-8"))
    assert set(content) == {"command", "measured", "machine", "versions", "columns", "rows"}
    assert content["command"].startswith("python benchmarks/")
    assert not any(word.startswith("/") for word in content["command"].replace("=", " ").split())
    assert set(content["machine"]) == {"cpu", "cores", "memory"}
    assert set(content["versions"]) == {"python", "labcolor", "tensorflow", "keras", "onnxruntime", "numpy"}
    assert content["rows"]
    assert {len(row) for row in content["rows"]} == {len(content["columns"])}
    assert all(isinstance(cell, str) for row in content["rows"] for cell in row)

"""The documentation: its snippets run, its pages name every public name, and its links lead somewhere."""

import doctest
import json
import logging
import re
import runpy
from pathlib import Path

import pytest
import skimage.data

import labcolor
import labcolor.ray
from labcolor import read_metadata, write_picture
from labcolor.networks import PACKAGED_MODELS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in (DOCS / "tutorial.md", *DOCS.glob("[eh]*/*.md")))
BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("page", PAGES)
def test_snippets_run_as_they_stand(page, tmp_path, monkeypatch, caplog):
    """Each page's Python runs, one block after the other, and the errors on it are those that it shows."""
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    if not blocks:
        pytest.skip("no Python on this page")
    caplog.set_level(logging.NOTSET, "labcolor")  # a page sets it; other tests see it as it was
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    write_picture("old.jpg", skimage.data.chelsea())
    Path("album").mkdir()
    write_picture("album/1.jpg", skimage.data.coffee())
    names: dict[str, object] = {"__name__": page}
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, page, "exec"), names)
        else:
            example = doctest.DocTestParser().get_doctest(block, names, page, page, None)
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            runner.run(example, clear_globs=False)
            names = example.globs
            assert runner.summarize(verbose=False).failed == 0


def test_every_public_name_is_in_the_reference():
    """What the package and its public modules export is listed on a page of the reference, and nothing else is."""
    listed = set()
    for page in (DOCS / "reference").glob("*.md"):
        module = None
        for line in page.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"\.\. (?:currentmodule|automodule):: (\S+)", line):
                module = found[1]
            elif found := re.match(r" {3}([A-Za-z_]\w*)$|\.\. autodata:: (\w+)$", line):
                listed.add(f"{module}.{found[1] or found[2]}")
    public = {f"labcolor.{name}" for name in labcolor.__all__} - {"labcolor.__version__"}
    for name in ("errors", "metrics", "networks"):
        public.remove(f"labcolor.{name}")
        public |= {f"labcolor.{name}.{member}" for member in getattr(labcolor, name).__all__}
    public |= {f"labcolor.ray.{member}" for member in labcolor.ray.__all__}
    assert listed == public


def test_links_lead_somewhere():
    """Relative links and pictures of each page exist as files, so that they work on a code host, too."""
    for page in [DOCS.parent / "README.md", *DOCS.rglob("*.md")]:
        if {"_build", "gallery", "generated"} & set(page.relative_to(DOCS.parent).parts):
            continue
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(\s*([^)#\s]+)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_bill_of_materials():
    """It names the packaged models by their digests, and counts photographs as its page does and the model cards do."""
    bill = json.loads((DOCS / "project" / "weights.cdx.json").read_text(encoding="utf-8"))
    parts = {part["bom-ref"]: part for part in bill["components"]}
    counts = {}
    for name, model in PACKAGED_MODELS.items():
        part = parts[f"weights/{name}"]
        assert part["hashes"] == [{"alg": "SHA-256", "content": model.sha256}]
        counts[name] = 0
        for data in part["modelCard"]["modelParameters"]["datasets"]:
            properties = {one["name"]: one["value"] for one in parts[data["ref"]]["properties"]}
            assert properties["labcolor:terms"] in "".join(model.card for model in PACKAGED_MODELS.values())
            counts[name] += int(properties["labcolor:photographs"])
    page = (DOCS / "project" / "weights.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .* \| ([\d,]+) \| ([\d,]+) \|$", page, re.MULTILINE)
    *kinds, total = [[int(number.replace(",", "")) for number in row] for row in rows]
    assert [sum(column) for column in zip(*kinds, strict=True)] == total
    assert total == [counts["reference"], counts["efficientnet"] - counts["reference"]]


def test_old_photographs():
    """The page has the list of photographs and their small pictures, each labeled as inferred, and no others."""
    gallery = runpy.run_path(str(DOCS.parent / "scripts" / "docs_gallery.py"))
    page = gallery["PAGE"].read_text(encoding="utf-8")
    assert gallery["filled"](page) == page
    rows = gallery["photographs"]()
    assert {row["outcome"] for row in rows} <= set(gallery["OUTCOMES"])
    assert all(all(row.values()) for row in rows)
    pictures = {path.stem: path for path in gallery["FOLDER"].iterdir()}
    assert sorted(pictures) == sorted(row["name"] for row in rows)
    for path in pictures.values():
        assert path.stat().st_size <= gallery["LIMIT"]
        assert b"algorithmicallyEnhanced" in read_metadata(path).xmp

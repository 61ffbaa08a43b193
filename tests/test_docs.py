"""The documentation: its pages name every public name, its links lead somewhere, and its lists agree."""

import json
import re
import runpy
from pathlib import Path

import labcolor
import labcolor.ray
import labcolor.vapoursynth
from labcolor import read_metadata
from labcolor.networks import PACKAGED_MODELS

DOCS = Path(__file__).parents[1] / "docs"


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
    for module in (labcolor.ray, labcolor.vapoursynth):
        public |= {f"{module.__name__}.{member}" for member in module.__all__}
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


def test_pages_are_short():
    """README fits on a screen or two, and no page that users read has more than 1,500 words, tables included."""
    assert len((DOCS.parent / "README.md").read_text(encoding="utf-8").splitlines()) <= 90
    for page in [*DOCS.glob("*.md"), *DOCS.glob("[!r_]*/*.md")]:
        if page.name != "design.md":  # for developers, as research/ is
            assert len(page.read_text(encoding="utf-8").split()) <= 1500, page.name


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
    described = re.findall(r"^\| (\w+) \| (\d+) \|", page, re.MULTILINE)
    assert [outcome for outcome, _ in described] == list(gallery["OUTCOMES"])
    good = sum(row["outcome"] == "good" for row in rows) + int(described[0][1])
    total = len(rows) + sum(int(number) for _, number in described)
    card, advice = PACKAGED_MODELS["efficientnet"].card, (DOCS / "explanation" / "should-i.md").read_text("utf-8")
    for text in (card, advice):
        assert re.search(rf"Of {total} \[old\s+photographs\]\(\S+\),?\s+{good} came\s+out well", text)
    pictures = {path.stem: path for path in gallery["FOLDER"].iterdir()}
    assert sorted(pictures) == sorted(row["name"] for row in rows)
    for path in pictures.values():
        assert path.stat().st_size <= gallery["LIMIT"]
        assert b"algorithmicallyEnhanced" in read_metadata(path).xmp

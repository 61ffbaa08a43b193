#!/usr/bin/env python3
"""Put the tables that the benchmarks kept (``--keep``) into the pages of the documentation.

    python scripts/docs_tables.py [--check]

In a page, what is between ``<!-- table: NAME -->`` and ``<!-- end -->`` is the table of docs/figures/tables/NAME.json,
and a line that says how it was measured. --check changes nothing, and fails if a page differs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "docs" / "figures" / "tables"
PAGES = [
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "docs" / "research").glob("*.md")),
    *sorted((REPOSITORY / "labcolor" / "weights").glob("*.md")),
]
BLOCK = re.compile(r"^<!-- table: (\w+) -->\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)
NAMES = {"python": "Python", "tensorflow": "TensorFlow", "onnxruntime": "ONNX Runtime"}
Content = dict[str, Any]


def load(name: str) -> Content:
    """Return a kept table."""
    content: Content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def table(columns: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    head, *body = ["|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|" for line in [columns, *rows]]
    return "\n".join([head, "|---" * len(columns) + "|", *body])


def origin(content: Content) -> str:
    """Return the line below a table."""
    machine = content["machine"]
    versions = ", ".join(
        f"{NAMES[name]} {content['versions'][name]}" for name in NAMES if content["versions"].get(name)
    )
    return (
        f"Measured on {content['measured']} by `{content['command']}`: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory']}; {versions}."
    )


def figures() -> tuple[str, str]:
    """Return the README's table of figures, from cells of other tables, and the line below it."""
    engine = load("engine")
    took = {row[0]: row for row in engine["rows"]}
    first, peak, further = (
        next(row for work, row in took.items() if work.startswith(word))
        for word in ("first 1080p picture", "peak memory", "`predict`")
    )
    videos = sorted(row[3] for work, row in took.items() if work.startswith("`colorize_video`"))
    agreement = {row[0]: row[1] for row in load("agreement_bsds500")["rows"]}
    rows = [
        ["photograph of 1920x1080", f"{further[1]}; the first, from the start of Python, {first[1]} and {peak[1]}"],
        ["video, as a share of a plain transcode's speed", f"{videos[0]} (768x432) to {videos[-1]} (1920x1080)"],
    ]
    for name, kind in (("second", "photographs of many kinds"), ("bsds500", "photographs of BSDS500")):
        quality = load(f"quality_{name}")
        column = quality["columns"].index("colorfulness")
        models = {row[0]: row for row in quality["rows"]}
        count = quality["columns"][0].split(", ")[1].split()[0]
        share = 100 * float(models["efficientnet"][column]) / float(models["truth"][column])
        gain = models["efficientnet"][1]
        rows.append([f"{count} {kind}", f"{gain} PSNR over grey, {share:.0f} % of the true colorfulness"])
    agree = f"{agreement['efficientnet']}; for grey, {agreement['grey']}"
    rows.append(["BSDS500: a classifier answers as for the original", agree])
    below = (
        f"Speed measured on {engine['measured']}, quality on {load('quality_bsds500')['measured']}, on "
        f"{engine['machine']['cores']} cores with int8 instructions (VNNI); older processors are slower. "
        "No model was trained on these photographs, but the model's constants were chosen on them. "
        "From [speed](docs/speed.md), [engines](docs/engine.md), [quality](docs/quality.md) and "
        "[realism](docs/realism.md)."
    )
    return table(["", ""], rows), below


def card(model: str) -> tuple[str, str]:
    """Return the table of a model's card, from those of all sets of photographs, and the line below it."""
    rows = []
    for name in ("first", "second", "bsds500"):
        quality = load(f"quality_{name}")
        models = {row[0]: row for row in quality["rows"]}
        gain, colorful, _, rebalanced, _ = models[model][1:]
        rows.append([quality["columns"][0], gain, f"{colorful} of {models['truth'][2]}", rebalanced])
    columns = ["photographs", "PSNR over grey", "colorfulness, of the truth's", "rebalanced AuC over grey"]
    return table(columns, rows), f"Measured on {load('quality_bsds500')['measured']} by `benchmarks/quality.py`."


MADE = {"figures": figures, **{f"card_{model}": partial(card, model) for model in ("efficientnet", "reference")}}


def block(name: str) -> str:
    """Return the text of a block."""
    if name in MADE:
        shown, below = MADE[name]()
    else:
        content = load(name)
        shown, below = table(content["columns"], content["rows"]), origin(content)
    wrapped = textwrap.fill(below, 120, break_long_words=False, break_on_hyphens=False)
    return f"<!-- table: {name} -->\n\n{shown}\n\n{wrapped}\n\n<!-- end -->"


def filled(page: str) -> str:
    """Return a page with its blocks as the files have them."""
    return BLOCK.sub(lambda found: block(found[1]), page)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, and fail if a page differs")
    check = parser.parse_args().check
    differing = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        if filled(text) != text:
            differing.append(path.relative_to(REPOSITORY).as_posix())
            if not check:
                path.write_text(filled(text), encoding="utf-8")
    if differing:
        print(("differs from docs/figures/tables: " if check else "written: ") + ", ".join(differing))
    sys.exit(check and bool(differing))


if __name__ == "__main__":
    main()

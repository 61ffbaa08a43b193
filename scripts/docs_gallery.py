#!/usr/bin/env python3
"""Color photographs for the page of old photographs, and write the list on that page.

    python scripts/docs_gallery.py [FOLDER ...]

docs/figures/archive.csv lists the photographs: a file below one of the folders, what it shows, its source and terms,
and how its colors came out. Somebody has to look at each result and write the last two columns by hand. Each picture
shows lightness and colors, by the packaged default model, and has at most 40 kB. Without a folder, only the list on
the page is written.
"""

from __future__ import annotations

import csv
import sys
import textwrap
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from labcolor import Colorizer, write_picture

DOCS = Path(__file__).parents[1] / "docs"
LIST, PAGE, FOLDER = DOCS / "figures" / "archive.csv", DOCS / "archive.md", DOCS / "images" / "archive"
BEGIN, END = "<!-- archive -->", "<!-- end archive -->"
OUTCOMES = ("good", "dull", "wrong", "blotched")
SHORT_SIDE, LIMIT = 280, 40_000


def photographs() -> list[dict[str, str]]:
    """Return the rows of the list."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pair(colorizer: Colorizer, path: Path) -> np.ndarray:
    """Return a small photograph in grey and in color: side by side, or one above the other if it is wide."""
    with Image.open(path) as opened:
        grey = opened.convert("L")
    scale = SHORT_SIDE / min(grey.size)
    small = np.asarray(grey.resize([round(scale * side) for side in grey.size], Image.Resampling.LANCZOS))
    colored = np.asarray(Image.fromarray(colorizer.predict(np.asarray(grey))).resize(small.shape[::-1]))
    joined = np.vstack if small.shape[1] > 2 * small.shape[0] else np.hstack
    return joined([np.repeat(small[..., None], 3, axis=2), colored])


def write_small(path: Path, picture: np.ndarray) -> None:
    """Write a JPEG file in the best quality with which it is small enough, with the label of inferred colors."""
    for quality in range(88, 20, -4):
        write_picture(path, picture, quality=quality, label=True)
        if path.stat().st_size <= LIMIT:
            return
    raise SystemExit(f"{path}: expected at most {LIMIT} bytes, got {path.stat().st_size}")


def entries(rows: list[dict[str, str]]) -> str:
    """Return the list on the page: how many came out how, and each photograph with a remark."""
    counts = Counter(row["outcome"] for row in rows)
    lines = [f"Of these {len(rows)}: " + ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES) + "."]
    for row in rows:
        lines += [
            f"![{row['title']}: lightness, and colors](images/archive/{row['name']}.jpg)",
            f"**{row['title']}**, {row['year']}. {row['source']}; {row['terms']}. *{row['outcome']}:* {row['remark']}",
        ]
    return "\n\n".join(textwrap.fill(line, 120, break_long_words=False, break_on_hyphens=False) for line in lines)


def filled(page: str) -> str:
    """Return the page with the present list."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{entries(photographs())}\n\n{END}{rest.split(END, 1)[1]}"


def main(folders: list[Path]) -> None:
    """Color the photographs that the list names, and write the page."""
    colorizer = Colorizer.from_pretrained()
    FOLDER.mkdir(exist_ok=True)
    for row in photographs() if folders else ():
        found = next((folder / row["file"] for folder in folders if (folder / row["file"]).exists()), None)
        if found is None:
            raise SystemExit(f"{row['file']}: expected in one of the folders")
        write_small(FOLDER / f"{row['name']}.jpg", pair(colorizer, found))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])

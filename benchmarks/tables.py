"""Tables of figures that the benchmarks print, and keep for the documentation.

With ``--keep`` a benchmark writes each table that it prints to docs/figures/tables, together with the command, the day,
the machine and the versions. ``python scripts/docs_tables.py`` puts them into the pages.
"""

import datetime
import json
import os
import platform
import shlex
import sys
from importlib import metadata
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "docs" / "figures" / "tables"
PACKAGES = "labcolor", "tensorflow", "keras", "onnxruntime", "numpy"
SETS = {"first": "first part", "second": "second part", "bsds500": "BSDS500"}
WORDS = {".mp4": "CLIP", ".whl": "WHEEL", ".labcolor": "MODEL"}  # what stands for a file outside of the repository
KEEP = "--keep"


def parse(parser, *, whole=False):
    """Add ``--keep`` to the options of a benchmark, and parse them. A table of all parts is kept as a whole only."""
    parser.add_argument(KEEP, action="store_true", help="write the tables for the documentation, too")
    options = parser.parse_args()
    if whole and options.keep and options.only:
        parser.error("--keep needs all parts, and --only leaves some out.")
    return options


def neutral(argument):
    """Return an argument as the documentation shows it, without folders of this machine."""
    option, equals, value = argument.rpartition("=")
    path = Path(value)
    if not (path.is_absolute() or path.exists()):
        return argument
    if path.resolve().is_relative_to(REPOSITORY):
        return option + equals + path.resolve().relative_to(REPOSITORY).as_posix()
    return option + equals + (WORDS.get(path.suffix, "FILE") if path.suffix else "PHOTOS")


def command(arguments):
    """Return the command line, as a person types it."""
    program = Path(arguments[0]).resolve().relative_to(REPOSITORY).as_posix()
    return shlex.join(["python", program, *(neutral(word) for word in arguments[1:] if word != KEEP)])


def machine():
    """Return the processor, the number of cores that may be used, and the memory."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.machine())
    memory = round(psutil.virtual_memory().total / (1 << 30))
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "memory": f"{memory} GiB"}


class Table:
    """A table that prints itself row by row, and is kept when its ``with`` block ends without an error."""

    def __init__(self, name, *columns):
        self.name, self.columns, self.rows = name, list(columns), []

    def __enter__(self):
        """Print the head."""
        print(f"\n| {' | '.join(self.columns)} |\n{'|---' * len(self.columns)}|", flush=True)
        return self

    def add(self, *cells):
        """Print a row. Its cells are text, as the documentation shows it."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{self.name}: expected {len(self.columns)} cells, got {len(cells)}.")
        self.rows.append(list(cells))
        print(f"| {' | '.join(cells)} |", flush=True)

    def __exit__(self, kind, error, traceback):
        """Keep the table, if that is asked for."""
        if kind is None and KEEP in sys.argv:
            FOLDER.mkdir(exist_ok=True)
            content = {
                "command": command(sys.argv),
                "measured": datetime.date.today().isoformat(),
                "machine": machine(),
                "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
                "columns": self.columns,
                "rows": self.rows,
            }
            text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            (FOLDER / f"{self.name}.json").write_text(text, encoding="utf-8")

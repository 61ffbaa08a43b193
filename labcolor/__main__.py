"""``python -m labcolor``: the command line."""

from labcolor.cli import run

run()

"""``python -m labcolor.cli``: the same as ``python -m labcolor``."""

from labcolor.cli import run

if __name__ == "__main__":
    run()

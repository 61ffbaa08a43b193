"""``python -m labcolor.cli``: the same as ``python -m labcolor``."""

import sys

from labcolor.cli import main

if __name__ == "__main__":
    sys.exit(main())

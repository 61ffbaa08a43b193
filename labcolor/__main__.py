"""``python -m labcolor``: the command line."""

import sys

from labcolor.cli import main

sys.exit(main())

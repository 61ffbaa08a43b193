"""Standard error, closed while native code prints."""

import subprocess
import sys

OVERLAP = """
import os, sys
from contextlib import ExitStack
from labcolor.base.stderr import closed_stderr
first, second = ExitStack(), ExitStack()
first.enter_context(closed_stderr())
second.enter_context(closed_stderr())
os.write(2, b"native, both\\n")
first.close()
os.write(2, b"native, one\\n")
print("Python", file=sys.stderr)
second.close()
os.write(2, b"native, none\\n")
print("Python, after", file=sys.stderr)
"""


def test_overlapping_calls_open_it_again():
    """Of two threads that close it at once, the last one opens it: native messages afterwards arrive."""
    done = subprocess.run([sys.executable, "-c", OVERLAP], capture_output=True, text=True, check=True)
    assert done.stderr == "Python\nnative, none\nPython, after\n"


def test_no_descriptor_is_left():
    """A hundred calls leave as many open files as one."""
    code = """
import os
from labcolor.base.stderr import closed_stderr
for count in (1, 100):
    for _ in range(count):
        with closed_stderr():
            pass
    print(os.dup(0))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = map(int, done.stdout.split())
    assert second == first + 1  # the dup of the first count is open

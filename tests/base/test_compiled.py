"""Compilation of kernels: announced once to who waits, and of no effect on results."""

import os
import pty
import subprocess
import sys

import numpy as np

from labcolor.io.pictures import write_picture


def test_the_first_picture_is_announced_and_as_all_others(tmp_path):
    """At a terminal the first process says that it prepares, and the second says nothing; they write the same bytes."""
    write_picture(tmp_path / "grey.png", np.random.default_rng(0).integers(0, 256, (50, 60)).astype(np.uint8))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    printed = []
    for folder in ("first", "second"):
        command = [sys.executable, "-m", "labcolor", "colorize", "grey.png", "-o", folder, "--model", "reference"]
        ours, theirs = pty.openpty()
        subprocess.run(command, stderr=theirs, env=environment, cwd=tmp_path, check=True)
        printed.append(os.read(ours, 4096).decode())
        os.close(ours)
        os.close(theirs)
    assert [text.count("labcolor: preparing (once)") for text in printed] == [1, 0]
    assert (tmp_path / "first" / "grey.png").read_bytes() == (tmp_path / "second" / "grey.png").read_bytes()

"""Compilation of kernels: announced once, and of no effect on results."""

import os
import pty
import subprocess
import sys

import numpy as np

from labcolor.io.pictures import write_picture

COLOR = """
import logging, sys, numpy as np
logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
from labcolor import rgb_to_lab, rgb_to_lightness
rgb = np.random.default_rng(0).integers(0, 256, (50, 60, 3)).astype(np.uint8)
for _ in range(2):
    print(rgb_to_lightness(rgb).tobytes().hex()[-200:], rgb_to_lab(rgb).tobytes().hex()[-200:])
"""


def test_first_results_are_those_of_later_processes(tmp_path):
    """The first process says once that it prepares; its results, before and after, are those of the second process."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", COLOR]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout.splitlines()
        for _ in range(2)
    )
    assert first[0] == "preparing (once)"
    assert len(second) == 2
    assert {*first[1:]} == {*second}
    assert len({*second}) == 1


def test_command_line_announces_it_to_a_terminal(tmp_path):
    """Who waits at a terminal for the first picture reads why; a script that reads standard error reads nothing new."""
    write_picture(tmp_path / "grey.png", np.zeros((2, 2), np.uint8))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "labcolor", "colorize", "grey.png", "-o", "colored"]
    ours, theirs = pty.openpty()
    subprocess.run(command, stderr=theirs, env=environment, cwd=tmp_path, check=True)
    printed = os.read(ours, 4096).decode()
    os.close(ours)
    os.close(theirs)
    assert printed.count("labcolor: preparing (once)") == 1

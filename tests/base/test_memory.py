"""Memory that a command keeps for its next picture."""

import subprocess
import sys

import pytest

# takes 48 MiB, the result for 12 megapixels, several times in a thread, and prints the page faults of the last time
MAKING = """
import resource, sys, threading
from labcolor.base.memory import keep_freed_memory

def make():
    for _ in range(8):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        bytearray(48 << 20)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

if sys.argv[1:]:
    keep_freed_memory()
thread = threading.Thread(target=make)
thread.start()
thread.join()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has the setting")
def test_freed_memory_is_used_again():
    """With the setting, memory that was freed before causes no page faults; without it, it does."""
    for arguments, again in ((["keep"], False), ([], True)):
        command = [sys.executable, "-c", MAKING, *arguments]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert (int(output) > 1000) == again

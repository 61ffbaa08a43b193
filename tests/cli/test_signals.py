"""Signals end a command, whatever it is at, and leave no incomplete file."""

import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

SIGNALS = [signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGTERM)]
LIMIT = 60  # seconds until a test gives up on a process that never ends

COMMAND = """
import sys, threading, time, types
from pathlib import Path
from labcolor import cli
from labcolor.base.paths import replacing
from labcolor.errors import FileError
cli._GRACE = 0.1
{how}
def add_to(commands):
    commands.add_parser("wait", description="Wait.").set_defaults(run=wait)
cli.export = types.SimpleNamespace(add_to=add_to)
sys.argv = ["labcolor", "wait"]
cli.run()
"""
STUCK = {
    "a thread that waits": """
def wait(arguments):
    def forever():
        with replacing(Path("result.png"), FileError):
            print("ready", flush=True)
            threading.Event().wait()
    threading.Thread(target=forever).start()
    threading.Event().wait()
""",
    "an interrupt that is lost": """
def wait(arguments):
    with replacing(Path("result.png"), FileError):
        print("ready", flush=True)
        while True:
            try:
                time.sleep(1)
            except KeyboardInterrupt:
                pass
""",
    "native code": """
def wait(arguments):
    import ctypes
    with replacing(Path("result.png"), FileError):
        print("ready", flush=True)
        while True:
            try:
                ctypes.CDLL(None).usleep(10_000_000)
            except KeyboardInterrupt:
                pass
""",
}


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of POSIX")
@pytest.mark.parametrize("how", STUCK.values(), ids=STUCK)
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_command_that_is_stuck(tmp_path, how, number):
    """The code is that of an interruption, and the incomplete file is gone."""
    code = COMMAND.format(how=how)
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, preexec_fn=_heed_signals) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(LIMIT) == 130
    assert list(tmp_path.iterdir()) == []


def _heed_signals():
    """A job in the background of a shell ignores SIGINT, and under nohup SIGHUP."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_an_ignored_signal_stays_ignored(tmp_path):
    """nohup is obeyed."""
    how = """
def wait(arguments):
    import os, signal
    os.kill(os.getpid(), signal.SIGHUP)
    print("ready", flush=True)
    return 0
"""
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + COMMAND.format(how=how)
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files")
def test_a_pipe_without_a_writer_does_not_keep_colorize(tmp_path):
    """A pipe among the pictures is refused, or left at a signal; the picture beside it is colored."""
    os.mkfifo(tmp_path / "pipe.png")
    Image.new("L", (32, 32)).save(tmp_path / "ok.png")
    command = [sys.executable, "-m", "labcolor", "colorize", "pipe.png", "ok.png", "-o", "out", "--model", "reference"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, preexec_fn=_heed_signals)
    while not (tmp_path / "out" / "ok.png").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT) in (1, 130, -signal.SIGTERM)  # the last where Python was leaving already
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["ok.png"]

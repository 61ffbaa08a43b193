"""Signals: they end a command promptly, even while threads or native code run."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from labcolor.base.paths import remove_unfinished

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_NUMBERS = {int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name)}


@contextmanager
def ending_on_signals(code: int, grace: float) -> Iterator[None]:
    """Raise KeyboardInterrupt on a signal, and end the process with a code if it still runs ``grace`` seconds later.

    Python raises the exception only between instructions of the main thread, and callbacks of native code may lose it.
    Therefore a thread also reads each signal from a socket.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in _NUMBERS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):  # nohup and shells ignore some
            signal.signal(number, signal.default_int_handler)
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(reader, done, code, grace), name="labcolor-signals", daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        signal.set_wakeup_fd(before)
        writer.close()
        watch.join()
        reader.close()


def _watch(reader: socket.socket, done: threading.Event, code: int, grace: float) -> None:
    """Wait for a signal, and end the process unless the command ends in time."""
    while number := reader.recv(1):
        if number[0] in _NUMBERS and not done.wait(grace):
            end_now(code)


def end_now(code: int) -> NoReturn:
    """Remove incomplete files, and end the process without waiting for its threads."""
    remove_unfinished()
    for descriptor in (1, 2):
        with suppress(OSError, ValueError):
            os.fsync(descriptor)
    os._exit(code)

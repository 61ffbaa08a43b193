"""Command line: ``labcolor`` and its commands, on the same core as the library."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from labcolor import __version__
from labcolor.cli import colorize, demo, evaluate, export, pipe, stills, train, video
from labcolor.cli.common import FAILED, INTERRUPTED, MISUSED, MessageHandler
from labcolor.errors import InputError, LabcolorError

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labcolor",
        description="Color black-and-white pictures and videos.",
        epilog="Exit codes: 0 done; 1 something failed; 2 the command line is wrong; 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"labcolor {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (colorize, video, stills, pipe, train, evaluate, export, demo):
        command.add_to(commands)
    return parser


def _open_descriptors() -> None:
    """Open the null device as standard input, output and error if they are closed.

    Otherwise the next opened files would get their numbers, and messages to standard error would be written into them.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - stays open


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the name of the program. By default those of the current process.

    Returns
    -------
    int
        Exit code: 0 for success, 1 if something failed, 2 if the command line is wrong, 130 if interrupted.

    Raises
    ------
    SystemExit
        The arguments cannot be parsed, or they request the help or the version.
    LabcolorError
        The command failed, and ``argv`` contains ``--debug``.

    Examples
    --------
    >>> from labcolor.cli import main
    >>> main(["colorize", "there-is-none.png", "-o", "colored"])
    1
    """
    _open_descriptors()
    with suppress(ValueError):  # raised in a thread other than the main one
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as on SIGINT, and clean up
        hangup = getattr(signal, "SIGHUP", None)  # the terminal was closed; Windows has no such signal
        if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:  # nohup ignores it
            signal.signal(hangup, signal.default_int_handler)
    arguments = _parser().parse_args(argv)
    log, handler = logging.getLogger("labcolor"), MessageHandler(logging.WARNING)
    log.addHandler(handler)
    try:
        return int(arguments.run(arguments))
    except LabcolorError as error:
        if arguments.debug:
            raise
        print(f"labcolor: {error}", file=sys.stderr)
        return MISUSED if isinstance(error, InputError) else FAILED
    except KeyboardInterrupt:
        print("labcolor: interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader ended, as in `| head`: Python must not report it again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    finally:
        log.removeHandler(handler)

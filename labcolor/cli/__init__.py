"""The command line, thin on the same core as the library: ``colorize``, ``video``, ``train`` and ``evaluate``."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from labcolor import __version__
from labcolor.cli import colorize, evaluate, train, video
from labcolor.cli.common import FAILED, INTERRUPTED, MISUSED, Sayer
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
    for command in (colorize, video, train, evaluate):
        command.add_to(commands)
    return parser


def _open_descriptors() -> None:
    """Open standard input, output and error on nothing where they are closed.

    Else the next files to be opened would get their numbers, and what is written to standard error would go into them.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - until the end


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        What follows the command's name; by default what the program was called with.

    Returns
    -------
    int
        The exit code: 0 done, 1 something failed, 2 the command line is wrong, 130 interrupted.

    Raises
    ------
    SystemExit
        The arguments cannot be parsed, or they ask for help or the version.
    LabcolorError
        The command failed, and ``argv`` contains ``--debug``.

    Examples
    --------
    >>> from labcolor.cli import main
    >>> main(["colorize", "there-is-none.png", "-o", "colored"])
    1
    """
    _open_descriptors()
    with suppress(ValueError):  # which a thread gets that is not the main one
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # to end as on SIGINT, leaving nothing behind
    arguments = _parser().parse_args(argv)
    log, sayer = logging.getLogger("labcolor"), Sayer(logging.WARNING)
    log.addHandler(sayer)
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
    except BrokenPipeError:  # nobody reads on, as with `| head`: nor is there anything to say when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    finally:
        log.removeHandler(sayer)

"""Command line: ``labcolor`` and its commands, on the same core as the library."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from labcolor import __version__
from labcolor.cli import colorize, demo, evaluate, export, pipe, shots, stills, train, video
from labcolor.cli.common import EXIT_CODES, FAILED, INTERRUPTED, MISUSED, MessageHandler, Parser
from labcolor.cli.signals import end_now, ending_on_signals
from labcolor.errors import InputError, LabcolorError

_GRACE = 5.0  # seconds after a signal in which a command ends; commands may set a larger value
_EXAMPLES = """
examples:
  labcolor colorize old.jpg colored.png
  labcolor colorize album/ -o colored/
  labcolor video film.mp4 colored.mp4
  labcolor COMMAND --help
"""


def _parser() -> Parser:
    codes = "".join(f"\n  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    parser = Parser(
        prog="labcolor",
        description="Color black-and-white pictures and videos.",
        epilog=f"{_EXAMPLES}\nexit codes:{codes}",
    )
    parser.add_argument("--version", action="version", version=f"labcolor {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (colorize, video, shots, stills, pipe, train, evaluate, export, demo):
        command.add_to(commands)
    return parser


def _open_descriptors() -> None:
    """Open the null device as standard input, output and error if they are closed."""
    # the next file opened would get the number of a closed one, and messages would be written into it
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
        Exit code, one of :data:`labcolor.cli.common.EXIT_CODES`.

    Raises
    ------
    SystemExit
        The arguments cannot be parsed, or request the help or the version.
    LabcolorError
        The command failed, and ``argv`` contains ``--debug``.

    Examples
    --------
    >>> from labcolor.cli import main
    >>> main(["colorize", "there-is-none.png", "-o", "colored"])
    1
    """
    _open_descriptors()
    arguments = _parser().parse_args(argv)
    warnings.filterwarnings("ignore", "Image size .* could be decompression bomb")  # labcolor has its own limit
    log, handler = logging.getLogger("labcolor"), MessageHandler(logging.INFO)
    log.addHandler(handler)
    if sys.stderr.isatty():  # a user waits for the first picture
        logging.getLogger("labcolor.base.compiled").setLevel(logging.INFO)
    try:
        with ending_on_signals(INTERRUPTED, getattr(arguments, "grace", _GRACE)):
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


def run() -> NoReturn:
    """Run the command of this process, and exit; after an interruption, without waiting for threads."""
    try:
        code = main()
    except KeyboardInterrupt:  # a second one
        code = INTERRUPTED
    if code == INTERRUPTED:
        end_now(code)
    sys.exit(code)

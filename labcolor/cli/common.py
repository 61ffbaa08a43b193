"""Exit codes, messages and options that commands share; loading of the model."""

from __future__ import annotations

import argparse
import logging
import sys
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from labcolor.base.choices import DeviceName, EngineName, PackagedName

if TYPE_CHECKING:
    from labcolor.colorizer import Colorizer

DONE, FAILED, MISUSED, DAMAGED, INTERRUPTED = 0, 1, 2, 3, 130
EXIT_CODES = {
    DONE: "everything is done",
    FAILED: "something failed; the messages name it",
    MISUSED: "the command line or a parameter is wrong; nothing was done",
    DAMAGED: "everything is done, but a source is damaged and was colored as far as it can be decoded",
    INTERRUPTED: "a signal ended the command",
}
OVERWRITE = ("--overwrite", "replace files that exist already (default: they are an error)")  # for add_flags
MODELS = get_args(PackagedName)  # the default is the first


class Parser(argparse.ArgumentParser):
    """Parser whose help keeps the lines of examples, and whose errors are one line."""

    def __init__(self, *, description: str, **options: Any) -> None:
        kind = argparse.RawDescriptionHelpFormatter
        super().__init__(
            description=textwrap.fill(description, 76, break_on_hyphens=False), formatter_class=kind, **options
        )

    def error(self, message: str) -> NoReturn:
        """Print one line to standard error, and exit."""
        self.exit(MISUSED, f"labcolor: {message}. See {self.prog} --help.\n")


def progress_bar(pictures: Any, total: int | None = None) -> Any:
    """Wrap pictures in a progress bar on standard error if it is a terminal and there are several pictures.

    ``total`` is their number, if ``len`` does not return it.
    """
    from tqdm import tqdm

    total = len(pictures) if total is None else total
    return tqdm(pictures, total=total, unit="picture", disable=total < 2 or not sys.stderr.isatty())


def print_message(text: str) -> None:
    """Print a line to standard error, above a progress bar if there is one."""
    from tqdm import tqdm

    tqdm.write(f"labcolor: {text}", file=sys.stderr)


class MessageHandler(logging.Handler):
    """Handler that prints messages of the library's log as messages of the command line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        print_message(record.getMessage())


def add_model_options(command: argparse.ArgumentParser) -> None:
    """Add the options that select the model and the strength of its colors."""
    group = command.add_argument_group("model and colors")
    engine, device = get_args(EngineName), get_args(DeviceName)
    model = f"a packaged model ({', '.join(MODELS)}), or the path of a model file (default: %(default)s)"
    add_values(
        group,
        ("--model", str, None, MODELS[0], model),
        ("--working-size", int, "PIXELS", None, "short side of the network's input (default: the model's)"),
        ("--saturation", float, "FACTOR", 1.0, "strength of the colors, 0 (grey) to 4 (vivid) (default: %(default)g)"),
        ("--threads", whole_number(1, 1024), "N", None, "number of threads (default: one for each core)"),
        ("--engine", engine, None, "auto", "library that runs the network; auto: the fastest (default: %(default)s)"),
        (
            "--device",
            device,
            None,
            "cpu",
            "device; all but cpu need another build of ONNX Runtime (default: %(default)s)",
        ),
    )


def add_values(group: Any, *rows: tuple[str, Callable[[str], Any] | tuple[str, ...], str | None, Any, str]) -> None:
    """Add options that take a value to a group: name, type or choices, metavar, default and help of each."""
    for option, kind, metavar, default, text in rows:
        given: dict[str, Any] = {"choices": kind} if isinstance(kind, tuple) else {"type": kind}
        group.add_argument(option, metavar=metavar, default=default, help=text, **given)


def add_flags(group: Any, *rows: tuple[str, str]) -> None:
    """Add options without a value to a group: name and help of each."""
    for option, text in rows:
        group.add_argument(option, action="store_true", help=text)


def add_like(group: Any) -> None:
    """Add the option that names exemplars."""
    like = "a colored photograph, of any size, whose colors similar regions take; may be repeated (default: none)"
    group.add_argument("--like", action="append", metavar="PHOTO", help=like)


def load(model: str, parameter: str = "--model") -> Colorizer:
    """Load a packaged model by its name, or a model from a file. Errors name the parameter."""
    from labcolor.colorizer import Colorizer
    from labcolor.networks.pretrained import is_packaged

    return Colorizer.from_pretrained(model) if is_packaged(model, parameter) else Colorizer.load(model)


def model_of(arguments: argparse.Namespace) -> Colorizer:
    """Load the model that the options select, and check the other options of :func:`add_model_options`."""
    from labcolor.base.threads import set_threads
    from labcolor.base.validation import as_saturation

    set_threads(arguments.threads)
    colorizer = load(arguments.model).set_params(engine=arguments.engine, device=arguments.device)
    if arguments.working_size is not None:
        colorizer.set_params(working_size=arguments.working_size)
    colorizer.check_params()
    as_saturation(arguments.saturation)
    return colorizer


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return a function that converts the text of an argument to a whole number from ``least`` to ``most``."""
    expected = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"

    def convert(text: str) -> int:
        if not text.isdecimal() or len(text) > 9 or int(text) < least or (most is not None and int(text) > most):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text[:40]!r}")
        return int(text)

    return convert

"""``labcolor demo``: a page in the browser, and an HTTP endpoint for other programs."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from labcolor.base.extras import missing_package
from labcolor.cli.common import DONE, add_model_options, model_of, print_message, whole_number

__all__ = ["add_to", "run"]

_PACKAGES = ("starlette", "uvicorn", "python_multipart")


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "demo",
        help="color pictures on a page in the browser",
        description="Serve a page that colors pictures, and an HTTP endpoint for other programs: POST a picture to "
        "/color. Both work offline, and no picture stays on the server. Only this machine reaches them, unless --host "
        "says otherwise. It needs starlette, uvicorn and python-multipart.",
    )
    command.set_defaults(run=run)
    command.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; 0.0.0.0 for all machines (default: %(default)s)"
    )
    command.add_argument(
        "--port",
        type=whole_number(0, 65535),
        default=8000,
        metavar="N",
        help="port to listen at; 0 for any that is free (default: %(default)s)",
    )
    command.add_argument(
        "--name",
        action="append",
        default=[],
        help="a name by which clients ask for this server, such as color.example.org; addresses and localhost need "
        "none; may be repeated",
    )
    for option, least, most, default, text in (
        ("--megabytes", 1, 1024, 64, "largest file that is accepted"),
        ("--megapixels", 1, 178, 60, "largest picture that is accepted"),
        ("--seconds", 1, 3600, 60, "longest time for a picture, with waiting"),
        ("--workers", 1, 64, 2, "pictures that are colored at a time"),
        ("--waiting", 0, 1024, 16, "further pictures that may wait; the rest are sent away"),
    ):
        command.add_argument(
            option,
            type=whole_number(least, most),
            default=default,
            metavar="N",
            help=f"{text}, from {least} to {most} (default: %(default)s)",
        )
    add_model_options(command)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    try:
        for package in _PACKAGES:
            import_module(package)
    except ImportError as error:
        raise missing_package("demo", error) from error
    from labcolor.demo.app import Limits, make_app
    from labcolor.demo.server import Server, listen

    colorizer = model_of(arguments)
    limits = Limits(
        size=arguments.megabytes << 20,
        pixels=arguments.megapixels * 1_000_000,
        seconds=arguments.seconds,
        workers=arguments.workers,
        waiting=arguments.waiting,
    )
    app = make_app(
        colorizer,
        model=Path(arguments.model).name,
        limits=limits,
        saturation=arguments.saturation,
        names=arguments.name,
    )
    with listen(arguments.host, arguments.port) as opened:
        host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        print(f"http://{host}:{opened.getsockname()[1]}/", flush=True)
        print_message("press Ctrl-C to stop.")
        try:
            Server(app).run(sockets=[opened])
        except KeyboardInterrupt:  # uvicorn has ended in order, and raises the signal again
            print_message("stopped.")
    return DONE

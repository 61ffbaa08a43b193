"""``labcolor demo``: a page in the browser, and an HTTP endpoint for other programs."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from labcolor.base.extras import importing
from labcolor.cli.common import DONE, add_model_options, add_values, model_of, print_message, whole_number

_EXAMPLES = """
examples:
  labcolor demo
  labcolor demo --port 0 --model mine.labcolor
  curl --data-binary @old.jpg -H "Content-Type: image/jpeg" http://127.0.0.1:8000/color > colored.jpg
"""


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "demo",
        help="color pictures on a page in the browser",
        usage="%(prog)s [options]",
        description="Serve a page that colors pictures, and an HTTP endpoint for other programs: POST a picture to "
        "/color. Both work offline, and the server keeps no picture. Only this machine can reach it unless you set "
        "--host. It needs the packages starlette, uvicorn and python-multipart.",
        epilog=_EXAMPLES,
    )
    command.set_defaults(run=run)
    host = "address to listen at; 0.0.0.0 for all machines (default: %(default)s)"
    add_values(command, ("--host", str, None, "127.0.0.1", host))
    command.add_argument(
        "--name",
        action="append",
        default=[],
        help="a name by which clients reach this server, such as color.example.org; not needed for addresses and "
        "localhost; may be repeated",
    )
    add_values(
        command,
        ("--port", whole_number(0, 65535), "N", 8000, "port to listen at; 0 for a free one (default: %(default)s)"),
        ("--megabytes", whole_number(1, 1024), "N", 64, "largest file, 1 to 1024 (default: %(default)s)"),
        ("--megapixels", whole_number(1, 178), "N", 60, "largest picture, 1 to 178 (default: %(default)s)"),
        (
            "--seconds",
            whole_number(1, 3600),
            "N",
            60,
            "longest time for a picture, with waiting (default: %(default)s)",
        ),
        ("--workers", whole_number(1, 64), "N", 2, "pictures that are colored at a time (default: %(default)s)"),
        ("--waiting", whole_number(0, 1024), "N", 16, "further pictures that may wait (default: %(default)s)"),
    )
    add_model_options(command)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    with importing("demo"):
        for package in ("python_multipart", "starlette", "uvicorn"):
            import_module(package)
    from labcolor.demo.app import make_app
    from labcolor.demo.server import Server, listen
    from labcolor.demo.workers import Limits

    colorizer = model_of(arguments)
    limits = Limits(
        size=arguments.megabytes << 20,
        pixels=arguments.megapixels * 1_000_000,
        seconds=arguments.seconds,
        workers=arguments.workers,
        waiting=arguments.waiting,
    )
    name, saturation = Path(arguments.model).name, arguments.saturation
    app = make_app(colorizer, model=name, limits=limits, saturation=saturation, names=arguments.name)
    with listen(arguments.host, arguments.port) as opened:
        host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        print(f"http://{host}:{opened.getsockname()[1]}/", flush=True)
        print_message("press Ctrl-C to stop.")
        try:
            Server(app).run(sockets=[opened])
        except KeyboardInterrupt:  # uvicorn has shut down, and raises the signal again
            print_message("stopped.")
    return DONE

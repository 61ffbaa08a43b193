"""``labcolor pipe``: color frames from standard input to standard output."""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from labcolor.cli.common import DONE, add_model_options, add_values, model_of, print_message
from labcolor.cli.video_options import add_color_options, color_options, frame_size
from labcolor.errors import InputError

if TYPE_CHECKING:
    from labcolor.video.stream import ChromaStream

_EXAMPLES = """
examples:
  ffmpeg -i film.mp4 -f yuv4mpegpipe - | labcolor pipe | ffplay -
  ffmpeg -i film.mp4 -f rawvideo -pix_fmt rgb24 - | labcolor pipe --raw 640x480 > colored.rgb
"""


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "pipe",
        help="color frames from standard input to standard output",
        usage="%(prog)s [options] < FRAMES > FRAMES",
        description="Color frames between two other programs: YUV4MPEG2, which keeps luma, depth, chroma format and "
        "rate, or raw RGB.",
        epilog=_EXAMPLES,
    )
    command.set_defaults(run=run)
    raw = "frames are raw RGB of this size, 8 bits a channel (default: YUV4MPEG2)"
    add_values(command, ("--raw", frame_size, "WxH", None, raw))
    add_color_options(command)
    add_model_options(command)


def run(arguments: argparse.Namespace) -> int:
    """Color frames from standard input to standard output."""
    if sys.stdout.isatty():
        raise InputError("standard output: expected a program or a file, got a terminal. Write: labcolor pipe | ...")
    from labcolor.video.colorize import frame_stream
    from labcolor.video.pipes import color_raw, color_y4m

    colorizer, options = model_of(arguments), color_options(arguments)

    def opened(rate: Fraction) -> ChromaStream:
        return frame_stream(colorizer, rate, **options)

    source, sink, size = sys.stdin.buffer, sys.stdout.buffer, arguments.raw
    stream = opened(Fraction(25))  # checks the options before a frame is read; raw frames have no rate
    count = color_y4m(source, sink, opened) if size is None else color_raw(source, sink, size, stream)
    print_message(f"{count} frames.")
    return DONE

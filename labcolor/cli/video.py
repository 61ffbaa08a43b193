"""``labcolor video``: color a video."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from labcolor.cli.common import DONE, add_model_options, model_of, print_message

__all__ = ["add_to", "run"]


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser("video", help="color a video", description="Color a video and keep its sound.")
    command.set_defaults(run=run)
    command.add_argument("source", metavar="IN", help="the video, in any format that ffmpeg reads")
    command.add_argument("destination", metavar="OUT", help="the file to write: .mp4, .mov, .mkv, .webm or .gif")
    command.add_argument(
        "--smoothing",
        type=float,
        metavar="SHARE",
        default=0.96,
        help="weight of past frames in the colors of static regions, from 0 (none) to 0.99 (default: %(default)g)",
    )
    command.add_argument(
        "--resize",
        type=_size,
        metavar="WxH",
        help="size of the result in pixels, as in 640x480 (default: that of the video)",
    )
    command.add_argument(
        "--side-by-side", action="store_true", help="put the original to the left of the colored video"
    )
    add_model_options(command)


def _size(text: str) -> tuple[int, int]:
    """Convert WIDTHxHEIGHT to two numbers."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, as in 640x480, got {text[:40]!r}")
    return int(width), int(height)


def run(arguments: argparse.Namespace) -> int:
    """Color a video and keep its sound."""
    colorizer = model_of(arguments)
    from labcolor.video.colorize import colorize_video

    report = colorize_video(
        arguments.source,
        arguments.destination,
        colorizer,
        smoothing=arguments.smoothing,
        saturation=arguments.saturation,
        resize=arguments.resize,
        side_by_side=arguments.side_by_side,
        progress=sys.stderr.isatty(),
    )
    rate = report.frames / report.seconds
    print_message(f"{report.frames} frames in {report.seconds:.1f} s ({rate:.1f} per second), {len(report.cuts)} cuts.")
    if report.complaints:
        print_message(f"{arguments.source}: damaged; the part that can be decoded is colored: {report.complaints}")
    return DONE

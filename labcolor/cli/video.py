"""``labcolor video``: color a video."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from labcolor.cli.common import DONE, add_model_options, model_of, say

__all__ = ["add_to", "run"]


def add_to(commands: Any) -> None:
    """Add this command to the parser's."""
    command = commands.add_parser("video", help="color a video", description="Color a video; its sound is kept.")
    command.set_defaults(run=run)
    command.add_argument("source", metavar="IN", help="the video, in any format that ffmpeg reads")
    command.add_argument("destination", metavar="OUT", help="the file to write: .mp4, .mov, .mkv, .webm or .gif")
    command.add_argument(
        "--smoothing",
        type=float,
        metavar="SHARE",
        default=0.96,
        help="share of the past in the colors of what does not move, from 0 (none) to 0.99 (default: %(default)g)",
    )
    command.add_argument(
        "--resize", type=_size, metavar="WxH", help="size of the result in pixels, as in 640x480 (default: the video's)"
    )
    command.add_argument("--side-by-side", action="store_true", help="show the original left of the colored video")
    add_model_options(command)


def _size(text: str) -> tuple[int, int]:
    """Turn WIDTHxHEIGHT into two numbers."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, as in 640x480, got {text[:40]!r}")
    return int(width), int(height)


def run(arguments: argparse.Namespace) -> int:
    """Color a video, with its sound."""
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
    say(f"{report.frames} frames in {report.seconds:.1f} s ({rate:.1f} a second), {len(report.cuts)} cuts.")
    if report.complaints:
        say(f"{arguments.source}: damaged; what could be decoded is colored: {report.complaints}")
    return DONE

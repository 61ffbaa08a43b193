"""Options that the commands for video share."""

from __future__ import annotations

import argparse

__all__ = ["COLOR_OPTIONS", "add_color_options", "add_field_options", "frame_size"]

COLOR_OPTIONS = ("smoothing", "cuts", "references", "consistency", "exclude_hues")  # the names of those that follow


def frame_size(text: str) -> tuple[int, int]:
    """Convert WIDTHxHEIGHT to two numbers."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height) and len(text) < 12):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, as in 640x480, got {text[:40]!r}")
    return int(width), int(height)


def add_color_options(command: argparse.ArgumentParser) -> None:
    """Add the options that tell which colors frames get, and how steady these are."""
    command.add_argument(
        "--smoothing",
        type=float,
        metavar="SHARE",
        default=0.96,
        help="weight of past frames in the colors of static regions, from 0 (none) to 0.99 (default: %(default)g)",
    )
    command.add_argument(
        "--cuts",
        type=_cuts,
        default="auto",
        metavar="FRAMES",
        help="frames that begin a shot: auto, none, or numbers as in 94,210 (default: %(default)s)",
    )
    command.add_argument(
        "--references", metavar="FOLDER", help="frames in color to take over, named like ref_000120.png (default: none)"
    )
    command.add_argument(
        "--consistency",
        choices=("scenes", "shot", "none"),
        default="scenes",
        help="how far one thing keeps one color (default: %(default)s)",
    )
    command.add_argument(
        "--exclude-hues",
        type=lambda text: text.split(","),
        default=(),
        metavar="HUES",
        help="hues that become grey: red, orange, yellow, green, cyan, blue, purple, pink, or degrees of a and b, as "
        "in red,200-240 (default: none)",
    )


def _cuts(text: str) -> str | list[int]:
    """Convert "auto", "none", or numbers with commas between."""
    if text in ("auto", "none"):
        return text
    if not all(part.isdecimal() for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"expected auto, none or numbers of frames, as 94,210, got {text[:40]!r}")
    return [int(part) for part in text.split(",")]


def add_field_options(command: argparse.ArgumentParser) -> None:
    """Add the options that tell how frames are decoded."""
    command.add_argument(
        "--deinterlace",
        choices=("auto", "never", "always", "double"),
        default="auto",
        help="convert fields to frames: where frames say that they consist of fields, never, always, or with a frame "
        "for each field (default: %(default)s)",
    )
    command.add_argument("--tone-map", action="store_true", help="map an HDR video to standard range")

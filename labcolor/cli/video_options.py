"""Options that the commands for video share."""

from __future__ import annotations

import argparse

__all__ = ["add_field_options", "add_smoothing", "frame_size"]


def frame_size(text: str) -> tuple[int, int]:
    """Convert WIDTHxHEIGHT to two numbers."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height) and len(text) < 12):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, as in 640x480, got {text[:40]!r}")
    return int(width), int(height)


def add_smoothing(command: argparse.ArgumentParser) -> None:
    """Add the option that sets how steady colors are."""
    command.add_argument(
        "--smoothing",
        type=float,
        metavar="SHARE",
        default=0.96,
        help="weight of past frames in the colors of static regions, from 0 (none) to 0.99 (default: %(default)g)",
    )


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

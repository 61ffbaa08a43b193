"""Options that the commands for video share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

from labcolor.base.choices import Deinterlacing, HueName, ShotListEnding
from labcolor.cli.common import add_flags, add_like, add_values
from labcolor.errors import PictureFileError


def frame_size(text: str) -> tuple[int, int]:
    """Convert WIDTHxHEIGHT to two numbers."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height) and len(text) < 12):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, as in 640x480, got {text[:40]!r}")
    return int(width), int(height)


def add_color_options(command: argparse.ArgumentParser) -> None:
    """Add the options that :func:`color_options` reads, in a group."""
    group = command.add_argument_group("colors over time")
    smoothing = (
        "weight of past frames in the colors of static regions, from 0 (none) to 0.99, at 24 or 25 frames per second "
        "(default: %(default)g)"
    )
    add_values(group, ("--smoothing", float, "SHARE", 0.96, smoothing))
    add_shots_option(group)
    references = "frames whose colors are known, named by the number of the frame, as ref_000120.png (default: none)"
    add_values(group, ("--references", str, "FOLDER", None, references))
    add_like(group)
    consistency = "keep the color of an object in all shots of a scene (default: yes)"
    group.add_argument("--consistency", action=argparse.BooleanOptionalAction, default=True, help=consistency)
    hues = f"hues that become grey, as in red,pink: {', '.join(get_args(HueName))} (default: none)"
    add_values(group, ("--exclude-hues", lambda text: text.split(","), "HUES", (), hues))


def add_shots_option(group: Any) -> None:
    """Add the option for a list of shots."""
    shots = "a file, as shots.csv or shots.edl; frames that begin a shot, as 94,210; or none (default: detected cuts)"
    add_values(group, ("--shots", _shots, "LIST", None, shots))


def color_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of :func:`labcolor.colorize_frames` that the options set."""
    from labcolor.video.look import Look

    look = Look(arguments.smoothing, arguments.consistency, arguments.exclude_hues, arguments.like)
    chosen = {name: getattr(arguments, name) for name in ("saturation", "references", "shots")}
    return {**chosen, "look": look}


def _shots(text: str) -> str | list[int]:
    """Convert "none", or numbers with commas between; leave the name of a file as it is."""
    if text.lower().endswith(get_args(ShotListEnding)):
        return text
    if text != "none" and not all(part.isdecimal() for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"expected a list, as shots.csv, frames as 94,210, or none, got {text[:40]!r}")
    return [] if text == "none" else [int(part) for part in text.split(",")]


def add_field_options(group: Any) -> None:
    """Add the options for the decoding of frames to a parser or a group."""
    interlaced = "convert interlaced frames: those that are marked as interlaced, none, or all (default: %(default)s)"
    add_values(group, ("--deinterlace", get_args(Deinterlacing), None, "auto", interlaced))
    add_flags(group, ("--tone-map", "map an HDR video to standard dynamic range"))


def sheet_path(arguments: argparse.Namespace) -> Path | None:
    """Return where ``--sheet`` writes, checked before the video is decoded; None without it."""
    from labcolor.base.paths import as_path, check_destination
    from labcolor.io.encoders import check_ending

    if arguments.sheet is None:
        return None
    place = as_path("--sheet", arguments.sheet)
    check_ending(place)
    check_destination(place, PictureFileError)
    return place

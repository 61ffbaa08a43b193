"""``labcolor preview`` and ``labcolor stills``: single frames of a video, in color."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcolor.cli.common import DONE, add_model_options, model_of, print_message
from labcolor.cli.video_options import add_field_options, add_shots_option, sheet_path
from labcolor.errors import InputError, VideoFileError

if TYPE_CHECKING:
    from labcolor.base.typing import Array
    from labcolor.inference.pipeline import Pipeline
    from labcolor.io.decoder import Footage
    from labcolor.video.shots import Shot


def add_to(commands: Any) -> None:
    """Add both commands to the parser."""
    command = commands.add_parser(
        "preview",
        help="color single frames of a video",
        description="Color single frames of a video, to try options before you color all of it. Write "
        "NAME_000120.png, with the number of the frame; or a sheet with one small frame of each shot.",
    )
    command.set_defaults(run=preview)
    _add_common(command, ".", "folder for the pictures (default: the current one)")
    at = "time of a frame, as 80.5 or 00:01:20.5; may be repeated"
    command.add_argument("--at", action="append", default=[], metavar="TIME", help=at)
    sheet = "picture to write, with one frame of each shot (default: none)"
    command.add_argument("--sheet", metavar="FILE", help=sheet)
    command = commands.add_parser(
        "stills",
        help="write one still for each shot of a video",
        description="Write one good still for each shot of a video, in grey and in color: grey_000120.png and "
        "ref_000120.png, with the number of the frame. Correct the colors, then pass the folder as --references.",
    )
    command.set_defaults(run=stills)
    _add_common(command, None, "folder for the pictures; created if it does not exist")


def _add_common(command: argparse.ArgumentParser, folder: str | None, about: str) -> None:
    command.add_argument("source", metavar="VIDEO", help="a video, or an image sequence, as frames/%%06d.tif")
    command.add_argument("-o", "--output", metavar="FOLDER", default=folder, required=folder is None, help=about)
    add_shots_option(command)
    add_field_options(command)
    add_model_options(command)


def _opened(arguments: argparse.Namespace) -> tuple[Footage, Path, tuple[Shot, ...] | None, Pipeline]:
    """Return the video, the folder for the pictures, the listed shots, and the model."""
    from labcolor.base.paths import as_path
    from labcolor.colorizer import pipeline_of
    from labcolor.io.decoder import Decoding, open_footage
    from labcolor.video.shots import as_shots

    decoding = Decoding(deinterlace=arguments.deinterlace, tone_map=arguments.tone_map)
    footage, folder = open_footage(as_path("VIDEO", arguments.source), decoding), as_path("-o", arguments.output)
    if folder.suffix.lower() in (".png", ".jpg", ".tif"):
        raise InputError(f"-o: expected a folder, got {folder}. Leave the ending off.")
    return footage, folder, as_shots(arguments.shots, footage.rate), pipeline_of(model_of(arguments))


def _write(folder: Path, name: str, picture: Array) -> None:
    from labcolor.base.paths import make_folder
    from labcolor.io.pictures import write_picture

    make_folder(folder, VideoFileError)
    write_picture(folder / name, picture)


def preview(arguments: argparse.Namespace) -> int:
    """Color single frames of a video."""
    from labcolor.io.times import as_seconds
    from labcolor.video.stills import caption, colored_still, frame_at, shot_stills

    if not arguments.at and arguments.sheet is None:
        raise InputError("expected --at TIME or --sheet FILE. Give at least one of them.")
    sheet = sheet_path(arguments)
    times = [as_seconds("--at", time) for time in arguments.at]
    footage, folder, shots, pipeline = _opened(arguments)
    info = footage.info
    name = info.path.parent.name if info.first is not None else info.path.stem
    for time in times:
        number, picture = frame_at(footage, time)
        _, colored = colored_still(picture, pipeline, arguments.saturation)
        place = f"{name}_{number:06d}.png"
        _write(folder, place, colored)
        print_message(f"{folder / place}.")
    if sheet is not None:
        from labcolor.display.sheet import contact_sheet
        from labcolor.io.pictures import write_picture

        captioned = (
            (colored_still(picture, pipeline, arguments.saturation)[1], caption(number, shot, footage.rate))
            for number, picture, shot in shot_stills(footage, shots)
        )
        write_picture(sheet, contact_sheet(captioned))
        print_message(f"{sheet}.")
    return DONE


def stills(arguments: argparse.Namespace) -> int:
    """Write one still for each shot of a video."""
    footage, folder, shots, pipeline = _opened(arguments)
    from labcolor.video.stills import colored_still, shot_stills

    count = 0
    for number, picture, _ in shot_stills(footage, shots):
        grey, colored = colored_still(picture, pipeline, arguments.saturation)
        _write(folder, f"grey_{number:06d}.png", grey)
        place = folder / f"ref_{number:06d}.png"
        if os.path.exists(place):  # a user may have corrected the still
            print_message(f"{place}: it is there already, and stays.")
        else:
            _write(folder, place.name, colored)
        count += 1
    print_message(f"{count} stills in {folder}.")
    return DONE

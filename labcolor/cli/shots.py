"""``labcolor shots``: the shots of a video, without coloring it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from labcolor.cli.common import DAMAGED, DONE, OVERWRITE, add_flags, print_message
from labcolor.cli.video_options import add_field_options, sheet_path
from labcolor.errors import VideoFileError


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "shots",
        help="find the shots of a video",
        description="Find the cuts, dissolves, wipes and fades of a video, without coloring it. Write a list, "
        "which you can check and correct, and pass to --shots of the other commands.",
    )
    command.set_defaults(run=run)
    command.add_argument("source", metavar="VIDEO", help="a video, or an image sequence, as frames/%%06d.tif")
    output = "the list to write: .csv, .edl, .xml (Final Cut Pro), .aaf or .otio"
    command.add_argument("-o", "--output", metavar="FILE", required=True, help=output)
    command.add_argument("--sheet", metavar="FILE", help="picture to write, with one frame of each shot")
    command.add_argument("--rate", metavar="FPS", help="rate of an image sequence, as 25 or 24000/1001 (default: 24)")
    add_flags(command, OVERWRITE)
    add_field_options(command)


def run(arguments: argparse.Namespace) -> int:
    """Find the shots of a video."""
    from labcolor.base.paths import as_path, check_absent, check_destination
    from labcolor.io.decoder import Decoding, open_footage
    from labcolor.io.pictures import write_picture
    from labcolor.video.scan import scan
    from labcolor.video.shots import check_list_name, write_shots
    from labcolor.video.stills import grey_sheet

    listed, sheet = as_path("-o", arguments.output), sheet_path(arguments)
    check_list_name(listed)
    check_destination(listed, VideoFileError)
    if not arguments.overwrite:
        check_absent(filter(None, (listed, sheet)))
    fields = {name: getattr(arguments, name) for name in ("rate", "deinterlace", "tone_map")}
    footage = open_footage(as_path("VIDEO", arguments.source), Decoding(**fields))
    found = scan(footage, sys.stderr.isatty())
    write_shots(listed, found.shots, footage.rate)
    if sheet is not None:
        write_picture(sheet, grey_sheet(footage, found.shots, found.details))
    print_message(f"{len(found.shots)} shots in {listed}.")
    if found.complaints:
        print_message(f"{arguments.source}: damaged; searched as far as it can be decoded: {found.complaints}")
        return DAMAGED
    return DONE

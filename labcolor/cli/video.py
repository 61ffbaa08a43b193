"""``labcolor video``: color a video, or the videos of a folder."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from labcolor.base.choices import CodecName
from labcolor.cli.common import (
    DAMAGED,
    DONE,
    FAILED,
    OVERWRITE,
    add_flags,
    add_model_options,
    add_values,
    model_of,
    print_message,
    whole_number,
)
from labcolor.cli.video_options import add_color_options, add_field_options, color_options, frame_size
from labcolor.errors import FileError, InputError, LabcolorError, VideoFileError

if TYPE_CHECKING:
    from labcolor.video.colorize import VideoReport

_DECODING = ("start", "end", "rate", "resize", "deinterlace", "tone_map")
_ENCODING = ("codec", "quality", "preset", "pixel_format", "side_by_side")
_OF_ONE = ("shots", "references")  # options that belong to one video
_EXAMPLES = """
examples:
  labcolor video film.mp4 colored.mp4
  labcolor video film.mp4 part.mp4 --start 00:01:20 --end 00:01:30
  labcolor video frames/%06d.tif colored.mov --rate 24 --codec prores
  labcolor video reels/ -o colored/ --resume
"""


def add_to(commands: Any) -> None:
    """Add this command to the parser."""
    command = commands.add_parser(
        "video",
        help="color a video",
        usage="%(prog)s [options] IN OUT\n       %(prog)s [options] FOLDER -o FOLDER",
        description="Color a video and keep its sound; or, with -o, the videos of a folder and its subfolders. A video "
        "that cannot be read is reported, and the others are colored.",
        epilog=_EXAMPLES,
    )
    command.set_defaults(run=run)
    command.add_argument(
        "source",
        metavar="IN",
        help="the video, in any format that ffmpeg reads; an image sequence, as frames/%%06d.tif or a folder of "
        "numbered pictures; with -o, a folder of videos",
    )
    written = "the file to write: .mp4, .mov, .mkv, .webm, .avi or .gif; or an image sequence, as colored/%%06d.tif"
    command.add_argument("destination", metavar="OUT", nargs="?", help=written)
    output = command.add_argument_group("output")
    folder = (
        "folder for the colored videos of a folder; created if it does not exist. They keep their names; a format that "
        "cannot be written, or does not hold the codec, becomes .mp4 or another"
    )
    output.add_argument("-o", "--output", metavar="FOLDER", help=folder)
    resume = (
        "work in segments, and resume where an interrupted call with the same options stopped; with -o, skip videos "
        "whose result exists already"
    )
    side_by_side = "put the original to the left of the colored video"
    add_flags(output, ("--resume", resume), OVERWRITE, ("--side-by-side", side_by_side))
    add_values(
        output,
        ("--report", str, "FILE", None, "write frames, rate, size, cuts and conversions as JSON (default: none)"),
    )
    encoding = command.add_argument_group("encoding")
    add_values(
        encoding,
        ("--codec", get_args(CodecName), None, None, "codec of the result (default: that of the container)"),
        ("--quality", whole_number(0, 63), "CRF", None, "of h264, hevc and vp9; lower is better (default: 20, vp9 32)"),
        ("--preset", str, "NAME", None, "effort of h264 and hevc, ultrafast to veryslow (default: faster, hevc fast)"),
        ("--pixel-format", str, "NAME", None, "as yuv422p10; of a sequence rgb24 or rgb48 (default: by the codec)"),
    )
    source = command.add_argument_group("source")
    add_values(
        source,
        ("--start", str, "TIME", "0", "where to begin, as 80.5 or 00:01:20.5 (default: %(default)s)"),
        ("--end", str, "TIME", None, "where to end (default: at the end)"),
        ("--rate", str, "FPS", None, "rate of an image sequence, as 25 or 24000/1001 (default: 24)"),
        ("--resize", frame_size, "WxH", None, "size to which frames are scaled, as 640x480 (default: not scaled)"),
    )
    add_field_options(source)
    add_color_options(command)
    add_model_options(command)


def _jobs(arguments: argparse.Namespace) -> tuple[list[tuple[str, str]], int]:
    """Return the source and the destination of each video, and how many folders cannot be read."""
    from labcolor.base.paths import as_path
    from labcolor.io.folders import video_places

    if (arguments.destination is None) == (arguments.output is None):
        raise InputError("expected either OUT, the file to write, or -o FOLDER.")
    if arguments.output is None:
        return [(arguments.source, arguments.destination)], 0
    for name in _OF_ONE:
        if getattr(arguments, name) is not None:
            raise InputError(f"--{name}: expected one video, got -o. Color that video by itself.")
    source, folder = as_path("IN", arguments.source), as_path("-o", arguments.output)
    if not os.path.isdir(source):
        raise InputError(f"{source}: expected a folder of videos with -o. Name the file to write instead of -o.")
    if folder.resolve() == source.resolve():
        raise InputError(f"-o: expected another folder than {source}, whose videos would be replaced.")
    pairs, problems = video_places(source, folder, arguments.codec)
    for problem in problems:
        print_message(str(problem))
    if not pairs:
        raise VideoFileError(f"{source}: expected videos in this folder and its subfolders, found none.")
    waiting = [(str(path), str(place)) for path, place in pairs if not (arguments.resume and place.exists())]
    if len(waiting) < len(pairs):
        print_message(f"{len(pairs) - len(waiting)} results exist already.")
    return waiting, len(problems)


def _described(source: str, destination: str, report: VideoReport | LabcolorError) -> dict[str, Any]:
    """Return a report in the types of JSON."""
    about: dict[str, Any] = {"source": source, "destination": destination}
    if isinstance(report, LabcolorError):
        return {**about, "error": str(report)}
    about |= asdict(report) | {"rate": str(report.rate)}
    about["cut_times"] = [round(float(time), 3) for time in report.cut_times]
    return about


def run(arguments: argparse.Namespace) -> int:
    """Color videos. An error in one of several does not stop the others."""
    from labcolor.base.paths import as_path, check_destination, make_folder, write_text
    from labcolor.colorizer import pipeline_of

    jobs, unreadable = _jobs(arguments)
    place = None if arguments.report is None else as_path("--report", arguments.report)
    if place is not None:
        check_destination(place, FileError)
    colorizer = model_of(arguments)
    pipeline_of(colorizer)  # before any video is colored, since an error concerns all of them
    from labcolor.io.codecs import Encoding
    from labcolor.io.decoder import Decoding
    from labcolor.video.colorize import colorize_video

    options = color_options(arguments)
    options["decoding"] = Decoding(**{name: getattr(arguments, name) for name in _DECODING})
    options["encoding"] = Encoding(**{name: getattr(arguments, name) for name in _ENCODING})
    options |= {name: getattr(arguments, name) for name in ("overwrite", "resume")}
    reports: list[dict[str, Any]] = []
    try:
        for source, destination in jobs:
            try:
                if arguments.output is not None:
                    print_message(f"{source}:")
                    make_folder(Path(destination).parent, VideoFileError)
                report = colorize_video(source, destination, colorizer, progress=sys.stderr.isatty(), **options)
            except LabcolorError as error:
                reports.append(_described(source, destination, error))
                if arguments.output is None:
                    raise
                print_message(str(error))
                continue
            reports.append(_described(source, destination, report))
            _show(source, report)
    finally:
        if place is not None:
            write_text(place, json.dumps({"videos": reports}, indent=1) + "\n", FileError)
    failed = unreadable + sum("error" in report for report in reports)
    if arguments.output is not None:
        print_message(f"{len(reports) + unreadable - failed} colored, {failed} failed.")
    if failed:
        return FAILED
    return DAMAGED if any(report.get("complaints") for report in reports) else DONE


def _show(source: str, report: VideoReport) -> None:
    """Print a summary of a report."""
    speed, cuts = report.frames / report.seconds, len(report.cuts)
    print_message(f"{report.frames} frames in {report.seconds:.1f} s ({speed:.1f} per second), {cuts} cuts.")
    for change in report.converted:
        print_message(f"{change}.")
    if report.complaints:
        print_message(f"{source}: damaged; the part that can be decoded is colored: {report.complaints}")

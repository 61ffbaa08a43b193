"""Timelines of editing programs, by OpenTimelineIO: EDL, Final Cut Pro XML, AAF and its own format."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from labcolor.base.extras import importing
from labcolor.base.paths import write_file
from labcolor.base.validation import shortened
from labcolor.errors import InputError, VideoFileError

_ADAPTERS = {".edl": "cmx_3600", ".xml": "fcp_xml", ".aaf": "AAF", ".otio": "otio_json"}  # by the ending of a file
_DAY = 24 * 60 * 60  # seconds


class TimelineClip(NamedTuple):
    """One clip: its first frame, the frame after its last, and its name."""

    first: int
    end: int
    name: str


def _library(adapter: str) -> ModuleType:
    """Return OpenTimelineIO, which takes half a second to import, with an adapter."""
    with importing("timeline"):
        import opentimelineio as library

        if adapter not in library.adapters.available_adapter_names():
            raise ImportError(f"no adapter {adapter} for OpenTimelineIO")
    found: ModuleType = library
    return found


def _rate(library: ModuleType, path: Path, rate: Fraction) -> float:
    """Return a rate as the format of a file knows it."""
    usual = float(library.opentime.RationalTime.nearest_smpte_timecode_rate(float(rate)))
    if abs(usual - rate) < 0.01:
        return usual
    if path.suffix.lower() != ".otio":
        raise InputError(
            f"{path}: expected a rate that SMPTE names, as 24, 25 or 30000/1001, got {float(rate):g} frames per "
            f"second. This format has no time code for it. Use .csv or .otio."
        )
    return float(rate)


def write_clips(path: Path, clips: Sequence[TimelineClip], rate: Fraction) -> None:
    """Write clips of one source, one after another, as the video track of a timeline.

    Raises
    ------
    InputError
        The format has no such rate, or its time code does not reach the end.
    LabcolorError
        OpenTimelineIO, or its adapter for the format, is not installed.
    VideoFileError
        The file cannot be written.
    """
    adapter = _ADAPTERS[path.suffix.lower()]
    library = _library(adapter)
    frames = _rate(library, path, rate)
    if adapter == "cmx_3600" and clips[-1].end >= _DAY * frames:
        raise InputError(f"{path}: expected less than 24 hours, after which time code begins anew. Use .csv or .otio.")
    time, span = library.opentime.RationalTime, library.opentime.TimeRange
    timeline, track = library.schema.Timeline("shots"), library.schema.Track(kind=library.schema.TrackKind.Video)
    whole = span(time(0, frames), time(clips[-1].end, frames))
    for clip in clips:
        part = span(time(clip.first, frames), time(clip.end - clip.first, frames))
        source = library.schema.MissingReference(available_range=whole)
        track.append(library.schema.Clip(clip.name, source, part, {"cmx_3600": {"reel": "AX"}}))
    timeline.tracks.append(track)
    options = {"use_empty_mob_ids": True} if adapter == "AAF" else {}

    def write(temporary: Path) -> None:
        library.adapters.write_to_file(timeline, str(temporary), adapter, **options)

    write_file(path, write, VideoFileError)


def read_clips(path: Path, rate: Fraction) -> list[TimelineClip]:
    """Return the clips of the first video track of a timeline, in frames of their source at a rate.

    Raises
    ------
    InputError
        The file is not a timeline of this format, or the format does not support the rate.
    LabcolorError
        OpenTimelineIO, or its adapter for the format, is not installed.
    """
    adapter = _ADAPTERS[path.suffix.lower()]
    library = _library(adapter)
    options = {"rate": _rate(library, path, rate)} if adapter == "cmx_3600" else {}
    if not path.is_file():
        raise InputError(f"{path}: expected a list of shots that can be read: there is no such file.")
    kind = library.schema.Timeline
    try:
        found = library.adapters.read_from_file(str(path), adapter, **options)
        timeline = found if isinstance(found, kind) else found.find_children(descended_from_type=kind)[0]
        return [_clip(clip, rate) for clip in timeline.video_tracks()[0].find_clips()]
    except Exception as error:  # of many kinds, from the adapters
        raise InputError(f"{path}: expected a timeline with a video track: {shortened(str(error))}.") from error


def _clip(clip: Any, rate: Fraction) -> TimelineClip:
    """Return a clip of OpenTimelineIO in frames from the start of its source."""
    part, source = clip.trimmed_range(), clip.media_reference.available_range
    start = part.start_time if source is None else part.start_time - source.start_time
    first = round(start.value_rescaled_to(float(rate)))
    return TimelineClip(first, first + round(part.duration.value_rescaled_to(float(rate))), clip.name)

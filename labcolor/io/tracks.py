"""Tracks of the source in a colored video: sound, subtitles, covers, attached files and tags."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labcolor.io import ffmpeg
from labcolor.io.decoder import Footage
from labcolor.io.probe import VideoInfo
from labcolor.io.times import advanced


@dataclass(frozen=True)
class _Holds:
    """Tracks that a container supports in addition to the video.

    Parameters
    ----------
    sound : frozenset of str
        Codecs of sound that are copied.
    other_sound : str
        Codec to which other sound is converted, or empty if the container has no sound.
    text : str
        Codec of text subtitles, or empty if the container has no text subtitles.
    copied_text : frozenset of str
        Codecs of subtitles that are copied.
    marks : bool
        Whether sound tracks keep dispositions such as "comment".
    covers, attachments, timecode, chapters : bool
        Whether it holds cover pictures, attached files, a time code, or chapters.
    """

    sound: frozenset[str] = frozenset()
    other_sound: str = ""
    text: str = ""
    copied_text: frozenset[str] = frozenset()
    marks: bool = True
    covers: bool = False
    attachments: bool = False
    timecode: bool = True
    chapters: bool = True


_MP4_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "alac"})
_PCM = frozenset({"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})
_MOV_SOUND = _MP4_SOUND | _PCM | {"pcm_s16be", "pcm_s24be", "pcm_s32be"}
_MKV_SOUND = _MP4_SOUND | _PCM | {"flac", "opus", "vorbis", "dts", "truehd", "mp2", "pcm_u8"}
_TEXT = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})
_DRAWN = frozenset({"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"})  # subtitles that are pictures
_HOLDS = {
    ".mp4": _Holds(_MP4_SOUND, "aac", "mov_text", covers=True),
    ".mov": _Holds(_MOV_SOUND, "aac", "mov_text", marks=False),  # ffmpeg writes no cover into .mov
    ".mkv": _Holds(_MKV_SOUND, "flac", "srt", _TEXT - {"mov_text"} | _DRAWN, covers=True, attachments=True),
    ".webm": _Holds(frozenset({"opus", "vorbis"}), "libopus", "webvtt"),
    ".avi": _Holds(_PCM | {"mp2", "mp3", "ac3", "pcm_u8"}, "pcm_s16le", marks=False, chapters=False),
    ".dpx": _Holds(chapters=False),
}
_NOTHING = _Holds(timecode=False, chapters=False)
# Layouts that AAC and Opus support; ffmpeg chooses the nearest.
_LAYOUTS = "aformat=channel_layouts=7.1|5.1|stereo|mono"


@dataclass
class TrackPlan:
    """Plan for the tracks of a source.

    Parameters
    ----------
    arguments : list of str
        ffmpeg's arguments for the tracks of input 1. :func:`track_arguments` adds covers of .mkv.
    lost : list of str
        Descriptions of converted and dropped tracks.
    """

    arguments: list[str]
    lost: list[str]


def plan_tracks(info: VideoInfo, ending: str) -> TrackPlan:
    """Choose the tracks of a source that a container keeps, and their codecs."""
    holds = _HOLDS.get(ending, _NOTHING)
    plan = TrackPlan([], [])
    _plan_sound(plan, info, holds)
    _plan_subtitles(plan, info, holds)
    _plan_others(plan, info, holds, ending)
    return plan


def _flags(kind: str, place: int, flags: Sequence[str]) -> list[str]:
    """Return ffmpeg's arguments for the dispositions of a track."""
    return [f"-disposition:{kind}:{place}", "+".join(flags) or "0"]


def _plan_sound(plan: TrackPlan, info: VideoInfo, holds: _Holds) -> None:
    """Add the arguments for sound, and descriptions of losses."""
    if info.sound and not holds.other_sound:
        plan.lost.append("sound is dropped")
        return
    place = 0
    for index, (codec, flags) in enumerate(info.sound):
        name = f"sound track {index + 1}"
        if codec == "none":
            plan.lost.append(f"{name} cannot be decoded and is dropped")
            continue
        chosen = "copy" if codec in holds.sound else holds.other_sound
        plan.arguments += ["-map", f"1:a:{index}", f"-c:a:{place}", chosen, *_flags("a", place, flags)]
        if codec not in holds.sound:
            plan.lost.append(f"{name} became {holds.other_sound.removeprefix('lib')}")
            if holds.other_sound != "flac":
                plan.arguments += [f"-filter:a:{place}", _LAYOUTS]
        if not holds.marks and set(flags) - {"default"}:
            plan.lost.append(f"{name} is no longer marked as {', '.join(set(flags) - {'default'})}")
        place += 1


def _plan_subtitles(plan: TrackPlan, info: VideoInfo, holds: _Holds) -> None:
    """Add the arguments for subtitles, and descriptions of losses."""
    place = 0
    for index, (codec, flags) in enumerate(info.subtitles):
        if codec in holds.copied_text or (holds.text and codec in _TEXT):
            chosen = "copy" if codec in holds.copied_text else holds.text
            plan.arguments += ["-map", f"1:s:{index}", f"-c:s:{place}", chosen, *_flags("s", place, flags)]
            place += 1
        else:
            plan.lost.append(f"subtitle track {index + 1} ({codec}) is dropped")


def _plan_others(plan: TrackPlan, info: VideoInfo, holds: _Holds, ending: str) -> None:
    """Add the arguments for covers and attached files, and descriptions of losses, also of other streams."""
    if holds.covers and ending != ".mkv":  # .mkv attaches them as files
        for place, (number, _) in enumerate(info.covers, 1):
            plan.arguments += ["-map", f"1:v:{number}", f"-c:v:{place}", "copy", *_flags("v", place, ["attached_pic"])]
    if info.attachments and holds.attachments:
        plan.arguments += ["-map", "1:t", "-c:t", "copy"]
    losses = {
        "the cover picture is dropped": info.covers and not holds.covers,
        f"attached files are dropped ({info.attachments})": info.attachments and not holds.attachments,
        f"streams of data are dropped ({info.others})": info.others,
        f"further videos are dropped ({info.videos - 1})": info.videos > 1,
        "time code is dropped": info.timecode and not holds.timecode,
        f"chapters are dropped ({info.chapters})": info.chapters and not holds.chapters,
    }
    plan.lost += [loss for loss, applies in losses.items() if applies]


def track_arguments(footage: Footage, ending: str, plan: TrackPlan, folder: Path) -> tuple[list[str], list[str]]:
    """Return ffmpeg's arguments that open the source as input 1, and those that map its tracks and tags.

    Parameters
    ----------
    footage : Footage
        The source.
    ending : str
        Ending of the container.
    plan : TrackPlan
        From :func:`plan_tracks`.
    folder : Path
        An empty folder for the files of covers.
    """
    info = footage.info
    timecode = []
    if info.timecode:
        timecode = ["-metadata", f"timecode={advanced(info.timecode, footage.first, info.rate)}"]
    if ending == ".gif":
        return [], []
    if info.first is not None:
        return [], timecode
    carry = [*plan.arguments, "-map_metadata", "1"]
    for key, value in info.tags:
        carry += ["-metadata:s:v:0", f"{key}={value}"]
    carry += [*timecode, *_attached_covers(info, ending, folder)]
    if footage.first:  # otherwise copied sound starts at the previous key frame
        carry += ["-copypriorss", "0"]
    elif info.delay and ending in (".mp4", ".mov"):  # otherwise sound before the picture is not played
        carry += ["-avoid_negative_ts", "make_zero"]
    return _source_input(footage), [*carry, "-max_interleave_delta", "0"]


def _source_input(footage: Footage) -> list[str]:
    """Return ffmpeg's arguments that open the source a second time, from the time of the first frame."""
    info = footage.info
    arguments: list[str] = []
    if footage.first:
        arguments += ["-ss", ffmpeg.decimal(info.delay + footage.seconds)]
    elif info.delay:
        arguments += ["-itsoffset", ffmpeg.decimal(-info.delay)]
    if footage.length is not None:
        arguments += ["-t", ffmpeg.decimal(footage.length + (0 if footage.first else info.delay))]
    return [*arguments, *info.arguments]


def _attached_covers(info: VideoInfo, ending: str, folder: Path) -> list[str]:
    """Copy covers to a folder, and return ffmpeg's arguments that attach them to .mkv."""
    arguments: list[str] = []
    if ending != ".mkv":
        return arguments
    for place, (number, codec) in enumerate(info.covers):
        kind = {"mjpeg": "jpg"}.get(codec, codec)
        name = folder / f"cover{place or ''}.{kind}"
        copy = ["-map", f"0:v:{number}", "-c", "copy", "-frames:v", "1", "-f", "image2", "-update", "1"]
        with suppress(ffmpeg.FfmpegError):
            ffmpeg.run(["-y", "-nostdin", *info.arguments, *copy, str(name)])
            media = {"jpg": "image/jpeg"}.get(kind, f"image/{kind}")
            there = info.attachments + place
            arguments += ["-attach", str(name), f"-metadata:s:t:{there}", f"mimetype={media}"]
            arguments += [f"-metadata:s:t:{there}", f"filename={name.name}"]
    return arguments

"""The tracks that come along with a colored video: sound, subtitles, covers and attached files."""

from __future__ import annotations

from collections.abc import Sequence

from labcolor.io.probe import VideoInfo

__all__ = ["track_arguments"]

# Codecs of sound that each container can hold, and the codec to which other sound is converted.
_MP4_SOUND = {"aac", "mp3", "ac3", "eac3", "alac"}
_PCM = {"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"}
_MKV_SOUND = _PCM | {"flac", "opus", "vorbis", "dts", "truehd", "mp2", "pcm_u8"}
_SOUND: dict[str, tuple[set[str], str]] = {
    ".mp4": (_MP4_SOUND, "aac"),
    ".mov": (_MP4_SOUND | _PCM | {"pcm_s16be", "pcm_s24be", "pcm_s32be"}, "aac"),
    ".mkv": (_MP4_SOUND | _MKV_SOUND, "flac"),
    ".webm": ({"opus", "vorbis"}, "libopus"),
}
# Layouts that AAC and Opus support; ffmpeg chooses the nearest.
_LAYOUTS = "aformat=channel_layouts=7.1|5.1|stereo|mono"
# Codecs of text subtitles, codecs of subtitles that are pictures (.mkv only), and each container's text codec.
_TEXT = {"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"}
_DRAWN = {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
_SUBTITLES = {".mp4": "mov_text", ".mov": "mov_text", ".webm": "webvtt", ".mkv": "srt"}
_COVERS = (".mp4", ".mov", ".mkv")


def _flags(kind: str, place: int, flags: Sequence[str]) -> list[str]:
    return [f"-disposition:{kind}:{place}", "+".join(flags) or "0"]


def track_arguments(info: VideoInfo, ending: str) -> tuple[list[str], list[str]]:
    """Return ffmpeg's arguments that carry sound, subtitles and covers from input 1, and what is converted or dropped.

    Covers of .mkv are attached files, which :mod:`labcolor.io.video` adds.
    """
    arguments: list[str] = []
    lost: list[str] = []
    if ending in _SOUND:
        supported, substitute = _SOUND[ending]
        place = 0
        for index, (codec, flags) in enumerate(zip(info.sound, info.sound_flags, strict=True)):
            if codec == "none":
                lost.append(f"sound track {index + 1} cannot be decoded and is dropped")
                continue
            arguments += ["-map", f"1:a:{index}", f"-c:a:{place}", "copy" if codec in supported else substitute]
            arguments += _flags("a", place, flags)
            if codec not in supported:
                lost.append(f"sound track {index + 1} became {substitute.removeprefix('lib')}")
                if substitute != "flac":
                    arguments += [f"-filter:a:{place}", _LAYOUTS]
            if ending == ".mov" and set(flags) - {"default"}:
                lost.append(f"sound track {index + 1} is no longer marked as {', '.join(set(flags) - {'default'})}")
            place += 1
    elif info.sound:
        lost.append("sound is dropped")
    place = 0
    for index, (codec, flags) in enumerate(zip(info.subtitles, info.subtitle_flags, strict=True)):
        if ending not in _SUBTITLES or not (codec in _TEXT or (ending == ".mkv" and codec in _DRAWN)):
            lost.append(f"subtitle track {index + 1} ({codec}) is dropped")
            continue
        unchanged = ending == ".mkv" and codec != "mov_text"
        arguments += ["-map", f"1:s:{index}", f"-c:s:{place}", "copy" if unchanged else _SUBTITLES[ending]]
        arguments += _flags("s", place, flags)
        place += 1
    if ending in (".mp4", ".mov"):
        for place, (number, _) in enumerate(info.covers, 1):
            arguments += ["-map", f"1:v:{number}", f"-c:v:{place}", "copy", *_flags("v", place, ["attached_pic"])]
    if info.covers and ending not in _COVERS:
        lost.append("the cover picture is dropped")
    if info.attachments:
        if ending == ".mkv":
            arguments += ["-map", "1:t", "-c:t", "copy"]
        else:
            lost.append(f"attached files are dropped ({info.attachments})")
    if info.others:
        lost.append(f"streams of data are dropped ({info.others})")
    if info.videos > 1:
        lost.append(f"further videos are dropped ({info.videos - 1})")
    if info.timecode and ending not in (*_SOUND, ".dpx"):
        lost.append("time code is dropped")
    return arguments, lost

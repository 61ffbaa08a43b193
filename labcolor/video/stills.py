"""Single frames of a video: at given times, and a good one for each shot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy import ndimage

from labcolor.base.typing import Array
from labcolor.errors import VideoFileError
from labcolor.inference.pipeline import Pipeline
from labcolor.io.probe import VideoInfo
from labcolor.io.video import Decoder, Range
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.lookahead import frames_and_cuts

__all__ = ["colored_still", "frame_at", "shot_stills"]


def _pictures(decoder: Decoder) -> Iterator[Picture]:
    """Yield the frames of a decoder as pictures that are colored to RGB of their own depth."""
    rgb = np.dtype(np.uint8 if decoder.format.depth == 8 else np.uint16)
    table = decoder.format.lightness()
    return (Picture(luma[..., None], None, rgb, table) for luma in decoder)


def frame_at(info: VideoInfo, time: Fraction, deinterlace: str = "auto", tone_map: bool = False) -> tuple[int, Picture]:
    """Return the number of the frame at a time, and the frame.

    Parameters
    ----------
    info : VideoInfo
        Properties of the video.
    time : Fraction
        Seconds from the first frame.
    deinterlace, tone_map
        As for :func:`labcolor.colorize_video`.

    Raises
    ------
    InputError, VideoFileError
        There is no such frame, or it cannot be decoded.
    """
    part = Range(info, time, time + 1 / info.rate)
    with Decoder(info, None, deinterlace, tone_map, part) as decoder:
        for picture in _pictures(decoder):
            return part.first, picture
        raise VideoFileError(f"{info.path}: no frame at {float(time):g} s can be decoded: {decoder.complaints()}")


def colored_still(picture: Picture, pipeline: Pipeline, saturation: float) -> tuple[Array, Array]:
    """Return a frame in grey and in color, each (H, W, 3), uint8 or uint16."""
    small = SmallPicture.of(picture, pipeline.working_size)
    (ab,) = pipeline.chroma([small], saturation)
    stride = pipeline.stride
    return picture.colored(small.chroma(np.zeros_like(ab), stride)), picture.colored(small.chroma(ab, stride))


def shot_stills(
    info: VideoInfo, working_size: int, deinterlace: str = "auto", tone_map: bool = False
) -> Iterator[tuple[int, Picture]]:
    """Yield a good frame of each shot, with its number: one with many sharp edges, away from the ends of the shot.

    The video is decoded twice: to find the shots, and to take the frames.
    """
    cuts: list[int] = []
    details: list[float] = []
    with Decoder(info, None, deinterlace, tone_map) as decoder:
        for _, small, cut in frames_and_cuts(_pictures(decoder), working_size):
            details.append(float(np.abs(ndimage.laplace(small.lightness)).mean()))
            if cut is not None:
                cuts.append(cut)
    wanted = set(_best(details, cuts))
    with Decoder(info, None, deinterlace, tone_map) as decoder:
        for number, picture in enumerate(_pictures(decoder)):
            if number in wanted:
                yield number, picture


def _best(details: Sequence[float], cuts: Sequence[int]) -> Iterator[int]:
    """Yield the number of the best frame of each shot, where the detail of each frame is known."""
    for start, stop in pairwise([0, *cuts, len(details)]):
        edge = (stop - start) // 5  # fades and dissolves are near the ends
        inner = range(start + edge, max(stop - edge, start + edge + 1))
        if start < stop:
            yield max(inner, key=lambda number: details[number])

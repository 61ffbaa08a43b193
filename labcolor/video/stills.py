"""Single frames of a video: at given times, and a good one for each shot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy import ndimage

from labcolor.base.typing import Array
from labcolor.errors import VideoFileError
from labcolor.inference.pipeline import Pipeline
from labcolor.io.decoder import Decoder, Footage
from labcolor.io.times import pace_of
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.cuts import CutDetector
from labcolor.video.frames import frames_and_cuts

__all__ = ["colored_still", "frame_at", "shot_stills"]


def _pictures(decoder: Decoder, footage: Footage) -> Iterator[Picture]:
    """Return the frames of a decoder as pictures that are colored to RGB of their own depth."""
    return decoder.pictures(dtype=np.dtype(np.uint8 if footage.format.depth == 8 else np.uint16))


def frame_at(footage: Footage, time: Fraction) -> tuple[int, Picture]:
    """Return the number of the frame at a time, and the frame.

    Raises
    ------
    InputError, VideoFileError
        There is no such frame, or it cannot be decoded.
    """
    part = replace(footage.decoding, start=time, end=time + 1 / footage.rate)
    footage = Footage(footage.info, part)
    with Decoder(footage) as decoder:
        for picture in _pictures(decoder, footage):
            return footage.first, picture
        complaints = decoder.complaints()
    raise VideoFileError(f"{footage.info.path}: no frame at {float(time):g} s can be decoded: {complaints}")


def colored_still(picture: Picture, pipeline: Pipeline, saturation: float) -> tuple[Array, Array]:
    """Return a frame in grey and in color, each (H, W, 3), uint8 or uint16."""
    small = SmallPicture.of(picture, pipeline.working_size)
    (ab,) = pipeline.chroma([small], saturation)
    stride = pipeline.stride
    return picture.colored(small.chroma(np.zeros_like(ab), stride)), picture.colored(small.chroma(ab, stride))


def shot_stills(footage: Footage, working_size: int) -> Iterator[tuple[int, Picture]]:
    """Yield a good frame of each shot, with its number: one with many sharp edges, away from the ends of the shot.

    The video is decoded twice: to find the shots, and to take the frames.
    """
    cuts: list[int] = []
    details: list[float] = []
    with Decoder(footage) as decoder:
        detector = CutDetector(pace=pace_of(footage.rate))
        for small, cut in frames_and_cuts(_pictures(decoder, footage), working_size, detector):
            details.append(float(np.abs(ndimage.laplace(small.lightness)).mean()))
            if cut is not None:
                cuts.append(cut)
    wanted = set(_best(details, cuts))
    with Decoder(footage) as decoder:
        for number, picture in enumerate(_pictures(decoder, footage)):
            if number in wanted:
                yield number, picture


def _best(details: Sequence[float], cuts: Sequence[int]) -> Iterator[int]:
    """Yield the number of the best frame of each shot, where the detail of each frame is known."""
    for start, stop in pairwise([0, *cuts, len(details)]):
        edge = (stop - start) // 5  # fades and dissolves are near the ends
        inner = range(start + edge, max(stop - edge, start + edge + 1))
        if start < stop:
            yield max(inner, key=lambda number: details[number])

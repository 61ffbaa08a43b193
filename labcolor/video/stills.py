"""Single frames of a video: at given times, and a good one for each shot, with its caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from labcolor.base.typing import Array
from labcolor.display.sheet import contact_sheet
from labcolor.errors import InputError, VideoFileError
from labcolor.inference.pipeline import Pipeline
from labcolor.io.decoder import Decoder, Footage
from labcolor.io.times import clock
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.scan import best_frames, reduced, scan
from labcolor.video.shots import Shot

_SHORT_SIDE = 180  # pixels of the frames of a sheet


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
    start = round(time * footage.rate) / footage.rate  # so that the end is not rounded to the same frame
    part = replace(footage.decoding, start=start, end=start + 1 / footage.rate)
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


def shot_stills(footage: Footage, shots: Sequence[Shot] | None = None) -> Iterator[tuple[int, Picture, Shot]]:
    """Yield a good frame of each shot: its number, the frame, and the shot.

    The frame has many sharp edges, and is away from the ends of the shot. The video is decoded twice: to find the
    shots, and to take the frames. If ``shots`` is None, they are detected.

    Raises
    ------
    InputError
        No shot of the list lies within the video.
    VideoFileError
        The video cannot be decoded.
    """
    found = scan(footage)
    wanted = dict(best_frames(shots or found.shots, found.details, footage.first))
    if not wanted:
        raise InputError(f"shots: expected a shot within the video, which has {len(found.details)} frames, got none.")
    with Decoder(footage) as decoder:
        for number, picture in enumerate(_pictures(decoder, footage), footage.first):
            if number in wanted:
                yield number, picture, wanted[number]


def grey_sheet(footage: Footage, shots: Sequence[Shot], details: Sequence[float]) -> Array:
    """Return a contact sheet of shots, in grey, for the details of :func:`labcolor.video.scan.scan`."""
    wanted = dict(best_frames(shots, details, footage.first))
    levels = np.rint(255 * footage.format.shares()).astype(np.uint8)
    with Decoder(reduced(footage, _SHORT_SIDE)) as decoder:
        frames = ((number, luma) for number, luma in enumerate(decoder, footage.first) if number in wanted)
        return contact_sheet((levels[luma], caption(number, wanted[number], footage.rate)) for number, luma in frames)


def caption(number: int, shot: Shot, rate: Fraction) -> str:
    """Return the caption of a shot on a contact sheet."""
    begins = "" if shot.kind is None else f"  {shot.kind}"
    sure = "" if shot.confidence is None else f" {shot.confidence:.2f}"
    return f"{clock(number / rate)}  frame {number}\nfrom {shot.first}{begins}{sure}"

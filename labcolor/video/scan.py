"""Detection of the shots of a video, and of a good frame of each, on small frames."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from labcolor.base.paths import as_path
from labcolor.base.typing import Array
from labcolor.base.validation import instance_of, require
from labcolor.errors import VideoFileError
from labcolor.io.decoder import Decoder, Decoding, Footage, open_footage
from labcolor.io.times import pace_of
from labcolor.video.cells import cells_of
from labcolor.video.cuts import AHEAD, CutDetector
from labcolor.video.progress import Progress, shown
from labcolor.video.shots import Shot
from labcolor.video.transitions import Cut

_SHORT_SIDE = 96  # short side, in pixels, of the frames on which cuts are detected


def find_shots(
    source: str | os.PathLike[str], *, decoding: Decoding = Decoding(), progress: Progress = False
) -> tuple[Shot, ...]:
    """Find the shots of a video without coloring it.

    Parameters
    ----------
    source : path
        As for :func:`colorize_video`.
    decoding : Decoding, optional
        Options for the decoding: a part of the source, its fields, HDR.
    progress : bool or callable, default False
        As for :func:`colorize_video`.

    Returns
    -------
    tuple of Shot
        All frames, in order. Each shot but the first has the kind of transition with which it begins ("cut",
        "dissolve", "wipe" or "fade") and the confidence in it, from 0.5 to 1. A dissolve or a wipe is divided in its
        middle.

    Raises
    ------
    VideoFileError
        The source is not a video, or cannot be decoded.
    InputError, InputTypeError
        A parameter is not as described above.

    Examples
    --------
    >>> import tempfile
    >>> import imageio
    >>> import numpy as np
    >>> from labcolor import find_shots, write_shots
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     imageio.mimwrite(f"{folder}/old.mp4", np.full((10, 48, 64, 3), 128, np.uint8), fps=25)
    ...     shots = find_shots(f"{folder}/old.mp4")
    ...     write_shots(f"{folder}/shots.csv", shots, rate=25)  # to be edited, and given to colorize_video
    >>> [(shot.first, shot.end, shot.kind) for shot in shots]
    [(0, 10, None)]
    """
    require("decoding", decoding, instance_of(Decoding))
    return scan(open_footage(as_path("source", source), decoding), progress).shots


@dataclass(frozen=True)
class Scan:
    """Shots of a video, and the detail of its frames.

    Parameters
    ----------
    shots : tuple of Shot
        The shots.
    details : list of float
        Amount of detail of each frame.
    complaints : str
        ffmpeg's complaints about a damaged video. Empty if there were none.
    """

    shots: tuple[Shot, ...]
    details: list[float]
    complaints: str


def scan(footage: Footage, progress: Progress = False) -> Scan:
    """Find the shots of a video.

    Raises
    ------
    VideoFileError
        The video cannot be decoded.
    """
    detector = CutDetector(footage.first, pace_of(footage.rate))
    cuts: list[Cut] = []
    details: list[float] = []
    waiting: list[Array] = []
    with Decoder(reduced(footage, _SHORT_SIDE)) as decoder, shown(progress, footage.total) as show:
        table = footage.format.lightness()
        for luma in decoder:
            lightness = table[luma]
            details.append(float(np.abs(ndimage.laplace(lightness)).mean()))
            waiting.append(cells_of(lightness))
            if len(waiting) > AHEAD:
                cuts += detector.update(waiting.pop(0), waiting)
            show(len(details))
        complaints = decoder.complaints()
    if not details:
        raise VideoFileError(f"{footage.info.path}: expected frames, got none: {complaints}")
    while waiting:
        cuts += detector.update(waiting.pop(0), waiting)
    cuts += detector.finish()
    ends = [*(cut.frame for cut in cuts), footage.first + len(details)]
    shots = [Shot(footage.first, ends[0])]
    for cut, end in zip(cuts, ends[1:], strict=True):
        shots.append(Shot(cut.frame, end, kind=cut.kind, confidence=round(cut.confidence, 2)))
    return Scan(tuple(shots), details, complaints)


def reduced(footage: Footage, short_side: int) -> Footage:
    """Return footage that is decoded with a short side of at most ``short_side`` pixels."""
    width, height = footage.size
    scale = min(1.0, short_side / min(width, height))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    return Footage(footage.info, replace(footage.decoding, resize=size))


def best_frames(shots: Sequence[Shot], details: Sequence[float], first: int) -> Iterator[tuple[int, Shot]]:
    """Yield the frame with the most detail of each shot, away from its ends, and the shot.

    Parameters
    ----------
    shots : sequence of Shot
        The shots. Shots without a frame in the video are skipped.
    details : sequence of float
        The detail of each frame, from :func:`scan`.
    first : int
        Number of the first frame.
    """
    for shot in shots:
        start, stop = max(shot.first - first, 0), min(shot.end - first, len(details))
        edge = (stop - start) // 5  # fades and dissolves are near the ends
        inner = range(start + edge, max(stop - edge, start + edge + 1))
        if start < stop:
            yield first + max(inner, key=lambda number: details[number]), shot

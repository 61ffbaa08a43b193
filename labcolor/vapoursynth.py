"""A filter of VapourSynth: ``pip install vapoursynth``."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np

from labcolor.base.extras import importing
from labcolor.base.typing import Array
from labcolor.color.yuv import FrameFormat, usual_matrix
from labcolor.colorizer import Colorizer
from labcolor.errors import InputError, InputTypeError
from labcolor.io.decoder import luma_pictures
from labcolor.video.colorize import frame_stream
from labcolor.video.look import Look

__all__ = ["colorize"]

_CELLS = {(0, 0): (1, 1), (1, 0): (1, 2), (1, 1): (2, 2)}  # pixels of luma for one of chroma, by subsampling
_MATRIX_NAMES = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m"}  # of ITU-T H.273
_KEPT = 64  # planes that are kept, because programs request frames again
_AHEAD = 250  # frames that are colored to reach a later frame; beyond them, the coloring restarts


def colorize(clip: Any, colorizer: Colorizer | None = None, *, saturation: float = 1.0, look: Look = Look()) -> Any:
    """Color a clip of VapourSynth. Luma stays the same.

    Colors depend on earlier frames, so frames are colored in order. A request for a frame before the last 64, or for
    one more than 250 frames later, restarts the coloring there, and colors may differ from those of a whole pass.

    Parameters
    ----------
    clip : vapoursynth.VideoNode
        Grey or YUV, integers of 8 to 16 bits, with one format and size. Chroma is not read. Range and color matrix are
        those of the first frame; without a matrix, BT.709 from 720 lines on, otherwise BT.601.
    colorizer : Colorizer, optional
        The model to use. By default the packaged model.
    saturation : float, default 1
        As for :meth:`labcolor.Colorizer.predict`.
    look : Look, optional
        How the colors look.

    Returns
    -------
    vapoursynth.VideoNode
        The clip in its own format; a grey clip becomes 4:4:4.

    Raises
    ------
    InputError, InputTypeError
        A parameter is not as described above.
    LabcolorError
        VapourSynth is not installed.

    Examples
    --------
    >>> import vapoursynth as vs  # doctest: +SKIP
    >>> from labcolor.vapoursynth import colorize  # doctest: +SKIP
    >>> colorize(vs.core.std.BlankClip(format=vs.GRAY8)).format.name  # doctest: +SKIP
    'YUV444P8'
    """
    with importing("vapoursynth"):
        import vapoursynth as vs
    if not isinstance(clip, vs.VideoNode):
        raise InputTypeError(f"clip: expected a clip of VapourSynth, got {type(clip).__name__}.")
    grey = clip.format.color_family == vs.GRAY
    cell = _CELLS.get((clip.format.subsampling_w, clip.format.subsampling_h))
    known = (grey or clip.format.color_family == vs.YUV) and clip.format.sample_type == vs.INTEGER
    if not known or cell is None or clip.format.bits_per_sample > 16 or not clip.width:
        raise InputError(
            "clip: expected grey, 4:2:0, 4:2:2 or 4:4:4 in integers of 8 to 16 bits, of one size, got "
            f"{clip.format.name}, {clip.width}x{clip.height}. Convert it: clip.resize.Bicubic(format=vs.YUV420P8)."
        )
    colorizer = Colorizer.from_pretrained() if colorizer is None else colorizer  # once, not at each restart
    marks = clip.get_frame(0).props
    matrix = _MATRIX_NAMES.get(int(marks.get("_Matrix", 2)), usual_matrix(clip.height))
    full = marks.get("_Range") == vs.RANGE_FULL
    frames = FrameFormat(clip.format.bits_per_sample, full, cell, matrix)
    shape = clip.format.subsampling_w, clip.format.subsampling_h
    form = vs.core.query_video_format(vs.YUV, vs.INTEGER, frames.depth, *shape)
    blank = clip.std.BlankClip(format=form.id, keep=True)
    target = vs.core.std.ShufflePlanes([clip, blank, blank], [0, 1, 2], vs.YUV)
    target = target.std.SetFrameProps(_Matrix=next(code for code, name in _MATRIX_NAMES.items() if name == matrix))
    rate, table = Fraction(clip.fps) or Fraction(25), frames.lightness()

    def planes(first: int) -> Iterator[tuple[Array, Array]]:
        stream = frame_stream(colorizer, rate, saturation=saturation, references=None, shots=None, look=look)
        lumas = (np.asarray(clip.get_frame(number)[0]) for number in range(first, len(clip)))
        colored = chain.from_iterable(stream.in_groups(luma_pictures(lumas, frames)))
        return (frames.chroma(picture.values[..., 0], table, chroma) for picture, chroma in colored)

    return target.std.ModifyFrame(target, _Chroma(planes))


class _Chroma:
    """The planes of chroma of a clip, for frames in nearly any order."""

    def __init__(self, planes: Any) -> None:
        self._planes = planes  # from a first frame on
        self._lock = threading.Lock()
        self._next, self._source = 0, planes(0)
        self._kept: OrderedDict[int, tuple[Array, Array]] = OrderedDict()

    def __call__(self, n: int, f: Any) -> Any:
        """Return frame ``f``, of number ``n``, with its chroma."""
        result = f.copy()
        with self._lock:
            for plane, values in enumerate(self._find(n), 1):
                np.asarray(result[plane])[:] = values
        return result

    def _find(self, number: int) -> tuple[Array, Array]:
        if number not in self._kept:
            if not self._next <= number <= self._next + _AHEAD:
                self._next, self._source = number, self._planes(number)
            while number not in self._kept:
                self._kept[self._next] = next(self._source)
                self._next += 1
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return self._kept[number]

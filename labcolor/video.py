"""Films, coloured as a stream: decoding, network and encoding at the same time, and steady colour."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from labcolor import _kernels, parameters
from labcolor.colorizer import Colorizer
from labcolor.errors import InputError, InputTypeError, VideoFileError
from labcolor.files import as_path, check_destination, replacing
from labcolor.filmfiles import ENCODERS, Decoder, colour_matrix, encoding, probe
from labcolor.lab import matrices, rgb_to_lightness
from labcolor.pictures import Picture, one_picture
from labcolor.smoothing import ChromaSmoother, between
from labcolor.strips import in_strips

__all__ = ["VideoReport", "colorize_frames", "colorize_video"]

Array = npt.NDArray[Any]
_TOGETHER = 4  # frames that are coloured together: if they are alike, by one answer of the network


@dataclass(frozen=True)
class VideoReport:
    """What was coloured.

    Parameters
    ----------
    frames : int
        Frames written.
    seconds : float
        Time it took.
    rate : Fraction
        Frames a second of the film, exact.
    cuts : tuple of int
        Frames with which a new scene begins, the first of the film not counted.
    complaints : str
        What ffmpeg complained of while it decoded a damaged film, and sound that it cannot decode; empty if nothing.

    Examples
    --------
    As for :func:`colorize_video`, which makes it.
    """

    frames: int
    seconds: float
    rate: Fraction
    cuts: tuple[int, ...]
    complaints: str


def colorize_frames(
    frames: Iterable[npt.ArrayLike],
    colorizer: Colorizer | None = None,
    *,
    smoothing: float = 0.96,
    saturation: float = 1.0,
) -> Iterator[Array]:
    """Colour frames one by one as they come, from a camera or another decoder, with steady colours.

    Parameters
    ----------
    frames : iterable of array_like
        Each as one picture for :meth:`Colorizer.predict`. The look-ahead is zero: each coloured frame is given before
        the next one is asked for.
    colorizer : Colorizer, optional
        By default the packaged model.
    smoothing : float, default 0.96
        Share of the past in the colours of what rests, from 0 (none) to 0.99.
    saturation : float, default 1
        As for :meth:`Colorizer.predict`.

    Returns
    -------
    iterator of ndarray, each (H, W, 3) or (H, W, 4)
        RGB, or RGBA, of the frame's size and dtype.

    Raises
    ------
    InputError, InputTypeError
        A parameter or a frame is not as above.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import colorize_frames
    >>> [frame.shape for frame in colorize_frames(np.zeros((2, 48, 64), np.uint8))]
    [(48, 64, 3), (48, 64, 3)]
    """
    try:
        frames = iter(frames)
    except TypeError as error:
        raise InputTypeError(f"frames: expected an iterable of arrays, got {type(frames).__name__}.") from error
    return _coloured(
        frames, _ready(colorizer), ChromaSmoother(parameters.smoothing(smoothing)), parameters.saturation(saturation)
    )


def _ready(colorizer: Colorizer | None) -> Colorizer:
    """The colorizer to use, checked."""
    if colorizer is None:
        return Colorizer.from_pretrained()
    if not isinstance(colorizer, Colorizer):
        raise InputTypeError(f"colorizer: expected a Colorizer, got {type(colorizer).__name__}. Use Colorizer.load.")
    colorizer._check_ready()
    return colorizer


def _coloured(
    frames: Iterable[npt.ArrayLike], colorizer: Colorizer, smoother: ChromaSmoother, saturation: float
) -> Iterator[Array]:
    for index, frame in enumerate(frames):
        picture = one_picture(frame, f"frames[{index}]")
        (lightness,) = small = colorizer._small_lightness([picture])
        (chroma,) = colorizer._small_chroma(small, saturation)
        ab, _ = smoother.update(lightness, chroma)
        yield picture.coloured(ab, *colorizer._chroma_scales(picture.shape, lightness))


def _chroma_maps(
    colorizer: Colorizer, lightness: Sequence[Array], saturation: float, before: tuple[Array, Array] | None
) -> list[Array]:
    """Small chroma of consecutive frames.

    The network sees the last one. The others take theirs from it and from the frame ``before`` all, or from the
    network where they are like neither.
    """
    last = len(lightness) - 1
    maps = {last: colorizer._small_chroma([lightness[last]], saturation)[0]}
    missed = []
    for index in range(last):
        found = None if before is None else between(lightness[index], before, (lightness[last], maps[last]))
        if found is None:
            missed.append(index)
        else:
            maps[index] = found
    maps.update(zip(missed, colorizer._small_chroma([lightness[index] for index in missed], saturation), strict=True))
    return [maps[index] for index in range(last + 1)]


def _luma_lightness() -> Array:
    """L of each value of luma in video range, (256,) float32."""
    grey = np.clip((np.arange(256) - 16) / 219, 0, 1)
    return rgb_to_lightness(np.repeat(grey[:, None], 3, axis=1)).astype(np.float32)


def _even(luma: Array) -> Array:
    """Luma with its last row and column repeated where their number is odd."""
    rows, columns = (side % 2 for side in luma.shape)
    return np.pad(luma, ((0, rows), (0, columns)), "edge") if rows or columns else luma


def _chroma(luma: Array, table: Array, ab: Array, pixel: tuple[float, float]) -> tuple[Array, Array]:
    """U and V, (H / 2, W / 2) uint8 each, that give a frame of luma its colours; ``pixel``: its pixel's size in ab."""
    height, width = luma.shape[0] // 2, luma.shape[1] // 2
    u, v = np.empty((2, height, width), np.uint8)
    _, matrix = matrices(np.dtype(np.float32))
    _, kr, kb = colour_matrix(luma.shape[0])
    scales = np.float32(2 * pixel[0]), np.float32(2 * pixel[1])

    def strip(start: int, stop: int) -> None:
        rows = luma[2 * start : 2 * stop]
        weights = np.float32(kr), np.float32(kb)
        _kernels.chroma_rows(rows, table, ab, start, *scales, matrix, weights, u[start:stop], v[start:stop])

    in_strips(strip, height, 24 * width)
    return u, v


def _packed(luma: Array, u: Array, v: Array, side_by_side: bool) -> bytes:
    """One frame for the encoder: a line, then Y, U and V."""
    if side_by_side:
        luma = np.hstack([luma, luma])
        u, v = (np.hstack([np.full_like(plane, 128), plane]) for plane in (u, v))
    return b"".join([b"FRAME\n", luma.tobytes(), u.tobytes(), v.tobytes()])


@contextmanager
def _shown(
    progress: bool | Callable[[int, int | None], object], total: int | None
) -> Iterator[Callable[[int], object]]:
    """A function to call with the number of frames done."""
    if callable(progress):
        yield lambda done: progress(done, total)
        return
    from tqdm.auto import tqdm

    with tqdm(total=total, unit="frame", disable=not progress) as bar:
        yield lambda done: bar.update(done - bar.n)


def colorize_video(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    colorizer: Colorizer | None = None,
    *,
    smoothing: float = 0.96,
    saturation: float = 1.0,
    resize: tuple[int, int] | None = None,
    side_by_side: bool = False,
    progress: bool | Callable[[int, int | None], object] = False,
) -> VideoReport:
    """Colour a film, with its sound.

    The luma of the film is kept as it is; chroma is predicted at the colorizer's working size, for every fourth frame
    where the frames between are like those around them. Memory does not grow with the film's length. The destination
    appears only when it is complete; before, there is a hidden file beside it.

    Parameters
    ----------
    source : path
        Whatever ffmpeg reads: mp4, mkv, avi, mov, webm, gif ...
    destination : path
        Ends in .mp4, .mov or .mkv (H.264), .webm (VP9) or .gif. Sound is copied, or re-encoded where the
        container cannot hold it; text subtitles are kept where it can. One that exists is replaced.
    colorizer : Colorizer, optional
        By default the packaged model.
    smoothing : float, default 0.96
        Share of the past in the colours of what rests, from 0 (none) to 0.99. Cuts are found, and nothing is carried
        across them. With 0 each frame gets the colours that it would get alone.
    saturation : float, default 1
        As for :meth:`Colorizer.predict`.
    resize : (width, height), optional
        Size of the result; by default the film's. 4:2:0 chroma needs even sides: an odd one gets one more row or
        column, a copy of the last.
    side_by_side : bool, default False
        Whether to put the grey original to the left of the colours.
    progress : bool or callable, default False
        True shows a progress bar (in notebooks, too); a callable is called with the frames done and the frames in all
        (None if not known).

    Returns
    -------
    VideoReport

    Raises
    ------
    VideoFileError
        The source is not a film or cannot be decoded, or the destination cannot be written. The message ends with
        ffmpeg's own last words.
    InputError, InputTypeError
        A parameter is not as above, or source and destination are the same file.

    Examples
    --------
    >>> import tempfile
    >>> import imageio
    >>> import numpy as np
    >>> from labcolor import colorize_video
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     imageio.mimwrite(f"{folder}/old.mp4", np.full((10, 48, 64, 3), 128, np.uint8), fps=25)
    ...     report = colorize_video(f"{folder}/old.mp4", f"{folder}/coloured.mp4")
    >>> report.frames, report.rate, report.cuts
    (10, Fraction(25, 1), ())
    """
    started = time.perf_counter()
    smoother = ChromaSmoother(parameters.smoothing(smoothing))
    saturation = parameters.saturation(saturation)
    if resize is not None:
        if not isinstance(resize, tuple | list) or len(resize) != 2:
            raise InputError(f"resize: expected (width, height), got {resize!r}.")
        for side in resize:
            parameters.require("resize", side, parameters.whole(2))
    source, destination = as_path("source", source), as_path("destination", destination)
    encoder = ENCODERS.get(destination.suffix.lower())
    if encoder is None:
        raise InputError(f"{destination}: expected a name that ends in {', '.join(ENCODERS)}. Rename it.")
    film = probe(source)
    check_destination(destination, VideoFileError)
    if os.path.exists(destination) and destination.samefile(source):
        raise InputError(f"{destination}: would replace its own source. Choose another name.")
    colorizer = _ready(colorizer)

    table = _luma_lightness()
    cuts: list[int] = []
    done = 0
    before: tuple[Array, Array] | None = None
    # ffmpeg decodes and encodes in processes of its own, a few frames ahead: the three works overlap
    with Decoder(source, film, resize) as decoder, replacing(destination, VideoFileError) as temporary:
        total = None if film.duration is None else round(film.duration * decoder.rate)
        size = decoder.width + decoder.width % 2, decoder.height + decoder.height % 2
        shape = (2 * size[0], size[1]) if side_by_side else size
        frames = iter(decoder)
        with (
            encoding(temporary, destination, source, film, shape, decoder.rate, decoder.aspect, encoder) as pipe,
            _shown(progress, total) as show,
        ):
            while batch := [_even(luma) for luma in islice(frames, _TOGETHER)]:
                pictures = [Picture(luma[..., None], None, luma.dtype, table) for luma in batch]
                small = colorizer._small_lightness(pictures)
                if smoothing:
                    maps = _chroma_maps(colorizer, small, saturation, before)
                    before = small[-1], maps[-1]
                else:
                    maps = colorizer._small_chroma(small, saturation)
                pixel = colorizer._chroma_scales(batch[0].shape, small[0])
                for luma, lightness, chroma in zip(batch, small, maps, strict=True):
                    ab, cut = smoother.update(lightness, chroma)
                    if cut:
                        cuts.append(done)
                    pipe.write(_packed(luma, *_chroma(luma, table, ab, pixel), side_by_side))
                    done += 1
                show(done)
            if done == 0:
                raise VideoFileError(f"{source}: expected frames, got none: {decoder.complaints()}")
        complaints = [decoder.complaints()]
    if "none" in film.sound:
        complaints.append(f"{film.sound.count('none')} of {len(film.sound)} sound tracks cannot be decoded")
    rate, seconds = decoder.rate, time.perf_counter() - started
    return VideoReport(done, seconds, rate, tuple(cuts), "; ".join(filter(None, complaints)))

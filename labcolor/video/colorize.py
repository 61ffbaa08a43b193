"""Films, colored as a stream: decoding, network and encoding at the same time, and steady color."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from labcolor import _validation
from labcolor._paths import as_path, check_destination, replacing
from labcolor._typing import Array, PictureInput
from labcolor.color.yuv import chroma_planes, even, luma_lightness, packed_frame
from labcolor.colorizer import Colorizer
from labcolor.errors import InputError, InputTypeError, VideoFileError
from labcolor.inference.pipeline import Pipeline
from labcolor.io.inputs import one_picture
from labcolor.io.video import ENCODERS, Decoder, encoding, probe
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.temporal import ChromaSmoother, chroma_between

__all__ = ["VideoReport", "colorize_frames", "colorize_video"]

_GROUP = 4  # frames that are colored together: if they are alike, by one answer of the network


@dataclass(frozen=True)
class VideoReport:
    """What was colored.

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
    frames: Iterable[PictureInput],
    colorizer: Colorizer | None = None,
    *,
    smoothing: float = 0.96,
    saturation: float = 1.0,
) -> Iterator[Array]:
    """Color frames one by one as they come, from a camera or another decoder, with steady colors.

    Parameters
    ----------
    frames : iterable of picture
        Each as one picture for :meth:`Colorizer.predict`. The look-ahead is zero: each colored frame is given before
        the next one is asked for.
    colorizer : Colorizer, optional
        By default the packaged model.
    smoothing : float, default 0.96
        Share of the past in the colors of what rests, from 0 (none) to 0.99.
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
    if isinstance(frames, str | bytes | os.PathLike):
        raise InputTypeError("frames: expected an iterable of pictures, got a single path. Use colorize_video.")
    try:
        frames = iter(frames)
    except TypeError as error:
        raise InputTypeError(f"frames: expected an iterable of pictures, got {type(frames).__name__}.") from error
    smoother = ChromaSmoother(_validation.smoothing(smoothing))
    return _colored(frames, _pipeline(colorizer), smoother, _validation.saturation(saturation))


def _pipeline(colorizer: Colorizer | None) -> Pipeline:
    """Return the pipeline of a colorizer, by default of the packaged model; raise if it cannot be used."""
    if colorizer is None:
        colorizer = Colorizer.from_pretrained()
    if not isinstance(colorizer, Colorizer):
        raise InputTypeError(f"colorizer: expected a Colorizer, got {type(colorizer).__name__}. Use Colorizer.load.")
    return colorizer.pipeline()


def _colored(
    frames: Iterable[PictureInput], pipeline: Pipeline, smoother: ChromaSmoother, saturation: float
) -> Iterator[Array]:
    for index, frame in enumerate(frames):
        picture = one_picture(frame, f"frames[{index}]")
        small = SmallPicture.of(picture, pipeline.working_size)
        (chroma,) = pipeline.chroma([small], saturation)
        ab, _ = smoother.update(small.lightness, chroma)
        yield picture.colored(ab, small.pixel(pipeline.stride), small.inside)


def _chroma_maps(
    pipeline: Pipeline, small: Sequence[SmallPicture], saturation: float, before: tuple[Array, Array] | None
) -> list[Array]:
    """Return the small chroma of consecutive frames.

    The network sees the last one. The others take theirs from it and from the frame ``before`` all, or from the
    network where they are like neither.
    """
    last = len(small) - 1
    maps = {last: pipeline.chroma([small[last]], saturation)[0]}
    missed = []
    for index in range(last):
        after = small[last].lightness, maps[last]
        found = None if before is None else chroma_between(small[index].lightness, before, after)
        if found is None:
            missed.append(index)
        else:
            maps[index] = found
    maps.update(zip(missed, pipeline.chroma([small[index] for index in missed], saturation), strict=True))
    return [maps[index] for index in range(last + 1)]


@contextmanager
def _shown(
    progress: bool | Callable[[int, int | None], object], total: int | None
) -> Iterator[Callable[[int], object]]:
    """Yield a function to call with the number of frames done."""
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
    """Color a film, with its sound.

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
        Share of the past in the colors of what rests, from 0 (none) to 0.99. Cuts are found, and nothing is carried
        across them. With 0 each frame gets the colors that it would get alone.
    saturation : float, default 1
        As for :meth:`Colorizer.predict`.
    resize : (width, height), optional
        Size of the result; by default the film's. 4:2:0 chroma needs even sides: an odd one gets one more row or
        column, a copy of the last.
    side_by_side : bool, default False
        Whether to put the grey original to the left of the colors.
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
    ...     report = colorize_video(f"{folder}/old.mp4", f"{folder}/colored.mp4")
    >>> report.frames, report.rate, report.cuts
    (10, Fraction(25, 1), ())
    """
    started = time.perf_counter()
    smoother = ChromaSmoother(_validation.smoothing(smoothing))
    saturation = _validation.saturation(saturation)
    if resize is not None:
        if not isinstance(resize, tuple | list) or len(resize) != 2:
            raise InputError(f"resize: expected (width, height), got {resize!r}.")
        for side in resize:
            _validation.require("resize", side, _validation.whole(2))
    source, destination = as_path("source", source), as_path("destination", destination)
    encoder = ENCODERS.get(destination.suffix.lower())
    if encoder is None:
        raise InputError(f"{destination}: expected a name that ends in {', '.join(ENCODERS)}. Rename it.")
    info = probe(source)
    check_destination(destination, VideoFileError)
    if os.path.exists(destination) and destination.samefile(source):
        raise InputError(f"{destination}: would replace its own source. Choose another name.")
    pipeline = _pipeline(colorizer)

    table = luma_lightness()
    cuts: list[int] = []
    done = 0
    before: tuple[Array, Array] | None = None
    # ffmpeg decodes and encodes in processes of its own, a few frames ahead: the three works overlap
    with Decoder(source, info, resize) as decoder, replacing(destination, VideoFileError) as temporary:
        total = None if info.duration is None else round(info.duration * decoder.rate)
        size = decoder.width + decoder.width % 2, decoder.height + decoder.height % 2
        shape = (2 * size[0], size[1]) if side_by_side else size
        frames = iter(decoder)
        with (
            encoding(temporary, destination, source, info, shape, decoder.rate, decoder.aspect, encoder) as pipe,
            _shown(progress, total) as show,
        ):
            while batch := [even(luma) for luma in islice(frames, _GROUP)]:
                pictures = [Picture(luma[..., None], None, luma.dtype, table) for luma in batch]
                small = [SmallPicture.of(picture, pipeline.working_size) for picture in pictures]
                if smoothing:
                    maps = _chroma_maps(pipeline, small, saturation, before)
                    before = small[-1].lightness, maps[-1]
                else:
                    maps = pipeline.chroma(small, saturation)
                pixel = small[0].pixel(pipeline.stride)
                for luma, one, chroma in zip(batch, small, maps, strict=True):
                    ab, cut = smoother.update(one.lightness, chroma)
                    if cut:
                        cuts.append(done)
                    pipe.write(packed_frame(luma, *chroma_planes(luma, table, ab, pixel, one.inside), side_by_side))
                    done += 1
                show(done)
            if done == 0:
                raise VideoFileError(f"{source}: expected frames, got none: {decoder.complaints()}")
        complaints = [decoder.complaints()]
    if "none" in info.sound:
        complaints.append(f"{info.sound.count('none')} of {len(info.sound)} sound tracks cannot be decoded")
    rate, seconds = decoder.rate, time.perf_counter() - started
    return VideoReport(done, seconds, rate, tuple(cuts), "; ".join(filter(None, complaints)))

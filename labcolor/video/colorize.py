"""Coloring of video as a stream: decoding, prediction and encoding overlap, and colors are steady over time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise

from labcolor.base.paths import as_path
from labcolor.base.typing import Array, PictureInput
from labcolor.base.validation import as_saturation, as_smoothing, integer, one_of, require, shortened
from labcolor.colorizer import Colorizer
from labcolor.errors import InputError, InputTypeError, VideoFileError
from labcolor.inference.pipeline import Pipeline
from labcolor.io.formats import resolve_destination, target_of
from labcolor.io.inputs import one_picture
from labcolor.io.probe import probe
from labcolor.io.times import as_seconds
from labcolor.io.video import DEINTERLACING, Decoder, FrameWriter, Range, writing
from labcolor.networks.onnx_form import digest
from labcolor.pictures.small import SmallPicture
from labcolor.video.groups import groups
from labcolor.video.hues import as_hues
from labcolor.video.jobs import Job, resuming
from labcolor.video.lookahead import look_ahead
from labcolor.video.references import as_references, check_frames
from labcolor.video.shots import Shot, as_shots, shots_between
from labcolor.video.stream import CONSISTENCIES, ChromaStream

__all__ = ["VideoReport", "colorize_frames", "colorize_video", "frame_stream"]


@dataclass(frozen=True)
class VideoReport:
    """Report on a colored video.

    Parameters
    ----------
    frames : int
        Number of frames written.
    seconds : float
        Time that the coloring took.
    rate : Fraction
        Frames per second of the decoded video, exact.
    cuts : tuple of int
        Numbers of the frames that begin a shot, counted from the first frame of the source. The first frame colored is
        not among them.
    shots : tuple of Shot
        The shots, which :func:`write_shots` writes.
    complaints : str
        ffmpeg's complaints about a damaged video. Empty if there were none.
    size : (width, height)
        Size of a frame written.
    converted : tuple of str
        What of the source was converted or dropped, one phrase for each: "10 bits became 8", "sound track 2 became
        aac".

    Examples
    --------
    See :func:`colorize_video`, which returns it.
    """

    frames: int
    seconds: float
    rate: Fraction
    cuts: tuple[int, ...]
    shots: tuple[Shot, ...]
    complaints: str
    size: tuple[int, int]
    converted: tuple[str, ...]

    @property
    def cut_times(self) -> tuple[Fraction, ...]:
        """Times of the cuts in seconds from the first frame of the source, exact."""
        return tuple(cut / self.rate for cut in self.cuts)


def colorize_frames(
    frames: Iterable[PictureInput],
    colorizer: Colorizer | None = None,
    *,
    smoothing: float = 0.96,
    saturation: float = 1.0,
    cuts: str | Sequence[int] = "auto",
    references: Mapping[int, PictureInput] | str | os.PathLike[str] | None = None,
    consistency: str = "scenes",
    exclude_hues: Sequence[str] = (),
) -> Iterator[Array]:
    """Color frames one by one, from a camera or any decoder, with colors that are steady over time.

    Parameters
    ----------
    frames : iterable of picture
        Each frame is one picture, as for :meth:`Colorizer.predict`, or a frame of PyAV or decord. OpenCV's frames are
        BGR: pass ``frame[..., ::-1]``. There is no look-ahead: each colored frame is yielded before the next frame is
        read.
    colorizer : Colorizer, optional
        The model to use. By default the packaged model.
    smoothing : float, default 0.96
        Weight of past frames in the colors of static regions, from 0 (no smoothing) to 0.99.
    saturation : float, default 1
        As for :meth:`Colorizer.predict`.
    cuts, references, consistency, exclude_hues
        As for :func:`colorize_video`. With detected cuts, a reference serves earlier frames only if they show the same
        scene. A reference with few colors serves the frames from its own on.

    Returns
    -------
    iterator of ndarray, each (H, W, 3) or (H, W, 4)
        RGB or RGBA, with the size and dtype of the frame.

    Raises
    ------
    InputError, InputTypeError
        A parameter or a frame is not as described above.

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
    stream = frame_stream(
        colorizer,
        smoothing=smoothing,
        saturation=saturation,
        cuts=cuts,
        references=references,
        consistency=consistency,
        exclude_hues=exclude_hues,
    )
    return _colored(frames, stream)


def frame_stream(
    colorizer: Colorizer | None,
    *,
    smoothing: float,
    saturation: float,
    cuts: str | Sequence[int],
    references: Mapping[int, PictureInput] | str | os.PathLike[str] | None,
    consistency: str,
    exclude_hues: Sequence[str],
) -> ChromaStream:
    """Return what predicts the chroma of frames, for the parameters of :func:`colorize_frames`.

    Raises
    ------
    InputError, InputTypeError
        A parameter is not as described there.
    """
    require("consistency", consistency, one_of(*CONSISTENCIES))
    return ChromaStream(
        _pipeline(colorizer),
        as_smoothing(smoothing),
        as_saturation(saturation),
        cuts=_given_cuts(cuts),
        references=as_references(references, None),
        consistency=consistency,
        exclude_hues=as_hues("exclude_hues", exclude_hues),
    )


def _pipeline(colorizer: Colorizer | None) -> Pipeline:
    """Return the pipeline of a colorizer, by default of the packaged model. Raise an error if it cannot be used."""
    if colorizer is None:
        colorizer = Colorizer.from_pretrained()
    if not isinstance(colorizer, Colorizer):
        raise InputTypeError(f"colorizer: expected a Colorizer, got {type(colorizer).__name__}. Use Colorizer.load.")
    return colorizer.pipeline()


def _given_cuts(cuts: str | Sequence[int]) -> list[int] | None:
    """Return the cuts that the caller gives, or None if they are to be detected."""
    if isinstance(cuts, str):
        require("cuts", cuts, one_of("auto", "none"))
        return None if cuts == "auto" else []
    if not isinstance(cuts, Sequence):
        raise InputTypeError(f'cuts: expected "auto", "none" or numbers of frames, got {shortened(cuts)}.')
    numbers: list[int] = []
    for cut in cuts:
        require("cuts", cut, integer(0))
        numbers.append(int(cut))
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise InputError("cuts: expected numbers of frames in rising order, got others.")
    return numbers


def _colored(frames: Iterable[PictureInput], stream: ChromaStream) -> Iterator[Array]:
    pipeline = stream.pipeline
    for index, frame in enumerate(frames):
        picture = one_picture(frame, f"frames[{index}]")
        small = SmallPicture.of(picture, pipeline.working_size)
        ((_, chroma),) = stream.colored([(picture, small)])
        yield picture.colored(chroma)


@contextmanager
def _shown(
    progress: bool | Callable[[int, int | None], object], total: int | None
) -> Iterator[Callable[[int], object]]:
    """Yield a function that reports progress. Call it with the number of frames done."""
    if callable(progress):
        yield lambda done: progress(done, total)
    elif progress:
        from tqdm.auto import tqdm  # in a notebook without ipywidgets it warns

        with tqdm(total=total, unit="frame") as bar:
            yield lambda done: bar.update(done - bar.n)
    else:
        yield lambda done: None


def colorize_video(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    colorizer: Colorizer | None = None,
    *,
    smoothing: float = 0.96,
    saturation: float = 1.0,
    cuts: str | Sequence[int] = "auto",
    shots: Sequence[Shot] | str | os.PathLike[str] | None = None,
    references: Mapping[int | float | str, PictureInput] | str | os.PathLike[str] | None = None,
    consistency: str = "scenes",
    exclude_hues: Sequence[str] = (),
    resize: tuple[int, int] | None = None,
    side_by_side: bool = False,
    start: float | str = 0,
    end: float | str | None = None,
    rate: float | str | None = None,
    deinterlace: str = "auto",
    tone_map: bool = False,
    codec: str | None = None,
    quality: int | None = None,
    preset: str | None = None,
    pixel_format: str | None = None,
    resume: bool = False,
    progress: bool | Callable[[int, int | None], object] = False,
) -> VideoReport:
    """Color a video and keep its sound.

    The luma of the video stays unchanged. Chroma is predicted at the colorizer's working size, for every fourth frame
    as long as the frames between are similar to their neighbors. Memory use does not grow with the length of the
    video. The result is written to a hidden file beside the destination, which is renamed once it is complete.

    Parameters
    ----------
    source : path
        Any format that ffmpeg reads: mp4, mkv, avi, mov, webm, gif ... Or an image sequence: a pattern like
        "frames/%06d.tif", or a folder of numbered pictures.
    destination : path
        Its ending selects the format: .mp4, .mov or .mkv (H.264), .webm (VP9) or .gif. Sound is copied, or encoded
        again if the container cannot hold it. Text subtitles are kept if the container can hold them. An existing
        file is replaced. A pattern like "colored/%06d.tif" (.png, .tif or .dpx) writes an image sequence.
    colorizer : Colorizer, optional
        The model to use. By default the packaged model.
    smoothing : float, default 0.96
        Weight of past frames in the colors of static regions, from 0 (no smoothing) to 0.99. Cuts are detected, and
        colors are not carried across them. With 0 each frame gets the colors that it would get as a still picture.
    saturation : float, default 1
        As for :meth:`Colorizer.predict`.
    cuts : "auto", "none" or sequence of int, default "auto"
        Frames that begin a shot: detected, none, or their numbers. Those outside of the part that is colored do not
        matter.
    shots : sequence of Shot or path, optional
        The shots, each with its own saturation and references, or left grey: what :func:`read_shots` returns, or the
        file that it reads.
    references : mapping or path, optional
        Colors to take over. A mapping from the number of a frame (int) or its time (float, or text like "00:01:20.5")
        to a picture with the size of the video: the frame in color. Where the picture is transparent, no color is
        given, so that a few strokes on a transparent ground are enough; so is an array (H, W, 2) of ab with nan where
        there is no color. Or a folder of pictures that are named by the number of the frame, like ref_000120.png. A
        reference serves its shot, and shots of the same scene that have none.
    consistency : {"scenes", "shot", "none"}, default "scenes"
        How far one thing keeps one color: in all shots of one scene, within a shot, or not at all.
    exclude_hues : sequence of str
        Hues of predicted colors that become grey, with soft edges: "red", "orange", "yellow", "green", "cyan", "blue",
        "purple", "pink", or angles of a and b in degrees, as "200-240". Colors of references stay.
    resize : (width, height), optional
        Size of the result. By default the size of the video. 4:2:0 chroma needs even sides, so an odd side is
        extended by a copy of its last row or column.
    side_by_side : bool, default False
        Whether to put the grey original to the left of the colored video.
    start, end : seconds or text, optional
        The part to color, as 80.5 or "00:01:20.5". By default the whole video.
    rate : frames per second, optional
        Rate of an image sequence, as 25 or "24000/1001". By default 24.
    deinterlace : {"auto", "never", "always", "double"}, default "auto"
        Whether fields are converted to frames: where frames say that they consist of fields, never, always, or with a
        frame for each field, which doubles the rate.
    tone_map : bool, default False
        Whether the tones of an HDR video are mapped to standard range. Otherwise such a video raises an error.
    codec : {"h264", "hevc", "vp9", "prores", "dnxhr", "ffv1"}, optional
        Codec of the result, if the container can hold it. By default that of the container.
    quality : int, optional
        Quality of "h264", "hevc" and "vp9": the number that ffmpeg calls crf. Lower is better. By default 20, or 32 for
        "vp9".
    preset : str, optional
        Effort of "h264" and "hevc", from "ultrafast" to "veryslow". By default "faster" and "fast".
    pixel_format : str, optional
        Pixels of the result, as "yuv422p10"; of an image sequence "rgb24" or "rgb48". By default what is usual for the
        codec: "yuv420p" of "h264" and "vp9", "yuv420p10" of "hevc", "yuv422p10" of "prores"; "dnxhr" and image
        sequences keep the depth of the source, and "ffv1" keeps all of it.
    resume : bool, default False
        Whether the video is written in segments, in a hidden folder beside the destination, so that the same call goes
        on where an earlier one was interrupted. The result is the same as that of one call without interruption.
    progress : bool or callable, default False
        True shows a progress bar, in notebooks as well. A callable gets the number of frames done and the total number
        of frames, or None if the total is unknown.

    Returns
    -------
    VideoReport
        What was done, and what was found.

    Raises
    ------
    VideoFileError
        The source is not a video or cannot be decoded, or the destination cannot be written. The message ends with
        ffmpeg's own error messages.
    InputError, InputTypeError
        A parameter is not as described above, or source and destination are the same file.

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
    smoothing = as_smoothing(smoothing)
    saturation = as_saturation(saturation)
    if resize is not None:
        if not isinstance(resize, tuple | list) or len(resize) != 2:
            raise InputError(f"resize: expected (width, height), got {resize!r}.")
        for side in resize:
            require("resize", side, integer(2))
    source, destination = as_path("source", source), as_path("destination", destination)
    require("deinterlace", deinterlace, one_of(*DEINTERLACING))
    info = probe(source, None if rate is None else as_seconds("rate", rate))
    destination = resolve_destination(destination, info)
    target = target_of(
        destination,
        info,
        codec=codec,
        quality=quality,
        preset=preset,
        pixel_format=pixel_format,
        tone_map=tone_map,
        deinterlace=deinterlace,
        size=resize or info.size,
    )
    part = Range(info, as_seconds("start", start), None if end is None else as_seconds("end", end))
    if os.path.exists(destination) and os.path.exists(source) and destination.samefile(source):
        raise InputError(f"{destination}: would replace its own source. Choose another name.")
    pipeline = _pipeline(colorizer)

    require("consistency", consistency, one_of(*CONSISTENCIES))
    exclude_hues = as_hues("exclude_hues", exclude_hues)
    known_cuts = _given_cuts(cuts)
    factor = 2 if deinterlace == "double" else 1
    first, total = factor * part.first, part.total(factor * info.rate)
    listed = as_shots(shots, factor * info.rate)
    if listed is not None and known_cuts != _given_cuts("auto"):
        raise InputError("shots: expected shots or cuts, got both. Remove one.")
    sizes = dict.fromkeys([info.size, resize or info.size])
    given = as_references(references, factor * info.rate, [(height, width) for width, height in sizes])
    # the length that a file declares may be off by a few frames: one second is allowed
    check_frames(given, listed, first, None if total is None else first + total, factor * round(info.rate))

    def begun() -> ChromaStream:
        nonlocal known_cuts
        frames: dict[int, SmallPicture] = {}
        wanted = [one.frame for one in given if one.picture is None]
        if wanted or (given and known_cuts is None and listed is None):
            with Decoder(info, None, deinterlace, tone_map, part) as decoder:
                found, frames, after = look_ahead(decoder, pipeline.working_size, first, wanted)
            check_frames(given, listed, first, after)
            known_cuts = found if known_cuts is None else known_cuts
        stream = ChromaStream(
            pipeline,
            smoothing,
            saturation,
            cuts=known_cuts,
            shots=listed or (),
            references=given,
            consistency=consistency,
            exclude_hues=exclude_hues,
            first=first,
        )
        for number, small in frames.items():
            stream.references.add_frame(number, small)
        return stream

    done = 0

    def output(decoder: Decoder) -> AbstractContextManager[FrameWriter | Job]:
        where = destination, info, target, decoder, part, side_by_side
        if not resume:
            return writing(*where)
        model = pipeline.working_size, pipeline.engine.name, digest(pipeline.model.weights)
        colors = digest([one.hint for one in given]), [one.frame for one in given]
        options = (
            smoothing,
            saturation,
            resize,
            deinterlace,
            tone_map,
            model,
            known_cuts,
            listed,
            colors,
            consistency,
            exclude_hues,
        )
        return resuming(*where, {"pipeline": pipeline}, options)

    # ffmpeg decodes and encodes in separate processes, so that decoding, prediction and encoding overlap
    with (
        Decoder(info, resize, deinterlace, tone_map, part) as decoder,
        output(decoder) as writer,
        _shown(progress, part.total(decoder.rate)) as show,
    ):
        if isinstance(writer, Job) and writer.state is not None:
            stream, done = writer.state, writer.done
        else:
            stream = begun()
        frames = islice(decoder, done, None)
        for group, ahead in groups(map(writer.picture, frames), pipeline.working_size):
            for frame in stream.colored(group, ahead):
                writer.write(*frame)
            done += len(group)
            show(done)
            if isinstance(writer, Job):
                writer.checkpoint(stream)
        if done == 0:
            raise VideoFileError(f"{source}: expected frames, got none: {decoder.complaints()}")
        complaints = decoder.complaints()
    seconds = time.perf_counter() - started
    found_shots = listed or shots_between(stream.cuts, first, first + done)
    return VideoReport(
        done, seconds, decoder.rate, tuple(stream.cuts), found_shots, complaints, writer.size, target.lost
    )

"""Coloring of video as a stream: decoding, prediction and encoding overlap, and colors are steady over time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import islice

from labcolor.base.paths import as_path
from labcolor.base.typing import Array, PictureInput
from labcolor.base.validation import as_saturation, instance_of, require
from labcolor.colorizer import Colorizer, exemplars_of, pipeline_of
from labcolor.errors import InputTypeError, VideoFileError
from labcolor.io.codecs import Encoding
from labcolor.io.decoder import Decoder, Decoding, Footage, open_footage
from labcolor.io.formats import target_of
from labcolor.io.inputs import one_picture
from labcolor.io.times import as_rate, pace_of
from labcolor.networks.onnx_form import digest
from labcolor.pictures.small import SmallPicture
from labcolor.video.jobs import in_one_go, resuming
from labcolor.video.look import Look
from labcolor.video.progress import shown
from labcolor.video.references import Reference, as_references, check_frames
from labcolor.video.scan import scan
from labcolor.video.shots import NO_END, Shot, as_shots, shots_between
from labcolor.video.stream import ChromaStream


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
        Conversions and losses, one phrase each, such as "10 bits became 8" or "sound track 2 became aac".

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
    saturation: float = 1.0,
    references: Mapping[int, PictureInput] | str | os.PathLike[str] | None = None,
    shots: Sequence[Shot] | Sequence[int] | None = None,
    look: Look = Look(),
    rate: float | str = 25,
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
    saturation : float, default 1
        As for :meth:`Colorizer.predict`.
    references, shots, look
        As for :func:`colorize_video`, except that shots come as a sequence. With detected cuts, a reference applies to
        earlier frames only if they show the same scene. A reference with few colors applies from its own frame on.
    rate : frames per second, default 25
        Rate of the frames, such as 50 or "30000/1001", to which smoothing over time is adapted.

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
    exact = as_rate("rate", rate)
    stream = frame_stream(colorizer, exact, saturation=saturation, references=references, shots=shots, look=look)
    return _colored(frames, stream)


def frame_stream(
    colorizer: Colorizer | None,
    rate: Fraction,
    *,
    saturation: float,
    references: Mapping[int, PictureInput] | str | os.PathLike[str] | None,
    shots: Sequence[Shot] | Sequence[int] | None,
    look: Look,
) -> ChromaStream:
    """Return the stream that predicts the chroma of frames, for the parameters of :func:`colorize_frames`.

    Raises
    ------
    InputError, InputTypeError
        A parameter is not as described there.
    """
    require("look", look, instance_of(Look))
    colorizer = _checked(colorizer)
    listed, given = as_shots(shots), as_references(references, None)
    check_frames(given, listed, 0, None)
    return ChromaStream(
        pipeline_of(colorizer),
        look,
        as_saturation(saturation),
        shots=listed,
        references=given,
        exemplars=exemplars_of(colorizer, look.like),
        pace=pace_of(rate),
    )


def _checked(colorizer: Colorizer | None) -> Colorizer:
    """Return a colorizer, by default that of the packaged model. Raise an error if it is something else."""
    if colorizer is None:
        colorizer = Colorizer.from_pretrained()
    if not isinstance(colorizer, Colorizer):
        raise InputTypeError(f"colorizer: expected a Colorizer, got {type(colorizer).__name__}. Use Colorizer.load.")
    return colorizer


def _colored(frames: Iterable[PictureInput], stream: ChromaStream) -> Iterator[Array]:
    pipeline = stream.pipeline
    for index, frame in enumerate(frames):
        picture = one_picture(frame, f"frames[{index}]")
        stream.references.check_size(picture.shape)
        small = SmallPicture.of(picture, pipeline.working_size)
        ((_, chroma),) = stream.colored([(picture, small)])
        yield picture.colored(chroma)


def colorize_video(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    colorizer: Colorizer | None = None,
    *,
    saturation: float = 1.0,
    references: Mapping[int | float | str, PictureInput] | str | os.PathLike[str] | None = None,
    shots: Sequence[Shot] | Sequence[int] | str | os.PathLike[str] | None = None,
    look: Look = Look(),
    decoding: Decoding = Decoding(),
    encoding: Encoding = Encoding(),
    overwrite: bool = False,
    resume: bool = False,
    progress: bool | Callable[[int, int | None], object] = False,
) -> VideoReport:
    """Color a video and keep its sound.

    The luma of the video stays unchanged. Chroma is predicted at the colorizer's working size, for one frame in
    four or fewer; the other frames take their chroma from similar predicted frames. Memory use does not grow with the
    length of the video. The result is written to a hidden file beside the destination, which is renamed once it is
    complete.

    Parameters
    ----------
    source : path
        Any format that ffmpeg reads: mp4, mkv, avi, mov, webm, gif ... Or an image sequence: a pattern like
        "frames/%06d.tif", or a folder of numbered pictures.
    destination : path
        Its ending selects the format: .mp4, .mov or .mkv (H.264), .webm (VP9), .avi (FFV1) or .gif. Sound is copied, or
        encoded again if the container cannot hold it. Text subtitles are kept if the container can hold them. A pattern
        like "colored/%06d.tif" (.png, .tif or .dpx) writes an image sequence.
    colorizer : Colorizer, optional
        The model to use. By default the packaged model.
    saturation : float, default 1
        As for :meth:`Colorizer.predict`.
    references : mapping or path, optional
        Frames with given colors. A mapping from the number of a frame (int) or its time (float, or text like
        "00:01:20.5") to a picture with the size of the video: the frame in color. Transparent parts give no color, so a
        few strokes on a transparent picture are enough. An array (H, W, 2) of ab, with nan where there is no color,
        works, too. Or a folder of pictures that are named by the number of the frame, like ref_000120.png. A reference
        applies to its shot, and to shots of the same scene that have no reference.
    shots : sequence of Shot, sequence of int or path, optional
        The shots, each with its own saturation and references, or left grey: the result of :func:`read_shots`, or the
        file that it reads. Or the numbers of the frames that begin a shot; an empty sequence means one shot. Frames
        outside the part that is colored are ignored. By default cuts are detected.
    look : Look, optional
        Options for the colors: steadiness over time, excluded hues, exemplars.
    decoding : Decoding, optional
        Options for the decoding: a part of the source, another size, its fields, HDR.
    encoding : Encoding, optional
        Options for the encoding: codec, quality, preset, pixel format.
    overwrite : bool, default False
        Whether an existing file, or existing pictures of a sequence, are replaced. Otherwise they raise an error.
    resume : bool, default False
        Whether the video is written in segments, in a hidden folder beside the destination, so that the same call
        resumes where an earlier one was interrupted. The result is the same as that of one call without interruption.
        With listed shots the folder stays, and a later call colors only the shots that have changed in the list.
    progress : bool or callable, default False
        True shows a progress bar, in notebooks as well. A callable gets the number of frames done and the total number
        of frames, or None if the total is unknown.

    Returns
    -------
    VideoReport
        The number of frames, the cuts, and descriptions of conversions and damage.

    Raises
    ------
    VideoFileError
        The source is not a video or cannot be decoded, or the destination cannot be written. The message ends with
        ffmpeg's own error messages.
    InputError, InputTypeError
        A parameter is not as described above, or the destination exists already.

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
    for name, value, kind in (("look", look, Look), ("decoding", decoding, Decoding), ("encoding", encoding, Encoding)):
        require(name, value, instance_of(kind))
    saturation = as_saturation(saturation)
    footage = open_footage(as_path("source", source), decoding)
    target = target_of(as_path("destination", destination), footage, encoding, overwrite)
    colorizer = _checked(colorizer)
    pipeline, exemplars = pipeline_of(colorizer), exemplars_of(colorizer, look.like)
    listed = as_shots(shots, footage.rate)
    given = as_references(
        references, footage.rate, [size[::-1] for size in dict.fromkeys([footage.info.size, footage.size])]
    )
    first, total, pace = footage.first, footage.total, pace_of(footage.rate)
    open_stream = partial(
        ChromaStream, pipeline, look, saturation, references=given, exemplars=exemplars, first=first, pace=pace
    )
    # the length that a file declares may be off by a few frames: one second is allowed
    check_frames(given, listed, first, None if total is None else first + total, round(footage.rate))
    if resume:
        model = pipeline.working_size, pipeline.engine.name, digest(pipeline.model.weights)
        arrays = [
            *(part for one in given for part in one.arrays),
            *(part for one in exemplars for part in (one.features, one.colors)),
        ]
        colors = digest(arrays), [one.frame for one in given]
        edited = None if listed is None or listed[-1].end == NO_END else listed  # first frames have no rows to edit
        others = "listed" if edited else listed
        options = saturation, replace(look, like=None), decoding, encoding, model, others, colors
        output = resuming(target, options, edited)
    else:
        output = in_one_go(target)

    # ffmpeg decodes and encodes in separate processes, so that decoding, prediction and encoding overlap
    cuts: Sequence[int] = ()
    complaints = ""
    with output as job, shown(progress, total) as show:
        parts = job.parts()
        fresh = any(start == 0 for start, _ in parts)
        found, frames = _known_ahead(footage, pipeline.working_size, listed, given) if fresh else (listed, {})
        for start, stop in parts:
            stream = open_stream(shots=found)
            for number, small in {} if start else frames.items():
                stream.references.add_frame(number, small)
            job.begin(start, stop, stream, target.frame_size[::-1])
            part, lead = (footage, start) if stop is None else _later(footage, start)
            with Decoder(part) as decoder:
                end = None if stop is None else lead + stop - start
                pictures = islice(decoder.pictures(target.frames, target.dtype), lead, end)
                begun, done = [shot.first - first - start for shot in listed or ()], start
                for group in stream.in_groups(pictures, begun):
                    for frame in group:
                        job.write(*frame)
                    done += len(group)
                    show(done)
                    job.checkpoint(stream)
                complaints = decoder.complaints() or complaints
            if stop is not None and done < stop:
                raise VideoFileError(
                    f"{source}: expected frames {first + start} to {first + stop}, got fewer: {complaints}"
                )
            cuts = stream.cuts
        if parts == [(0, None)] and done == 0:
            raise VideoFileError(f"{source}: expected frames, got none: {complaints}")
    count = job.done
    seconds = time.perf_counter() - started
    if listed is not None:
        cuts = [shot.first for shot in listed if first < shot.first < first + count]
    if listed is None or listed[-1].end == NO_END:
        listed = shots_between(cuts, first, first + count)
    return VideoReport(count, seconds, footage.rate, tuple(cuts), listed, complaints, target.written_size, target.lost)


def _later(footage: Footage, start: int) -> tuple[Footage, int]:
    """Return a part of footage that begins a second or less before one of its frames, and the frames before it."""
    if footage.info.variable:
        return footage, start
    lead = min(start, 24)
    decoding = replace(footage.decoding, start=(footage.first + start - lead) / footage.rate)
    return Footage(footage.info, decoding), lead


def _known_ahead(
    footage: Footage, working_size: int, shots: Sequence[Shot] | None, given: Sequence[Reference]
) -> tuple[Sequence[Shot] | None, dict[int, SmallPicture]]:
    """Return the shots, and the small pictures of frames, that references need before coloring begins.

    A reference applies to all frames of its shot, including earlier ones. So the cuts must be known, and the frames on
    which strokes are drawn. Decoding twice takes less memory than keeping the frames of a whole video.
    """
    wanted = [one.frame for one in given if not one.whole]
    frames: dict[int, SmallPicture] = {}
    if given and shots is None:
        found = scan(footage).shots
        check_frames(given, None, footage.first, found[-1].end)
        shots = shots_between([shot.first for shot in found], 0, NO_END)
    if wanted:
        whole, after = Footage(footage.info, replace(footage.decoding, resize=None)), footage.first
        with Decoder(whole) as decoder:
            for after, picture in enumerate(decoder.pictures(), footage.first + 1):
                if after - 1 in wanted:
                    frames[after - 1] = SmallPicture.of(picture, working_size)
        check_frames(given, shots, footage.first, after)
    return shots, frames

"""Coloring of many pictures and videos on a Ray cluster: ``pip install ray``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labcolor._version import __version__
from labcolor.backends.onnxruntime import multiplies_exactly
from labcolor.base.extras import importing
from labcolor.base.paths import as_path, claimed, make_folder, remove_stale, write_text, writing_errors
from labcolor.base.threads import set_threads
from labcolor.base.typing import PathLike
from labcolor.base.validation import as_saturation, instance_of, integer, optional, require
from labcolor.colorizer import Colorizer, coloring, pipeline_of
from labcolor.errors import FileError, InputError, InputTypeError, LabcolorError, VideoFileError
from labcolor.io.codecs import Encoding
from labcolor.io.encoders import LOSSY
from labcolor.io.folders import Pairs, color_file, distinct, picture_places, video_places
from labcolor.networks.onnx_form import digest
from labcolor.video.colorize import colorize_video

__all__ = ["RayReport", "colorize_pictures", "colorize_videos"]

_JOB, _REPORT = ".labcolor-job.json", "labcolor-report.json"
_Work = Callable[..., str]
_TRIES = 3  # attempts to color a file whose worker is killed
_KILLED = f"its worker was killed {_TRIES} times, possibly because this file needs too much memory. See Ray's logs."


@dataclass
class RayReport:
    """Report on a job, which is also written to the folder of the results, as labcolor-report.json.

    Parameters
    ----------
    colored : int
        Number of files written.
    skipped : int
        Number of files that an earlier run had written.
    failed : dict of str to str
        Reason for each file that could not be colored.
    complaints : dict of str to str
        ffmpeg's messages for each damaged video, of which the decodable part is colored.
    seconds : float
        Duration of the job.

    Examples
    --------
    >>> from labcolor.ray import RayReport
    >>> report = RayReport(colored=2, failed={"c.jpg": "damaged"})  # as colorize_pictures returns it
    >>> for name, reason in report.failed.items():
    ...     print(name, reason)
    c.jpg damaged
    """

    colored: int = 0
    skipped: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    complaints: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class _Worker:
    """Worker in each process, with one model on ONNX Runtime."""

    def __init__(
        self, work: _Work, colorizer: Colorizer, engine: str, threads: int, version: str, options: Mapping[str, Any]
    ) -> None:
        _check_version("this worker", __version__, version)
        if engine == "onnxruntime-int8" and not multiplies_exactly():
            raise LabcolorError(
                "expected workers whose processors multiply int8 exactly like that of the first machine, got another "
                "processor. Set engine='onnxruntime' for a job on different machines."
            )
        set_threads(threads)
        self._work, self._options = work, options
        self._colorizer = colorizer.set_params(engine=engine)

    def color(self, source: Path, place: Path) -> tuple[str, str]:
        """Color one file. Return an error and ffmpeg's messages, or empty texts."""
        try:
            return "", self._work(self._colorizer, source, place, **self._options)
        except LabcolorError as error:
            return str(error), ""
        except Exception as error:  # a bug in one file must not end a job of millions
            return f"{type(error).__name__}: {error}", ""


def _color_picture(
    colorizer: Colorizer, source: Path, place: Path, *, saturation: float, like: Any, quality: int | None, label: bool
) -> str:
    """Color a picture. Return an empty text."""
    lossy = {"quality": quality} if place.suffix.lower() in LOSSY else {}
    color_file(source, place, coloring(colorizer, saturation, like=like), {"label": label, **lossy})
    return ""


def _color_video(colorizer: Colorizer, source: Path, place: Path, **options: Any) -> str:
    """Color a video. Return ffmpeg's messages."""
    make_folder(place.parent, VideoFileError)
    return colorize_video(source, place, colorizer, overwrite=True, resume=True, **options).complaints


def colorize_pictures(
    sources: PathLike | Sequence[PathLike],
    destination: PathLike,
    colorizer: Colorizer | None = None,
    *,
    saturation: float = 1.0,
    like: PathLike | Sequence[PathLike] | None = None,
    quality: int | None = None,
    label: bool = True,
    workers: int | None = None,
    threads: int = 1,
) -> RayReport:
    """Color picture files on a Ray cluster, with the model in each worker process.

    It uses the cluster that ``ray.init`` has joined, or else the cluster of ``RAY_ADDRESS``, or else this machine. All
    machines need the same paths of the pictures and ``destination``, and the same version of labcolor, but no
    TensorFlow. To resume a job, or to retry failed files, call the function again with the same parameters.

    Parameters
    ----------
    sources : path or sequence of path
        Files, and folders, which are searched with their subfolders.
    destination : path
        Folder for the colored pictures, new or from an earlier run of this job. Each picture keeps its path in its
        source, as for ``labcolor colorize``. Existing pictures are not colored again.
    colorizer : Colorizer, optional
        The model to use, with an ONNX form, by default the packaged model. With engine="auto" all workers use the
        engine that this machine would choose, so that their results are equal.
    saturation : float, default 1
        As for :meth:`labcolor.Colorizer.predict`.
    like : path or sequence of path, optional
        Colored photographs, as for :meth:`labcolor.Colorizer.predict`. Each process looks at them once.
    quality : int, optional
        As for :func:`labcolor.write_picture`, for pictures in a format with a quality.
    label : bool, default True
        As for :func:`labcolor.write_picture`.
    workers : int, optional
        Number of processes. By default the CPUs of the cluster determine it.
    threads : int, default 1
        Threads, and CPUs in Ray's accounting, of each process.

    Returns
    -------
    RayReport
        The report. It lists damaged pictures, and pictures whose worker was killed three times. All other pictures are
        colored.

    Raises
    ------
    LabcolorError
        Ray is not installed, a machine lacks labcolor or has another version, or Ray has failed.
    FileError
        The folder cannot be written, or another process is working on this job.
    InputError, InputTypeError
        A parameter has another type or range, or the folder belongs to another job.

    Examples
    --------
    >>> from labcolor.ray import colorize_pictures
    >>> report = colorize_pictures("scans", "colored", workers=2)  # doctest: +SKIP
    >>> report.colored, report.skipped, report.failed  # doctest: +SKIP
    (2000, 0, {})
    """
    saturation = as_saturation(saturation)
    require("quality", quality, optional(integer(1, most=100)))
    require("label", label, instance_of(bool))
    folder = as_path("destination", destination)
    given = [sources] if isinstance(sources, str | os.PathLike) else sources
    if not isinstance(given, Sequence):
        raise InputTypeError(f"sources: expected a path or a list of paths, got {type(sources).__name__}.")
    pairs, problems = picture_places(given, folder, "sources")
    if like is not None:
        like = [like] if isinstance(like, str | os.PathLike) else list(like)
        like = [str(as_path("like", path).resolve()) for path in like]
    options = {"saturation": saturation, "like": like, "quality": quality, "label": label}
    if problems:
        raise problems[0]
    return _run(_color_picture, pairs, folder, colorizer, options, workers, threads)


def colorize_videos(
    source: PathLike,
    destination: PathLike,
    colorizer: Colorizer | None = None,
    *,
    workers: int | None = None,
    threads: int = 1,
    **options: Any,
) -> RayReport:
    """Color the videos of a folder on a Ray cluster, each in one process.

    If a worker is killed, another worker resumes its video after the last complete segment.

    Parameters
    ----------
    source : path
        A folder, which is searched with its subfolders.
    destination : path
        Folder for the colored videos, new or from an earlier run of this job. Existing videos are not colored again.
    colorizer, workers, threads
        As for :func:`colorize_pictures`. ffmpeg uses the same number of threads.
    **options
        Options of :func:`labcolor.colorize_video` for all videos, such as ``encoding``.

    Returns
    -------
    RayReport
        The report.

    Raises
    ------
    LabcolorError, FileError, InputError, InputTypeError
        As for :func:`colorize_pictures`.

    Examples
    --------
    >>> from labcolor import Encoding
    >>> from labcolor.ray import colorize_videos
    >>> report = colorize_videos("reels", "colored", threads=4, encoding=Encoding("hevc"))  # doctest: +SKIP
    """
    folder, films = as_path("destination", destination), as_path("source", source)
    if not os.path.isdir(films):
        raise VideoFileError(f"{films}: expected a folder of videos, but it does not exist. Check the path.")
    encoding = options.get("encoding", Encoding())
    require("encoding", encoding, instance_of(Encoding))
    pairs, problems = video_places(films, folder, encoding.codec)
    if problems:
        raise problems[0]
    return _run(_color_video, pairs, folder, colorizer, options, workers, threads)


def _run(
    work: _Work,
    found: Pairs,
    folder: Path,
    colorizer: Colorizer | None,
    options: Mapping[str, Any],
    workers: int | None,
    threads: int,
) -> RayReport:
    """Color the files that have no result yet. See :func:`colorize_pictures`."""
    started = time.monotonic()
    require("workers", workers, optional(integer(1, most=100_000)))
    require("threads", threads, integer(1, most=1024))
    colorizer = Colorizer.from_pretrained() if colorizer is None else colorizer
    if not isinstance(colorizer, Colorizer):
        raise InputTypeError(f"colorizer: expected a Colorizer, got {type(colorizer).__name__}. Use Colorizer.load.")
    pipeline = pipeline_of(colorizer)
    engine = pipeline.engine.name
    if engine == "tensorflow":
        raise InputError(
            "colorizer: expected a model that runs on ONNX Runtime, got a model without an ONNX form, or "
            "engine='tensorflow'. Export the model by Colorizer.export, load it, and do not change engine."
        )
    pairs = distinct(found, "destination")
    about = {
        "version": __version__,
        "model": digest(pipeline.model.weights)[:16],
        "engine": engine,
        "working_size": pipeline.working_size,
        "files": "pictures" if work is _color_picture else "videos",
        "options": repr(sorted(options.items())),
    }
    report = RayReport()
    with _claimed(folder, about):
        for place in {place.parent for _, place in pairs}:
            remove_stale(place)
        waiting = [(path, place) for path, place in pairs if not os.path.exists(place)]
        report.skipped = len(pairs) - len(waiting)
        try:
            if waiting:
                arguments = work, colorizer, engine, threads, __version__, options
                _color_all(arguments, waiting, report, workers, threads)
        finally:
            report.seconds = time.monotonic() - started
            write_text(folder / _REPORT, json.dumps(asdict(report), indent=1) + "\n", FileError)
    return report


@contextmanager
def _claimed(folder: Path, about: Mapping[str, Any]) -> Iterator[None]:
    """Lock the folder of a job. It must be new or belong to the same job."""
    make_folder(folder, FileError)
    path = folder / _JOB
    with writing_errors(folder, FileError):
        unknown = not path.exists() and any(folder.iterdir())
    if unknown:
        raise InputError(f"{folder}: expected a new folder or that of an earlier run, got another. Name a new one.")

    def check_other(found: Any) -> None:
        if found is not None:
            raise InputError(
                f"{folder}: expected the folder of the same job, but its job has another model, version or options. "
                f"Name a new folder."
            )

    with claimed(path, folder, about, FileError, check_other):
        yield


def _color_all(
    arguments: tuple[Any, ...], waiting: Pairs, report: RayReport, workers: int | None, threads: int
) -> None:
    """Color files by actors of Ray. An actor gets its next file when it has finished one."""
    with importing("ray"):
        import ray
    if not ray.is_initialized():
        ray.init()
    _check_machines(ray)
    if workers is None:
        workers = max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
    actor = ray.remote(num_cpus=threads, max_restarts=-1, max_task_retries=_TRIES - 1)(_Worker)
    shared = [ray.put(argument) for argument in arguments]
    idle = [actor.remote(*shared) for _ in range(min(workers, len(waiting)))]
    running: dict[Any, tuple[Any, tuple[Path, Path]]] = {}
    files = iter(waiting)
    while True:
        running |= {worker.color.remote(*pair): (worker, pair) for worker, pair in zip(idle, files, strict=False)}
        idle = []  # a worker without a file ends, and its CPUs are free for others
        if not running:
            return
        (done,), _ = ray.wait(list(running))
        worker, (path, place) = running.pop(done)
        try:
            failure, complaints = ray.get(done)
        except ray.exceptions.ActorUnavailableError:
            failure, complaints = "" if os.path.exists(place) else _KILLED, ""
        except ray.exceptions.RayError as error:
            raise LabcolorError(f"Ray has failed: {str(error).strip()}. Start the job again to resume it.") from error
        idle.append(worker)
        if failure:
            report.failed[str(path)] = failure
        else:
            report.colored += 1
        if complaints:
            report.complaints[str(path)] = complaints


def _check_machines(ray: Any) -> None:
    """Raise an error unless each machine of the cluster has this version of labcolor."""

    def version() -> str | None:  # Ray sends a local function as code, because labcolor may be missing there
        try:
            from labcolor import __version__
        except ImportError:
            return None
        return __version__

    asked = {}
    for node in ray.nodes():
        if node["Alive"] and node["Resources"].get("CPU"):
            strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = ray.remote(version).options(num_cpus=0, scheduling_strategy=strategy)
            asked[f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"] = task.remote()
    for name, answer in asked.items():
        _check_version(name, ray.get(answer), __version__)


def _check_version(name: str, found: str | None, expected: str) -> None:
    """Raise an error if a machine lacks labcolor, or has another version than the machine that starts the job."""
    if found != expected:
        raise LabcolorError(f"{name}: expected labcolor {expected}, got {found or 'none'}. Install it on all machines.")

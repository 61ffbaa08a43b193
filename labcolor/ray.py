"""Pictures and videos of an archive, colored on a Ray cluster: ``pip install "ray[data]"``."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from labcolor._version import __version__
from labcolor.backends.onnxruntime import multiplies_exactly
from labcolor.base.extras import missing_package
from labcolor.base.paths import as_path, locked, make_folder, remove_stale, replacing
from labcolor.base.threads import set_threads
from labcolor.base.typing import Array, PathLike
from labcolor.base.validation import as_saturation, instance_of, integer, optional, require
from labcolor.colorizer import Colorizer
from labcolor.errors import FileError, InputError, InputTypeError, LabcolorError, VideoFileError
from labcolor.io.codecs import Encoding
from labcolor.io.encoders import LOSSY
from labcolor.io.folders import Pairs, color_file, distinct, picture_places, video_places
from labcolor.networks.onnx_form import digest
from labcolor.video.colorize import colorize_video

__all__ = ["RayReport", "colorize_pictures", "colorize_videos"]

_JOB, _REPORT = ".labcolor-job.json", "labcolor-report.json"
_TOGETHER = 16  # pictures in a task; a task of Ray Data costs some milliseconds
_TRIES = 3  # of a file whose worker is killed
_WORKERS = optional(integer(1, most=100_000))
_QUALITY = optional(integer(1, most=100))


@dataclass
class RayReport:
    """Report on a job. It is written as labcolor-report.json to the folder of the results, too.

    Parameters
    ----------
    colored : int
        Number of files written.
    skipped : int
        Number of files that an earlier run had written.
    failed : dict of str to str
        Reason for each file that could not be colored.
    complaints : dict of str to str
        ffmpeg's messages for each damaged video. The part that can be decoded is colored.
    seconds : float
        Time that the job took.

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
        self, colorizer: Colorizer, engine: str, threads: int, version: str, options: Mapping[str, Any]
    ) -> None:
        _check_version("this worker", __version__, version)
        if engine == "onnxruntime-int8" and not multiplies_exactly():
            raise LabcolorError(
                "expected workers whose processor multiplies int8 exactly, as that of the first machine, got another. "
                "Set engine='onnxruntime' for a job on different machines."
            )
        set_threads(threads)
        self._colorizer, self._options = colorizer.set_params(engine=engine), options

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Color one file. Return its number with its error and complaints."""
        source, place = (Path(os.fsdecode(row[name])) for name in ("source", "place"))
        answer = {"number": row["number"], "error": b"", "complaints": b""}
        try:
            answer["complaints"] = os.fsencode(self._color(source, place))
        except LabcolorError as error:
            answer["error"] = os.fsencode(str(error))
        except Exception as error:  # a bug that one file shows must not end the job of millions
            answer["error"] = os.fsencode(f"{type(error).__name__}: {error}")
        return answer

    def _color(self, source: Path, place: Path) -> str:
        raise NotImplementedError


class _Pictures(_Worker):
    """Worker that colors pictures."""

    def _color(self, source: Path, place: Path) -> str:
        options = dict(self._options)
        label, quality = options.pop("label"), options.pop("quality")

        def color(picture: Array) -> Array:
            return self._colorizer.predict(picture, **options)

        written = {"label": label, **({"quality": quality} if place.suffix.lower() in LOSSY else {})}
        color_file(source, place, color, written)
        return ""


class _Videos(_Worker):
    """Worker that colors videos."""

    def _color(self, source: Path, place: Path) -> str:
        make_folder(place.parent, VideoFileError)
        return colorize_video(source, place, self._colorizer, overwrite=True, resume=True, **self._options).complaints


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

    It uses the cluster that ``ray.init`` has joined, or else that of ``RAY_ADDRESS``, or else this machine. All its
    machines see the pictures and ``destination`` by the same paths, have the same version of labcolor, and need no
    TensorFlow. Call it again with the same parameters to go on where a job ended, or to try again what has failed.

    Parameters
    ----------
    sources : path or sequence of path
        Files, and folders, which are searched with their subfolders.
    destination : path
        Folder for the colored pictures, new or of an earlier run of this job. Each keeps its path in its source, as for
        ``labcolor colorize``. A picture that is there is not colored again.
    colorizer : Colorizer, optional
        The model to use, with an ONNX form. By default the packaged model. With engine="auto" all workers use the
        engine that this machine would use, so that their results are the same.
    saturation : float, default 1
        As for :meth:`labcolor.Colorizer.predict`.
    like : path or sequence of path, optional
        Colored photographs, as for :meth:`labcolor.Colorizer.predict`. Each process looks at them once.
    quality : int, optional
        As for :func:`labcolor.write_picture`, of pictures in a format that has one.
    label : bool, default True
        As for :func:`labcolor.write_picture`.
    workers : int, optional
        Number of processes. By default as many as the CPUs of the cluster allow.
    threads : int, default 1
        Threads, and CPUs of Ray's count, of each process.

    Returns
    -------
    RayReport
        A picture that is damaged is in it. So is one whose worker was killed three times while it alone was colored;
        the others go on.

    Raises
    ------
    LabcolorError
        Ray Data is not installed, a machine has another version of labcolor or none, or Ray has failed.
    FileError
        The folder cannot be written, or another process works on this job.
    InputError, InputTypeError
        A parameter is not as described above, or the folder is that of another job.

    Examples
    --------
    >>> from labcolor.ray import colorize_pictures
    >>> report = colorize_pictures("scans", "colored", workers=2)  # doctest: +SKIP
    >>> report.colored, report.skipped, report.failed  # doctest: +SKIP
    (2000, 0, {})
    """
    saturation = as_saturation(saturation)
    require("quality", quality, _QUALITY)
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
    return _run(_Pictures, pairs, folder, colorizer, options, workers, threads)


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

    A video whose worker is killed is taken up again, by another worker, at the last segment that is whole.

    Parameters
    ----------
    source : path
        A folder, which is searched with its subfolders.
    destination : path
        Folder for the colored videos, new or of an earlier run of this job. A video that is there is not colored again.
    colorizer, workers, threads
        As for :func:`colorize_pictures`. ffmpeg's threads are as many.
    **options
        Those of :func:`labcolor.colorize_video` that suit all videos, such as ``encoding``.

    Returns
    -------
    RayReport

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
        raise VideoFileError(f"{films}: expected a folder of videos, but there is none. Check the path.")
    encoding = options.get("encoding", Encoding())
    require("encoding", encoding, instance_of(Encoding))
    pairs, problems = video_places(films, folder, encoding.codec)
    if problems:
        raise VideoFileError(f"{problems[0].filename}: this folder cannot be read: {problems[0].strerror}.")
    return _run(_Videos, pairs, folder, colorizer, options, workers, threads)


def _run(
    kind: type[_Worker],
    found: Pairs,
    folder: Path,
    colorizer: Colorizer | None,
    options: Mapping[str, Any],
    workers: int | None,
    threads: int,
) -> RayReport:
    """Color the files without a result. See :func:`colorize_pictures`."""
    started = time.monotonic()
    require("workers", workers, _WORKERS)
    require("threads", threads, integer(1, most=1024))
    colorizer = Colorizer.from_pretrained() if colorizer is None else colorizer
    if not isinstance(colorizer, Colorizer):
        raise InputTypeError(f"colorizer: expected a Colorizer, got {type(colorizer).__name__}. Use Colorizer.load.")
    pipeline = colorizer.pipeline()
    engine = pipeline.engine.name
    if engine == "tensorflow":
        raise InputError(
            "colorizer: expected a model that ONNX Runtime runs, got one without an ONNX form, or engine='tensorflow'. "
            "Write one by Colorizer.export, load it, and leave engine as it is."
        )
    pairs = distinct(found, "destination")
    about = {
        "version": __version__,
        "model": digest(pipeline.model.weights)[:16],
        "engine": engine,
        "working_size": pipeline.working_size,
        "files": "pictures" if kind is _Pictures else "videos",
        "options": repr(sorted(options.items())),
    }
    report = RayReport()
    with _claimed(folder, about):
        for place in {place.parent for _, place in pairs}:
            remove_stale(place)
        waiting = {number: pair for number, pair in enumerate(pairs) if not os.path.exists(pair[1])}
        report.skipped = len(pairs) - len(waiting)
        try:
            if waiting:
                arguments = colorizer, engine, threads, __version__, options
                _color_all(kind, arguments, waiting, report, workers, threads)
        finally:
            report.seconds = time.monotonic() - started
            with _writing(folder), replacing(folder / _REPORT, FileError) as temporary:
                temporary.write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    return report


@contextmanager
def _claimed(folder: Path, about: Mapping[str, Any]) -> Iterator[None]:
    """Lock the folder of a job, which is new or belongs to the same job."""
    make_folder(folder, FileError)
    path = folder / _JOB
    with _writing(folder):
        if not path.exists() and any(folder.iterdir()):
            raise InputError(
                f"{folder}: expected a new folder, or that of an earlier run, got another. Name a new one."
            )
        path.touch()
    with locked(path, folder, FileError):
        text = path.read_text(encoding="utf-8")
        if not text:
            with _writing(folder):
                path.write_text(json.dumps(about) + "\n", encoding="utf-8")
        elif text != json.dumps(about) + "\n":
            raise InputError(
                f"{folder}: expected the folder of the same job, but its job has another model, version or options. "
                f"Name a new folder."
            )
        yield


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Convert an OSError of a folder, as on a full disk, to a FileError."""
    try:
        yield
    except LabcolorError:
        raise
    except OSError as error:
        raise FileError(
            f"{folder}: cannot be written: {error.strerror}. Make room, and start the job again: it goes on."
        ) from error


def _color_all(
    kind: type[_Worker],
    arguments: tuple[Any, ...],
    waiting: dict[int, tuple[Path, Path]],
    report: RayReport,
    workers: int | None,
    threads: int,
) -> None:
    """Color files by Ray Data, and remove finished ones from ``waiting``."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise missing_package("ray", error) from error
    if not ray.is_initialized():
        ray.init()
    _check_machines(ray)
    if workers is None:
        workers = max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
    # By default Ray Data tries a task without end, and one file that kills its worker would stop all. So a task is
    # tried once, and its files, which may be innocent, are tried again, each alone.
    rounds = [(min(_TOGETHER, -(-len(waiting) // (4 * workers))), 0)] if kind is _Pictures else []
    for together, retries in [*rounds, (1, _TRIES - 1)]:
        rows = [
            {"number": number, "source": os.fsencode(path), "place": os.fsencode(place)}
            for number, (path, place) in waiting.items()
        ]
        if not rows:
            break
        blocks = -(-len(rows) // together)
        data = ray.data.from_items(rows, override_num_blocks=blocks)
        data.context.max_errored_blocks = -1
        pool = ray.data.ActorPoolStrategy(
            size=min(workers, blocks), max_tasks_in_flight_per_actor=1 if together == 1 else 2
        )
        answers = data.map(
            kind,
            fn_constructor_args=arguments,
            compute=pool,
            num_cpus=threads,
            ray_remote_args_fn=partial(dict, max_task_retries=retries),
        )
        try:
            for answer in answers.iter_rows():
                _note(report, waiting.pop(answer["number"])[0], answer)
        except ray.exceptions.RayError as error:
            raise LabcolorError(f"Ray has failed: {str(error).strip()}. Start the job again: it goes on.") from error
        for number, (path, place) in list(waiting.items()):
            if os.path.exists(place):  # the worker was killed before its answer arrived
                report.colored += 1
                del waiting[number]
            elif retries:
                report.failed[str(path)] = (
                    f"its worker was killed {_TRIES} times, from outside or by this file, which may need more memory "
                    f"than there is. Ray's logs tell more."
                )


def _note(report: RayReport, path: Path, answer: Mapping[str, Any]) -> None:
    """Add the answer of one file to the report."""
    error, complaints = os.fsdecode(answer["error"]), os.fsdecode(answer["complaints"])
    if error:
        report.failed[str(path)] = error
        return
    report.colored += 1
    if complaints:
        report.complaints[str(path)] = complaints


def _check_machines(ray: Any) -> None:
    """Raise an error unless each machine of the cluster has this version of labcolor."""

    def version() -> str | None:  # a local function, which Ray sends as code: labcolor may be missing there
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
    """Raise an error if a machine has another version of labcolor than the one that starts the job, or none."""
    if found != expected:
        raise LabcolorError(
            f"{name}: expected labcolor {expected}, got {found or 'none'}. Install the same version on all machines."
        )

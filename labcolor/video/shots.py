"""Shots of a video, and their lists as CSV or timelines."""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from labcolor.base.choices import ShotListEnding
from labcolor.base.paths import as_path, write_text
from labcolor.base.validation import as_saturation, instance_of, integer, number, one_of, optional, require, shortened
from labcolor.errors import InputError, InputTypeError, VideoFileError
from labcolor.io.times import as_rate, clock
from labcolor.video.grade import Grade, as_text, decimal, grades_from
from labcolor.video.look import as_hues
from labcolor.video.timelines import TimelineClip, read_clips, write_clips

_Number = TypeVar("_Number", int, float)
KINDS = "cut", "dissolve", "wipe", "fade"
NO_END = 1 << 62  # end of a last shot that ends with the video
_LAST = 999_999_999  # the largest number of a frame; a list has nine digits
_COLUMNS = [
    "first",
    "end",
    "start time",
    "end time",
    "grey",
    "saturation",
    "references",
    "exclude_hues",
    "kind",
    "confidence",
    "grades",
]


@dataclass(frozen=True)
class Shot:
    """One shot of a video, and how it is colored.

    Parameters
    ----------
    first : int
        Number of its first frame.
    end : int
        Number of the frame after its last.
    grey : bool, default False
        Whether it stays grey, including known colors. With ``saturation=0`` known colors stay.
    saturation : float, optional
        As for :meth:`Colorizer.predict`. By default that of the video.
    references : tuple of int, optional
        Frames of the references that apply to it. By default the references within it, or those of the same scene.
    exclude_hues : tuple of str, optional
        Excluded hues, as for :func:`colorize_video`. By default those of the video.
    kind : {"cut", "dissolve", "wipe", "fade"}, optional
        Transition with which it begins, from :func:`find_shots`. It has no effect on colors.
    confidence : float, optional
        Confidence in this transition, from 0 to 1.
    grades : tuple of Grade, default ()
        Corrections of its colors.

    Raises
    ------
    InputError, InputTypeError
        A value is not as described above, or contradicts another.

    Examples
    --------
    >>> from labcolor import Shot
    >>> Shot(0, 120, saturation=0.8).saturation
    0.8
    """

    first: int
    end: int
    grey: bool = False
    saturation: float | None = None
    references: tuple[int, ...] | None = None
    exclude_hues: tuple[str, ...] | None = None
    kind: str | None = None
    confidence: float | None = None
    grades: tuple[Grade, ...] = ()

    def __post_init__(self) -> None:
        """Check the values."""
        require("first", self.first, integer(0, most=_LAST))
        if self.end != NO_END:
            require("end", self.end, integer(0, most=_LAST))
        if self.first >= self.end:
            raise InputError(f"end: expected an end after its first frame, got {self.first} to {self.end}.")
        require("grey", self.grey, instance_of(bool))
        if self.saturation is not None:
            object.__setattr__(self, "saturation", as_saturation(self.saturation))
            if self.grey and self.saturation:
                raise InputError("grey: expected grey or a saturation, got both. Remove one.")
        for name, check in (("references", integer(0)), ("grades", instance_of(Grade))):
            values = getattr(self, name)
            if values is None and name == "references":
                continue
            require(name, values, instance_of(Sequence))
            for value in values:
                require(name, value, check)
            object.__setattr__(self, name, tuple(values))
        if self.exclude_hues is not None:
            object.__setattr__(self, "exclude_hues", as_hues("exclude_hues", self.exclude_hues))
        require("kind", self.kind, optional(one_of(*KINDS)))
        require("confidence", self.confidence, optional(number(0, 1)))


class ShotSetting(NamedTuple):
    """Settings of a shot, with those of the video for settings that the shot does not have.

    Parameters
    ----------
    first : int
        Number of its first frame.
    end : int or None
        Number of the frame after its last, or None if that is unknown.
    saturation, exclude_hues, grey, references, grades
        As for :class:`Shot`.
    """

    first: int
    end: int | None
    saturation: float
    exclude_hues: Sequence[str]
    grey: bool = False
    references: tuple[int, ...] | None = None
    grades: Sequence[Grade] = ()


def shots_between(cuts: Iterable[int], first: int, end: int) -> tuple[Shot, ...]:
    """Divide the frames from ``first`` to before ``end`` into shots at cuts."""
    edges = [first, *sorted(cut for cut in set(cuts) if first < cut < end), end]
    return tuple(Shot(*pair) for pair in itertools.pairwise(edges))


def as_shots(shots: Any, rate: Fraction | None = None) -> tuple[Shot, ...] | None:
    """Check a list of shots, or read it.

    Parameters
    ----------
    shots : sequence of Shot, sequence of int, path or None
        The shots, in order, without gaps; or the frames that begin a shot, after which the last shot has no end.
    rate : Fraction or None
        Frames per second, for a path.

    Raises
    ------
    InputError, InputTypeError
        The value is not a list of shots, or contradicts itself.
    """
    if shots is None:
        return None
    if isinstance(shots, str | os.PathLike):
        if rate is None:
            raise InputTypeError(f"shots: expected a sequence, got {shortened(shots)}. Pass read_shots(path, rate).")
        return read_shots(shots, rate)
    if isinstance(shots, Sequence) and shots and all(isinstance(shot, Shot) for shot in shots):
        return _checked("shots", shots)
    if not isinstance(shots, Sequence):
        raise InputTypeError(f"shots: expected a path, or a sequence of Shot or int, got {shortened(shots)}.")
    for cut in shots:
        require("shots", cut, integer(0))
    if any(later <= earlier for earlier, later in itertools.pairwise(shots)):
        raise InputError("shots: expected numbers of frames in rising order, got others.")
    return shots_between(map(int, shots), 0, NO_END)


def _checked(name: str, shots: Sequence[Shot]) -> tuple[Shot, ...]:
    """Return shots without gaps and overlaps, or raise an InputError."""
    if not shots:
        raise InputError(f"{name}: expected at least one shot, got none.")
    for place, shot in enumerate(shots, 1):
        require(f"{name}: shot {place}", shot, instance_of(Shot))
    for place, (one, following) in enumerate(itertools.pairwise(shots), 1):
        if following.first != one.end:
            what = "a gap" if following.first > one.end else "an overlap"
            raise InputError(
                f"{name}: expected shot {place + 1} to begin where shot {place} ends, at frame {one.end}, got {what}: "
                f"it begins at {following.first}."
            )
    return tuple(shots)


def write_shots(path: str | os.PathLike[str], shots: Iterable[Shot], rate: Any) -> None:
    """Write a list of shots, to be edited and given to :func:`colorize_video`.

    Parameters
    ----------
    path : path
        Its ending selects the format: .csv; or, with OpenTimelineIO, .edl (CMX 3600), .xml (Final Cut Pro 7), .aaf or
        .otio. In these, the name of a clip contains the settings of its shot that are not defaults.
    shots : iterable of Shot
        As ``VideoReport.shots``.
    rate : Fraction, int or float
        Frames per second.

    Raises
    ------
    InputError, InputTypeError
        The shots contradict each other, or the path cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from labcolor import Shot, read_shots, write_shots
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_shots(f"{folder}/shots.csv", [Shot(0, 120), Shot(120, 200, grey=True)], 25)
    ...     read_shots(f"{folder}/shots.csv", 25)[1].grey
    True
    """
    path, rate = as_path("path", path), as_rate("rate", rate)
    require("shots", shots, instance_of(Iterable))
    shots = _checked("shots", list(shots))
    check_list_name(path)
    if path.suffix.lower() == ".csv":
        write_text(path, _csv(shots, rate), VideoFileError)
    else:
        write_clips(path, _as_clips(shots), rate)


def read_shots(path: str | os.PathLike[str], rate: Any) -> tuple[Shot, ...]:
    """Read a list of shots that :func:`write_shots` has written, and that may have been edited.

    Parameters
    ----------
    path : path
        A file as :func:`write_shots` writes it. Of a CSV file, the columns "first" and "end" are needed; times are for
        people. Of a timeline, the clips of the first video track are the shots.
    rate : Fraction, int or float
        Frames per second.

    Returns
    -------
    tuple of Shot
        In the order of the list.

    Raises
    ------
    InputError, InputTypeError
        The file cannot be read, is not a list of shots, or contradicts itself.

    Examples
    --------
    See :func:`write_shots`.
    """
    path, rate = as_path("path", path), as_rate("rate", rate)
    check_list_name(path)
    if path.suffix.lower() != ".csv":
        return _checked(str(path), _from_clips(path, read_clips(path, rate)))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{path}: expected a list of shots that can be read: {reason}.") from error
    return _checked(str(path), _from_csv(path, text))


def check_list_name(path: Path) -> None:
    """Raise an InputError if no list of shots has such a name."""
    if path.suffix.lower() not in get_args(ShotListEnding):
        raise InputError(f"{path}: expected a name that ends in {', '.join(get_args(ShotListEnding))}.")


def _row(shot: Shot) -> dict[str, str]:
    """Return the settings of a shot as texts. A default is an empty text."""
    references, hues = shot.references, shot.exclude_hues
    return {
        "grey": "yes" if shot.grey else "no",
        "saturation": "" if shot.saturation is None else decimal(shot.saturation),
        "references": "" if references is None else " ".join(map(str, references)) or "none",
        "exclude_hues": "" if hues is None else " ".join(hues) or "none",
        "kind": shot.kind or "",
        "confidence": "" if shot.confidence is None else f"{shot.confidence:.2f}",
        "grades": as_text(shot.grades),
    }


def _csv(shots: Iterable[Shot], rate: Fraction) -> str:
    """Format shots as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, _COLUMNS)
    writer.writeheader()
    for shot in shots:
        times = {"start time": clock(shot.first / rate), "end time": clock(shot.end / rate)}
        writer.writerow({"first": shot.first, "end": shot.end, **times, **_row(shot)})
    return file.getvalue()


def _from_csv(path: Path, text: str) -> list[Shot]:
    """Parse a list of shots, or raise an InputError."""
    delimiter = ";" if ";" in text.partition("\n")[0] else ","  # some spreadsheets write semicolons
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    shots = []
    try:
        if not {"first", "end"} <= set(reader.fieldnames or ()):
            raise InputError(f"{path}: expected the columns {', '.join(_COLUMNS)} in its first line.")
        for row in reader:
            texts = {key: value.strip() for key, value in row.items() if isinstance(value, str)}
            if any(texts.values()):
                shots.append(_shot(f"{path}: line {reader.line_num}", texts))
    except csv.Error as error:
        raise InputError(f"{path}: expected a list of shots as CSV that can be read: {error}.") from error
    return shots


def _shot(name: str, row: dict[str, str]) -> Shot:
    """Convert a row of texts to a shot. ``name`` is its name in errors, and "none" stands for an empty list."""
    row = dict.fromkeys(_COLUMNS, "") | row
    references, hues = (row[key].lower().split() or None for key in ("references", "exclude_hues"))
    try:
        require("grey", row["grey"].lower(), one_of("yes", "no", ""))
        return Shot(
            _number("first", row["first"], int),
            _number("end", row["end"], int),
            row["grey"].lower() == "yes",
            _number("saturation", row["saturation"], float) if row["saturation"] else None,
            references and tuple(_number("references", word, int) for word in references if word != "none"),
            hues and tuple(word for word in hues if word != "none"),
            row["kind"].lower() or None,
            _number("confidence", row["confidence"], float) if row["confidence"] else None,
            grades_from("grades", row["grades"]) if row["grades"] else (),
        )
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _number(name: str, text: str, kind: type[_Number]) -> _Number:
    """Convert a text to a number, or raise an InputError."""
    try:
        return kind(text.replace(",", "."))
    except ValueError as error:
        expected = "the number of a frame" if kind is int else "a number"
        raise InputError(f"{name}: expected {expected}, got {shortened(text)}.") from error


def _as_clips(shots: Iterable[Shot]) -> list[TimelineClip]:
    """Convert shots to clips, whose names contain the settings that are not defaults, as in "shot 2; grey yes"."""
    clips = []
    for place, shot in enumerate(shots, 1):
        notes = [f"{word} {text}" for word, text in _row(shot).items() if text not in ("", "no")]
        clips.append(TimelineClip(shot.first, shot.end, "; ".join([f"shot {place}", *notes])))
    return clips


def _from_clips(path: Path, clips: Iterable[TimelineClip]) -> list[Shot]:
    """Convert clips to shots, or raise an InputError."""
    shots = []
    for place, (first, end, name) in enumerate(clips, 1):
        notes = (note.strip().partition(" ") for note in name.split(";"))
        row = {word.lower(): text.strip() for word, _, text in notes if word.lower() in _COLUMNS[4:]}
        shots.append(_shot(f"{path}: clip {place}", {**row, "first": str(first), "end": str(end)}))
    return shots

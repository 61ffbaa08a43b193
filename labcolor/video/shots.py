"""Shots of a video: a list that can be written, edited and read back, as CSV or EDL."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from labcolor.base.paths import as_path, write_text
from labcolor.base.validation import as_saturation, instance_of, integer, number, one_of, require, shortened
from labcolor.errors import InputError, InputTypeError, VideoFileError
from labcolor.io.times import advanced, clock
from labcolor.video.grade import Grade, as_text, grades_from
from labcolor.video.look import as_hues

__all__ = ["KINDS", "NO_END", "Shot", "as_shots", "check_list_name", "read_shots", "shots_between", "write_shots"]

KINDS = "cut", "dissolve", "wipe", "fade"
NO_END = 1 << 62  # the end of a last shot that ends with the video
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
_EVENT = re.compile(r"\s*(\d{3,6})\s+\S+\s+V\S*\s+C\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*")
_NOTE = re.compile(r"\*\s*LABCOLOR\s+(.*)", re.IGNORECASE)


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
        Whether it stays grey.
    saturation : float, optional
        As for :meth:`Colorizer.predict`. By default that of the video.
    references : tuple of int, optional
        Frames of the references that serve it. By default those within it, or those that show the same scene.
    exclude_hues : tuple of str, optional
        Hues that are left out, as for :func:`colorize_video`. By default those of the video.
    kind : {"cut", "dissolve", "wipe", "fade"}, optional
        How it begins, as :func:`find_shots` has found. It has no effect on colors.
    confidence : float, optional
        How sure that is, from 0 to 1.
    grades : tuple of Grade, default ()
        Corrections of its colors.

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


def shots_between(cuts: Iterable[int], first: int, end: int) -> tuple[Shot, ...]:
    """Return the shots that cuts leave of the frames from ``first`` to before ``end``."""
    edges = [first, *sorted(cut for cut in set(cuts) if first < cut < end), end]
    return tuple(Shot(*pair) for pair in itertools.pairwise(edges))


def as_shots(shots: Any, rate: Fraction | None = None) -> tuple[Shot, ...] | None:
    """Check a list of shots, or read it.

    Parameters
    ----------
    shots : sequence of Shot, sequence of int, path or None
        The shots, in order, without gaps; or the frames that begin a shot, after which the last shot has no end.
    rate : Fraction or None
        Frames per second, for a path that ends in .edl.

    Raises
    ------
    InputError, InputTypeError
        It is no such list, or it contradicts itself.
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
    if not shots:
        raise InputError(f"{name}: expected at least one shot, got none.")
    for place, shot in enumerate(shots, 1):
        if not 0 <= shot.first < shot.end:
            raise InputError(
                f"{name}: shot {place}: expected an end after its first frame, got {shot.first} to {shot.end}."
            )
        if shot.saturation is not None:
            as_saturation(shot.saturation)
            if shot.grey and shot.saturation:
                raise InputError(f"{name}: shot {place}: expected grey or a saturation, got both. Remove one.")
        if shot.exclude_hues is not None:
            as_hues(f"{name}: shot {place}: exclude_hues", shot.exclude_hues)
        for grade in shot.grades:
            require(f"{name}: shot {place}: grades", grade, instance_of(Grade))
        if shot.kind is not None:
            require(f"{name}: shot {place}: kind", shot.kind, one_of(*KINDS))
        if shot.confidence is not None:
            require(f"{name}: shot {place}: confidence", shot.confidence, number(0, 1))
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
        Its ending selects the format: .csv or .edl (CMX 3600).
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
    path, rate = as_path("path", path), Fraction(rate)
    shots = _checked("shots", list(shots))
    check_list_name(path)
    text = _csv(shots, rate) if path.suffix.lower() == ".csv" else _edl(shots, rate)
    write_text(path, text, VideoFileError)


def read_shots(path: str | os.PathLike[str], rate: Any) -> tuple[Shot, ...]:
    """Read a list of shots that :func:`write_shots` has written, and that may have been edited.

    Parameters
    ----------
    path : path
        A file that ends in .csv or .edl. Of a CSV file, the columns "first" and "end" are needed; times are for the
        reader's eye.
    rate : Fraction, int or float
        Frames per second.

    Returns
    -------
    tuple of Shot
        In the order of the list.

    Raises
    ------
    InputError, InputTypeError
        The file cannot be read, is no such list, or contradicts itself.

    Examples
    --------
    See :func:`write_shots`.
    """
    path, rate = as_path("path", path), Fraction(rate)
    check_list_name(path)
    is_csv = path.suffix.lower() == ".csv"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{path}: expected a list of shots that can be read: {reason}.") from error
    return _checked(str(path), _from_csv(path, text) if is_csv else _from_edl(path, text, rate))


def check_list_name(path: Path) -> None:
    """Raise an InputError if no list of shots has such a name."""
    if path.suffix.lower() not in (".csv", ".edl"):
        raise InputError(f"{path}: expected a name that ends in .csv or .edl.")


def _csv(shots: Iterable[Shot], rate: Fraction) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for shot in shots:
        times = [clock(frame / rate) for frame in (shot.first, shot.end)]
        saturation = "" if shot.saturation is None else f"{shot.saturation:g}"
        confidence = "" if shot.confidence is None else f"{shot.confidence:.2f}"
        looks = ["yes" if shot.grey else "no", saturation, _numbers(shot), _hues(shot)]
        writer.writerow([shot.first, shot.end, *times, *looks, shot.kind or "", confidence, as_text(shot.grades)])
    return file.getvalue()


def _numbers(shot: Shot) -> str:
    if shot.references is None:
        return ""
    return " ".join(map(str, shot.references)) or "none"


def _hues(shot: Shot) -> str:
    return "" if shot.exclude_hues is None else " ".join(shot.exclude_hues) or "none"


def _from_csv(path: Path, text: str) -> list[Shot]:
    delimiter = ";" if ";" in text.partition("\n")[0] else ","  # as some spreadsheets write it
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    if not {"first", "end"} <= set(reader.fieldnames or ()):
        raise InputError(f"{path}: expected the columns {', '.join(_COLUMNS)} in its first line.")
    return [
        _shot(
            f"{path}: line {line}", {key: (value or "").strip() for key, value in row.items() if isinstance(value, str)}
        )
        for line, row in enumerate(reader, 2)
        if any(isinstance(value, str) and value.strip() for value in row.values())
    ]


def _shot(name: str, row: dict[str, str]) -> Shot:
    grey = row.get("grey", "").lower() or "no"
    if grey not in ("yes", "no"):
        raise InputError(f'{name}: grey: expected "yes" or "no", got {shortened(grey)}.')
    saturation, confidence = (row.get(key, "").replace(",", ".") for key in ("saturation", "confidence"))
    references = row.get("references", "").lower()
    exclude_hues = row.get("exclude_hues", "").lower()
    return Shot(
        _whole(name, row.get("first", "")),
        _whole(name, row.get("end", "")),
        grey == "yes",
        _decimal(f"{name}: saturation", saturation) if saturation else None,
        None if not references else tuple(_whole(name, one) for one in references.split() if one != "none"),
        None
        if not exclude_hues
        else as_hues(f"{name}: exclude_hues", [hue for hue in exclude_hues.split() if hue != "none"]),
        row.get("kind", "").lower() or None,
        _decimal(f"{name}: confidence", confidence) if confidence else None,
        grades_from(f"{name}: grades", row["grades"]) if row.get("grades") else (),
    )


def _whole(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise InputError(f"{name}: expected the number of a frame, got {shortened(text)}.")
    return int(text)


def _decimal(name: str, text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", text):
        raise InputError(f"{name}: expected a number, got {shortened(text)}.")
    return float(text)


def _edl(shots: Iterable[Shot], rate: Fraction) -> str:
    lines = ["TITLE: LABCOLOR", "FCM: NON-DROP FRAME", ""]
    for place, shot in enumerate(shots, 1):
        times = " ".join(advanced("00:00:00:00", frame, rate) for frame in (shot.first, shot.end))
        lines.append(f"{place:03}  AX       V     C        {times} {times}")
        notes = ["GREY"] if shot.grey else []
        notes += [] if shot.saturation is None else [f"SATURATION {shot.saturation:g}"]
        notes += [] if shot.references is None else [f"REFERENCES {_numbers(shot)}"]
        notes += [] if shot.exclude_hues is None else [f"EXCLUDE_HUES {_hues(shot).upper()}"]
        notes += [f"GRADES {as_text(shot.grades)}"] if shot.grades else []
        lines += [f"* LABCOLOR {note}" for note in notes]
    return "\n".join(lines) + "\n"


def _from_edl(path: Path, text: str, rate: Fraction) -> list[Shot]:
    rows: list[dict[str, str]] = []
    names = []
    for line, content in enumerate(text.splitlines(), 1):
        name = f"{path}: line {line}"
        if match := _EVENT.fullmatch(content):
            rows.append({"first": _frame(name, match[2], rate), "end": _frame(name, match[3], rate)})
            names.append(name)
        elif (match := _NOTE.fullmatch(content.strip())) and rows:
            word, _, value = match[1].strip().lower().partition(" ")
            if word not in ("grey", "saturation", "references", "exclude_hues", "grades"):
                raise InputError(
                    f"{name}: expected GREY, SATURATION, REFERENCES, EXCLUDE_HUES or GRADES, got {shortened(word)}."
                )
            rows[-1][word] = value.strip() or "yes"
    return [_shot(name, row) for name, row in zip(names, rows, strict=True)]


def _frame(name: str, code: str, rate: Fraction) -> str:
    """Return the number of the frame of a time code without drops, as text."""
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)[:;](\d\d)", code)
    if not match:
        raise InputError(f"{name}: expected a time code HH:MM:SS:FF, got {shortened(code)}.")
    hours, minutes, seconds, frames = (int(part) for part in match.groups())
    return str(((hours * 60 + minutes) * 60 + seconds) * round(rate) + frames)

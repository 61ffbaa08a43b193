"""Lists of shots: written, edited, read back, and obeyed; what contradicts itself is one clear error."""

import errno
import json
import os
import sys
from fractions import Fraction

import numpy as np
import pytest
import skimage.data

from labcolor import Decoding, Shot, colorize_video, read_shots, rgb_to_lab, write_shots
from labcolor.cli import main
from labcolor.errors import InputError, InputTypeError, LabcolorError, VideoFileError
from labcolor.io import ffmpeg

TIMELINES = "edl", "xml", "aaf", "otio"
SHOTS = (
    Shot(0, 120),
    Shot(120, 121, grey=True),
    Shot(121, 90000, saturation=0.75, references=(7, 300), exclude_hues=("red", "pink"), kind="wipe", confidence=0.75),
)


@pytest.mark.parametrize("ending", ["csv", *TIMELINES])
@pytest.mark.parametrize("rate", [25, Fraction(24000, 1001), 29.97])
def test_a_list_is_read_back_as_it_was_written(tmp_path, ending, rate):
    """All that a shot says survives in each format, at whole and broken rates."""
    if ending in TIMELINES:
        pytest.importorskip("opentimelineio")
    write_shots(tmp_path / f"shots.{ending}", SHOTS, rate)
    assert read_shots(tmp_path / f"shots.{ending}", rate) == SHOTS


def test_a_list_from_a_spreadsheet_is_read(tmp_path):
    """Semicolons, decimal commas, a byte order mark, other columns and empty lines are no obstacle."""
    text = "\ufefffirst;end;note;grey;saturation;references\r\n0;10;;yes;;\r\n;;;;;\r\n10;20;a car;no;0,8;none\r\n"
    (tmp_path / "shots.csv").write_text(text, encoding="utf-8", newline="")
    assert read_shots(tmp_path / "shots.csv", 25) == (Shot(0, 10, True), Shot(10, 20, saturation=0.8, references=()))


def test_an_edl_of_another_program_is_read(tmp_path):
    """The events of an EDL with other comments are shots; numbers that are dropped are counted."""
    pytest.importorskip("opentimelineio")
    text = (
        "TITLE: FILM\nFCM: NON-DROP FRAME\n\n"
        "001  REEL1    V     C        00:00:00:00 00:00:04:20 00:00:00:00 00:00:04:20\n* FROM CLIP NAME: A; B.MOV\n"
        "002  REEL1    V     C        00:00:04:20 00:01:00:00 00:00:04:20 00:01:00:00\n"
        "* FROM CLIP NAME: THE END; GREY YES\n"
    )
    (tmp_path / "shots.edl").write_text(text)
    assert read_shots(tmp_path / "shots.edl", 25) == (Shot(0, 120), Shot(120, 1500, grey=True))
    text = text.replace("NON-DROP", "DROP").replace(":20", ";20").replace("00:00:00:00", "00:00:00;00")
    (tmp_path / "shots.edl").write_text(text.replace("00:01:00:00", "00:01:00;02"))
    assert read_shots(tmp_path / "shots.edl", Fraction(30000, 1001)) == (Shot(0, 140), Shot(140, 1800, grey=True))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the AAF adapter leaves a file open
def test_what_a_timeline_cannot_hold(tmp_path, monkeypatch):
    """A rate without time code, a day, a damaged file, a missing one and a missing package are one error each."""
    pytest.importorskip("opentimelineio")
    with pytest.raises(InputError, match="expected less than 24 hours"):
        write_shots(tmp_path / "shots.edl", [Shot(0, 24 * 3600 * 25)], 25)
    for rate in (12.5, 18):
        with pytest.raises(InputError, match=rf"got {rate:g} frames per second.* Use \.csv or \.otio"):
            write_shots(tmp_path / "shots.edl", SHOTS, rate)
        write_shots(tmp_path / "shots.otio", SHOTS, rate)
        assert read_shots(tmp_path / "shots.otio", rate) == SHOTS
    for ending in TIMELINES:
        with pytest.raises(InputError, match="there is no such file"):
            read_shots(tmp_path / f"none.{ending}", 25)
        (tmp_path / f"bad.{ending}").write_bytes(b"not a timeline")
        with pytest.raises(InputError, match="expected"):
            read_shots(tmp_path / f"bad.{ending}", 25)
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(LabcolorError, match="optional package"):
        write_shots(tmp_path / "shots.edl", SHOTS, 25)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("0,10\n12,20", "shot 2 to begin where shot 1 ends, at frame 10, got a gap: it begins at 12"),
        ("0,10\n8,20", "got an overlap: it begins at 8"),
        ("10,10", "line 2: end: expected an end after its first frame, got 10 to 10"),
        ("a,10", "line 2: first: expected the number of a frame, got 'a'"),
        ("0,10\n\n\na,20", "line 5: first: expected the number of a frame, got 'a'"),
        (f"0,10,{200000 * 'x'}", "as CSV that can be read"),
        ("0,10,maybe", "line 2: grey: expected one of 'yes', 'no'"),
        ("0,10,no,9", "saturation: expected a number"),
        ("0,10,yes,0.5", "expected grey or a saturation, got both"),
        ("", "expected at least one shot"),
        ("0,10,no,,crimson", "line 2: exclude_hues: expected red, orange, .* got 'crimson'"),
    ],
)
def test_a_list_that_contradicts_itself(tmp_path, lines, message):
    """Each contradiction is one error, which names the place."""
    (tmp_path / "shots.csv").write_text(f"first,end,grey,saturation,exclude_hues\n{lines}\n")
    with pytest.raises(InputError, match=message):
        read_shots(tmp_path / "shots.csv", 25)


def test_what_is_no_list(tmp_path):
    """A missing file, another format, missing columns and other objects say what was expected."""
    (tmp_path / "shots.csv").write_text("begin,stop\n1,2\n")
    with pytest.raises(InputError, match="expected the columns first, end"):
        read_shots(tmp_path / "shots.csv", 25)
    with pytest.raises(InputError, match="that can be read"):
        read_shots(tmp_path / "missing.csv", 25)
    with pytest.raises(InputError, match=r"\.csv, \.edl"):
        write_shots(tmp_path / "shots.txt", SHOTS, 25)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"first": 0.5}, "first: expected a whole number"),
        ({"first": 9}, "end: expected an end after its first frame, got 9 to 3"),
        ({"end": "3"}, "end: expected a whole number"),
        ({"end": 10**10}, "end: expected a whole number of at least 0 and at most 999999999"),
        ({"grey": "no"}, "grey: expected a bool"),
        ({"grey": True, "saturation": 1}, "grey: expected grey or a saturation, got both"),
        ({"saturation": 9}, "saturation: expected a number"),
        ({"references": 5}, "references: expected a Sequence"),
        ({"references": ("5",)}, "references: expected a whole number"),
        ({"exclude_hues": ("crimson",)}, "exclude_hues: expected red, orange"),
        ({"kind": "swipe"}, "kind: expected None or one of"),
        ({"confidence": 2}, "confidence: expected None or a number from 0 to 1"),
        ({"grades": None}, "grades: expected a Sequence"),
    ],
)
def test_what_is_no_shot(values, message):
    """A shot checks its values where it is made, and names the one that is wrong."""
    with pytest.raises(InputError, match=message):
        Shot(**{"first": 0, "end": 3, **values})


@pytest.mark.parametrize(
    ("shots", "rate", "message"),
    [
        (None, 25, "shots: expected an Iterable, got None"),
        ([1, 2], 25, "shot 1: expected a Shot, got 1"),
        (SHOTS, "fast", "rate: expected"),
        (SHOTS, None, "rate: expected"),
        (SHOTS, 0, "rate: expected"),
        (SHOTS, float("nan"), "rate: expected"),
    ],
)
def test_what_cannot_be_written(tmp_path, shots, rate, message):
    """Other objects, fields of another type and a rate that is none are one error, and nothing is written."""
    with pytest.raises(InputError, match=message):
        write_shots(tmp_path / "shots.csv", shots, rate)
    assert not (tmp_path / "shots.csv").exists()


def test_a_full_disk_is_named_and_the_old_list_stays(tmp_path, monkeypatch):
    """Where the list cannot be written, one error says so."""
    path = tmp_path / "shots.csv"
    write_shots(path, SHOTS, 25)
    before = path.read_bytes()

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(VideoFileError, match=r"shots\.csv: cannot be written: No space left on device"):
        write_shots(path, SHOTS[:1], 25)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["shots.csv"]


@pytest.fixture
def film(tmp_path):
    """Two shots of ten frames each."""
    photos = [skimage.data.coffee()[::4, ::4, 1][:96, :128], skimage.data.chelsea()[::3, ::3, 1][:96, :128]]
    (tmp_path / "raw").write_bytes(b"".join(photo.tobytes() * 10 for photo in photos))
    size = ["-f", "rawvideo", "-pixel_format", "gray", "-video_size", "128x96", "-framerate", "10"]
    ffmpeg.run([*size, "-i", str(tmp_path / "raw"), "-c:v", "ffv1", str(tmp_path / "in.mkv")])
    return tmp_path / "in.mkv"


def chroma(path):
    """Mean distance from grey of each frame."""
    pixels = ffmpeg.run(["-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
    frames = np.frombuffer(pixels, np.uint8).reshape(-1, 96, 128, 3)
    return np.array([np.abs(rgb_to_lab(frame)[..., 1:]).mean() for frame in frames])


def test_shots_are_reported_edited_and_obeyed(reference, film, tmp_path):
    """The shots that are found can be written, one of them made grey and one paler, and given back."""
    report = colorize_video(film, tmp_path / "plain.mkv", reference)
    assert report.shots == (Shot(0, 10), Shot(10, 20))
    assert report.cut_times == (1,)
    write_shots(tmp_path / "shots.csv", report.shots, report.rate)
    text = (tmp_path / "shots.csv").read_text().splitlines()
    text[1] = text[1].replace("no,", "yes,")
    text[2] = text[2].replace("no,,", "no,0.5,")
    (tmp_path / "shots.csv").write_text("\n".join(text))
    report = colorize_video(film, tmp_path / "edited.mkv", reference, shots=tmp_path / "shots.csv")
    assert report.shots == (Shot(0, 10, grey=True), Shot(10, 20, saturation=0.5))
    assert report.cuts == (10,)
    plain, edited = chroma(tmp_path / "plain.mkv"), chroma(tmp_path / "edited.mkv")
    assert edited[:10].max() < 1.5
    np.testing.assert_allclose(edited[10:], plain[10:] / 2, rtol=0.2)


def test_cuts_can_be_given_or_switched_off(reference, film, tmp_path):
    """Given cuts are taken as they are, and none are found where none are wanted; in a part, numbers stay."""
    for number, cuts in enumerate(((), (4, 10, 15))):
        assert colorize_video(film, tmp_path / f"{number}.mkv", reference, shots=cuts).cuts == cuts
    report = colorize_video(film, tmp_path / "out.mkv", reference, decoding=Decoding(start=0.5, end=1.5))
    assert report.cuts == (10,)
    assert report.shots == (Shot(5, 10), Shot(10, 15))


@pytest.mark.parametrize(
    ("shots", "kind", "message"),
    [
        ([5, 5], InputError, "rising order"),
        ("some", InputError, r"\.csv, \.edl"),
        (5, InputTypeError, "sequence of Shot or int"),
        ([Shot(0, 20), 5], InputTypeError, "shots: expected a whole number"),
        ([(0, 20)], InputTypeError, "shots: expected a whole number"),
        ([Shot(0, 20, references=(3,))], InputError, "got frame 3, which has no reference"),
    ],
)
def test_bad_cuts_and_shots(reference, film, tmp_path, shots, kind, message):
    """What does not go together is one error, before anything is written."""
    with pytest.raises(kind, match=message):
        colorize_video(film, tmp_path / "out.mkv", reference, shots=shots)
    assert not (tmp_path / "out.mkv").exists()


def test_the_command_line(film, tmp_path):
    """Cuts and lists of shots are obeyed on the command line, of one video only, and its report lists the cuts."""
    listed, out, told = str(tmp_path / "shots.csv"), str(tmp_path / "out.mkv"), tmp_path / "report.json"
    common = ["video", str(film), out, "--model", "reference", "--overwrite"]
    write_shots(listed, [Shot(0, 4), Shot(4, 10), Shot(10, 20)], 10)
    for shots in ("4,10", listed):
        assert main([*common, "--shots", shots, "--report", str(told), "--no-consistency"]) == 0
        assert json.loads(told.read_text())["videos"][0]["cuts"] == [4, 10]
    assert main([*common, "--references", str(tmp_path)]) != 0
    assert main(["video", str(tmp_path), "-o", str(tmp_path / "all"), "--shots", listed]) != 0

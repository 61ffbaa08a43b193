"""Shots that are found without coloring: the list, sheets, and the commands that take a list."""

import numpy as np
import pytest
import skimage.data

from labcolor import Decoding, Shot, colorize_video, find_shots, read_picture, read_shots, write_shots
from labcolor.cli import main
from labcolor.display.sheet import contact_sheet
from labcolor.errors import InputError, InputTypeError, VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.times import as_seconds, clock

NAMES = "coffee", "chelsea", "astronaut"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Three shots of 30 frames of moving cameras; the second dissolves into the third within 12 more."""
    folder = tmp_path_factory.mktemp("film")
    shots = []
    for name in NAMES:
        photo = getattr(skimage.data, name)()[::2, ::2, 1]
        shots.append([photo[:120, start : start + 160].astype(float) for start in range(42)])
    first, second, third = shots
    share = np.linspace(0, 1, 12)
    mixed = [a * (1 - b) + c * b for a, b, c in zip(second[30:], share, third, strict=False)]
    frames = np.rint([*first[:30], *second[:30], *mixed, *third[12:]]).astype(np.uint8)
    (folder / "raw").write_bytes(frames.tobytes())
    size = ["-f", "rawvideo", "-pixel_format", "gray", "-video_size", "160x120", "-framerate", "25"]
    ffmpeg.run([*size, "-i", str(folder / "raw"), "-c:v", "ffv1", str(folder / "in.mkv")])
    return folder / "in.mkv"


def test_shots_are_found_without_coloring(film, reference, tmp_path):
    """Each shot has its frames, its kind and a confidence, and coloring finds the same."""
    one, two, three = found = find_shots(film)
    assert (one.first, one.end, one.kind, one.confidence) == (0, 30, None, None)
    assert (two.first, two.kind, three.kind, three.end) == (30, "cut", "dissolve", 102)
    assert 60 <= three.first <= 72
    assert min(two.confidence, three.confidence) > 0.7
    cuts = colorize_video(film, tmp_path / "out.mkv", reference).cuts
    assert np.abs(np.subtract(cuts, [shot.first for shot in found[1:]])).max() <= 3


def test_a_part_keeps_its_numbers(film):
    """Frames are counted from the start of the source, and progress is reported."""
    done = []
    shots = find_shots(film, decoding=Decoding(start=0.4, end=2), progress=lambda *both: done.append(both))
    assert (shots[0].first, shots[0].end, shots[1].end) == (10, 30, 50)
    assert done[-1] == (40, 40)


def test_what_is_no_video(film, tmp_path):
    """A file that is none, a path that is none, and another decoding are one error each."""
    (tmp_path / "none.mkv").write_bytes(b"none")
    with pytest.raises(VideoFileError, match=r"none\.mkv"):
        find_shots(tmp_path / "none.mkv")
    with pytest.raises(InputTypeError, match="source: expected a path"):
        find_shots(5)
    with pytest.raises(InputTypeError, match="decoding"):
        find_shots(film, decoding=(0, 1))


def test_kinds_are_written_and_read(film, tmp_path):
    """A list keeps how shots begin; other words are an error that names the place."""
    write_shots(tmp_path / "shots.csv", find_shots(film), 25)
    assert read_shots(tmp_path / "shots.csv", 25) == find_shots(film)
    for wrong, message in (
        ("kind\n0,9,swipe", "kind: expected None or one of"),
        ("confidence\n0,9,2", "a number from 0 to 1"),
    ):
        (tmp_path / "shots.csv").write_text(f"first,end,{wrong}\n")
        with pytest.raises(InputError, match=f"line 2: .*{message}"):
            read_shots(tmp_path / "shots.csv", 25)


def test_the_command_writes_a_list_and_a_sheet(film, tmp_path, capsys):
    """The list is what find_shots returns, the sheet shows a frame of each shot, and no file is replaced unasked."""
    listed, sheet = tmp_path / "shots.csv", tmp_path / "sheet.png"
    command = ["shots", str(film), "-o", str(listed), "--sheet", str(sheet)]
    assert main(command) == 0
    assert "3 shots" in capsys.readouterr().err
    assert read_shots(listed, 25) == find_shots(film)
    picture = read_picture(sheet)
    assert picture.shape == (228, 752, 3)
    shown = picture[8:188:3, 8:248:3, 0].ravel()
    photo = skimage.data.coffee()[::2, ::2, 1]
    alike = [np.corrcoef(shown, photo[:120:2, start : start + 160 : 2].ravel())[0, 1] for start in range(30)]
    assert max(alike) > 0.95
    listed.write_text("mine")
    assert main(command) == 2
    assert "shots.csv: exists already" in capsys.readouterr().err
    assert listed.read_text() == "mine"
    assert main([*command, "--overwrite"]) == 0
    assert main(["shots", str(film), "-o", str(tmp_path / "shots.txt")]) == 2
    for command in (["shots", str(film), "-o", str(tmp_path / "new.csv")], ["preview", str(film)]):
        assert main([*command, "--sheet", str(tmp_path / "sheet.doc")]) == 2
        assert "expected a name that ends in .png" in capsys.readouterr().err
    assert not (tmp_path / "new.csv").exists()


def test_a_list_is_taken_by_stills_and_by_the_sheet_of_previews(film, tmp_path, capsys):
    """One corrected list decides of which shots there is a still, and what a colored sheet shows."""
    listed, stills, sheet = tmp_path / "shots.csv", tmp_path / "stills", tmp_path / "sheet.png"
    write_shots(listed, [Shot(0, 50), Shot(50, 102)], 25)
    common = ["--shots", str(listed), "--model", "reference"]
    assert main(["stills", str(film), "-o", str(stills), *common]) == 0
    numbers = sorted(int(path.stem[4:]) for path in stills.glob("ref_*.png"))
    assert len(numbers) == 2
    assert numbers[0] < 50 <= numbers[1]
    assert main(["preview", str(film), "--sheet", str(sheet), *common]) == 0
    picture = read_picture(sheet).astype(int)
    assert picture.shape == (228, 504, 3)
    assert np.ptp(picture[8:188, 8:248], axis=2).mean() > 2
    assert main(["preview", str(film), "-o", str(tmp_path)]) == 2
    write_shots(listed, [Shot(500, 600)], 25)
    assert main(["preview", str(film), "--sheet", str(sheet), *common]) == 2
    assert "shots: expected a shot within the video, which has 102 frames, got none" in capsys.readouterr().err


def test_a_sheet_has_rows_of_six():
    """Pictures of any depth stand in rows, and all have the aspect ratio of the first."""
    pictures = [np.full((30, 40, 3), 200, np.uint8), np.full((90, 40), 40000, np.uint16), *[np.zeros((30, 40))] * 5]
    sheet = contact_sheet((picture, "one line") for picture in pictures)
    assert sheet.shape == (2 * (180 + 8 + 16) + 8, 6 * 248 + 8, 3)
    assert sheet[100, 100].tolist() == [200, 200, 200]
    assert sheet[100, 350].tolist() == [156, 156, 156]


@pytest.mark.parametrize("seconds", ["0", "80.5", "3661.25"])
def test_times_are_written_as_they_are_read(seconds):
    """The text of a time is read back as that time."""
    assert as_seconds("time", clock(as_seconds("time", seconds))) == as_seconds("time", seconds)

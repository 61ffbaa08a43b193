"""``labcolor colorize`` with a file or a pipe to write."""

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labcolor import read_picture, write_picture
from labcolor.cli import main
from labcolor.cli.colorize import FORMATS
from labcolor.cli.common import EXIT_CODES

REFERENCE = ["--model", "reference"]


@pytest.fixture
def old(tmp_path, monkeypatch, photographs):
    """A picture in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_picture("old.jpg", photographs[0][::8, ::8])
    return read_picture("old.jpg")


def test_two_names_are_a_picture_and_its_result(old, reference):
    """The second is written, in the format of its name."""
    assert main(["colorize", "old.jpg", "colored.png", *REFERENCE]) == 0
    np.testing.assert_array_equal(read_picture("colored.png"), reference.predict(old))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["old.jpg", "old.jpg"], "would be replaced by its own colors"),
        (["old.jpg", "old.jpg", "--overwrite"], "would be replaced by its own colors"),
        (["old.jpg", "again.png"], "again.png: exists already"),
        (["old.jpg", "-o", "earlier"], "Add --resume to keep results that exist, or --overwrite"),
        (["old.jpg", "colored"], "colored: expected a name that ends in .png"),
        ([".", "colored.png"], "Name a folder"),
        (["old.jpg"], "-o FOLDER"),
        (["old.jpg", "a.png", "b.png"], "-o FOLDER"),
        (["film.mp4", "colored.mp4"], "labcolor video film.mp4"),
        (["old.jpg", "film.MOV", "-o", "out"], "labcolor video film.MOV"),
        (["old.jpg", "colored.png", "--format", "jpg"], "--format"),
        (["-", "-", "-o", "out"], "without -o"),
        (["-", "a.png", "b.png"], "-o FOLDER"),
        (["https://example.org/old.jpg", "colored.png"], "labcolor downloads nothing"),
    ],
)
def test_other_names_are_refused(old, capsys, arguments, words):
    """One line tells what was expected; nothing is written or replaced."""
    write_picture("again.png", old)
    Path("earlier").mkdir()
    write_picture("earlier/old.jpg", old)
    before = {path: path.read_bytes() for path in Path().rglob("*.*")}
    assert main(["colorize", *arguments, *REFERENCE]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in before} == before


def test_from_standard_input_to_standard_output(old, tmp_path, reference):
    """A picture comes and goes through the pipes of a process, as PNG."""
    command = [sys.executable, "-m", "labcolor", "colorize", "-", "-", *REFERENCE]
    done = subprocess.run(command, input=(tmp_path / "old.jpg").read_bytes(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.asarray(image), reference.predict(old))


def test_standard_output_in_another_format(old, capfdbinary, monkeypatch, reference):
    """It is the one that is asked for."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("old.jpg").read_bytes())))
    assert main(["colorize", "-", "-", *REFERENCE, "--format", "jpg"]) == 0
    with Image.open(io.BytesIO(capfdbinary.readouterr().out)) as image:
        assert image.format == "JPEG"
        assert np.abs(np.asarray(image).astype(int) - reference.predict(old)).mean() < 3


def test_standard_output_stays_empty_when_it_fails(old, capfdbinary, monkeypatch):
    """A damaged picture is an error, and no part of a picture is written."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"no picture")))
    assert main(["colorize", "-", "-", *REFERENCE]) == 1
    assert capfdbinary.readouterr().out == b""


def test_standard_input_to_a_file(old, tmp_path, monkeypatch, reference):
    """Either side may be a pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "old.jpg").read_bytes())))
    assert main(["colorize", "-", "colored.png", *REFERENCE]) == 0
    np.testing.assert_array_equal(read_picture("colored.png"), reference.predict(old))


def test_a_file_named_like_standard_input(old, reference):
    """./- is a file, as for other programs."""
    Path("old.jpg").rename("-")
    assert main(["colorize", "./-", "colored.png", *REFERENCE]) == 0
    np.testing.assert_array_equal(read_picture("colored.png"), reference.predict(old))


@pytest.mark.parametrize("where", [["colored.png"], ["-o", "colored"]])
def test_results_that_exist(old, capsys, where):
    """They are kept by --resume and replaced by --overwrite; the two exclude each other."""
    place = Path("colored/old.jpg" if "-o" in where else "colored.png")
    command = ["colorize", "old.jpg", *where, *REFERENCE]
    assert main(command) == 0
    expected = place.read_bytes()
    write_picture(place, old[:4])
    earlier = place.read_bytes()
    assert main([*command, "--resume"]) == 0
    assert "0 colored, 0 failed, 1 skipped" in capsys.readouterr().err
    assert place.read_bytes() == earlier
    assert main([*command, "--overwrite"]) == 0
    assert place.read_bytes() == expected
    with pytest.raises(SystemExit):
        main([*command, "--overwrite", "--resume"])


def test_the_format_of_a_folder(old, capsys):
    """--format converts all pictures; names that become one are refused."""
    write_picture("scan.tif", old)
    assert main(["colorize", "old.jpg", "scan.tif", "-o", "out", "--format", "webp", *REFERENCE]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["old.webp", "scan.webp"]
    write_picture("old.png", old)
    assert main(["colorize", "old.jpg", "old.png", "-o", "both", "--format", "webp", *REFERENCE]) == 2
    assert "would both be written to" in capsys.readouterr().err


def test_a_large_picture_is_colored_without_a_warning(old, monkeypatch, capsys):
    """Pillow warns of pictures that labcolor's limit allows; the command line leaves that out."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", old.shape[0] * old.shape[1] - 1)
    assert main(["colorize", "old.jpg", "colored.png", *REFERENCE]) == 0
    assert capsys.readouterr().err == "labcolor: 1 colored, 0 failed.\n"


def test_heic(old, capsys):
    """Pictures of phones are found in folders, and colored upright, with their EXIF, in a format of choice."""
    heif = pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x0112], exif[0x0131] = 6, "labcolor's test"
    Path("phone").mkdir()
    heif.from_pillow(Image.fromarray(old)).save("phone/a.heic", exif=exif.tobytes(), quality=90)
    assert main(["colorize", "phone", "-o", "out", "--format", "jpg", *REFERENCE]) == 0
    with Image.open("out/a.jpg") as image:
        assert image.size == (old.shape[0], old.shape[1])  # turned by a quarter
        assert image.getexif()[0x0131] == "labcolor's test"
        assert image.getexif()[0x0112] == 1
    assert main(["colorize", "phone/a.heic", "a.heic", *REFERENCE]) == 2
    assert "expected a name that ends in .png" in capsys.readouterr().err


def test_formats_are_those_that_can_be_written(capsys):
    """The list in the help is the library's."""
    from labcolor.io.encoders import WRITABLE

    assert {f".{name}" for name in FORMATS} == set(WRITABLE) - {".jpeg", ".tiff"}


def test_help_has_examples_and_exit_codes(capsys):
    """The codes of the help are those of the table."""
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    found = re.findall(r"^ +(\d+)  (.+)", text, re.MULTILINE)
    assert {int(code): meaning for code, meaning in found} == EXIT_CODES
    assert "labcolor colorize old.jpg colored.png" in text
    page = (Path(__file__).parents[2] / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    assert {
        int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| (.+) \|", page, re.MULTILINE)
    } == EXIT_CODES


@pytest.mark.parametrize("arguments", [["colorize", "a", "-o", "b", "--colour"], ["paint"], ["colorize"], []])
def test_a_wrong_option_is_one_line(capsys, arguments):
    """It names the help."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "--help" in said


@pytest.mark.parametrize(
    "command", [["colorize", "empty", "-o", "c"], ["video", "empty", "-o", "c"], ["evaluate", "empty"]]
)
def test_a_folder_without_anything_to_do_fails(tmp_path, monkeypatch, capsys, command):
    """A script that names a wrong folder is told so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main([*command, *REFERENCE]) == 1
    assert "empty: expected " in capsys.readouterr().err

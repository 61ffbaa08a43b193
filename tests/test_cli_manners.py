"""The command line's manners: originals are safe, nothing is skipped without a word, and help tells what holds."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labcolor import Colorizer, lab_to_rgb, metrics, read_picture, rgb_to_lab, write_picture
from labcolor.cli import main
from labcolor.cli.common import MODELS
from labcolor.evaluation import at_colorfulness, evaluate, table
from labcolor.networks import PACKAGED_MODELS

COLORIZE = ["colorize", "--model", "reference"]


@pytest.fixture
def here(tmp_path, monkeypatch, photographs):
    """A folder to work in, with three photographs: a/x.png, b/x.png and b/sub/x.png."""
    monkeypatch.chdir(tmp_path)
    for name, photo in zip(("a/x.png", "b/x.png", "b/sub/x.png"), photographs, strict=False):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_picture(tmp_path / name, photo[::8, ::8])
    return tmp_path


def contents(folder):
    """The bytes of each file of a folder by name."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [
        ["b/sub/x.png", "b/x.png", "-o", "b"],
        ["a", "b/sub", "-o", "b"],
        ["b", "-o", "b"],
        ["b/x.png", "-o", "b/../b"],
        ["b", "-o", "link"],
        ["a", "hard/x.png", "-o", "hard"],
        ["a", "-o", "hard"],
        ["b", "-o", "b", "--resume"],
        ["a", "b", "-o", "out"],
    ],
)
def test_no_original_is_overwritten(here, capsys, arguments):
    """An output that is an input of the run, by any name, or two outputs in one file are refused with nothing done."""
    (here / "link").symlink_to("b")
    (here / "hard").mkdir()
    os.link(here / "a" / "x.png", here / "hard" / "x.png")
    before = contents(here)
    assert main([*COLORIZE, *arguments]) == 2
    assert contents(here) == before
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "would be replaced by" in said or "would both be written to" in said


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_names_that_differ_in_case_are_one_file(here, monkeypatch, capsys, platform):
    """Where file systems ignore case, X.png and x.png are not written to one folder."""
    (here / "a" / "x.png").rename(here / "a" / "X.png")
    monkeypatch.setattr(sys, "platform", platform)
    code = main([*COLORIZE, "a", "b/sub", "-o", "out"])
    monkeypatch.undo()
    assert code == 2
    assert "would both be written to" in capsys.readouterr().err


def test_one_file_under_two_names(here, capsys):
    """A file named twice is colored once, and each link to it gets colors of its own."""
    (here / "a" / "link.png").symlink_to("x.png")
    os.link(here / "a" / "x.png", here / "a" / "hard.png")
    assert main([*COLORIZE, "a", "a/x.png", "./b/../a/x.png", "-o", "out"]) == 0
    assert "3 colored, 0 failed" in capsys.readouterr().err
    assert sorted(contents(here / "out")) == ["hard.png", "link.png", "x.png"]
    assert len(set(contents(here / "out").values())) == 1
    assert not (here / "out" / "link.png").is_symlink()


def test_a_folder_that_cannot_be_read_is_reported(here, monkeypatch, capsys):
    """It is named and counted, and the rest is colored."""
    scandir = os.scandir

    def refusing(path):
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)  # root, who runs some tests, may read every folder
    assert main([*COLORIZE, "b", "-o", "out"]) == 1
    said = capsys.readouterr().err
    assert "labcolor: b/sub: this folder cannot be read: Permission denied." in said
    assert "1 colored, 1 failed" in said


def test_broken_links_are_reported_and_loops_end(here, capsys):
    """A link to nothing fails like a missing file; a link to a folder above, and a pipe, are left out."""
    (here / "a" / "broken.png").symlink_to("nowhere.png")
    (here / "a" / "loop").symlink_to(".")
    os.mkfifo(here / "a" / "pipe.png")
    assert main([*COLORIZE, "a", "-o", "out"]) == 1
    said = capsys.readouterr().err
    assert "a/broken.png: expected a picture file, but it does not exist" in said
    assert "1 colored, 1 failed" in said
    assert list(contents(here / "out")) == ["x.png"]


@pytest.mark.parametrize("closed", ["0<&- 2>&-", "0<&- 1>&- 2>&-", "0<&-"])
@pytest.mark.slow
def test_standard_descriptors_may_be_closed(here, closed):
    """Pictures are colored, whichever of standard input, output and error are closed."""
    command = f"{sys.executable} -m labcolor {' '.join(COLORIZE)} b -o out {closed}"
    assert subprocess.run(["sh", "-c", command]).returncode == 0
    assert sorted(contents(here / "out")) == ["sub/x.png", "x.png"]
    for name in ("x.png", "sub/x.png"):
        assert read_picture(here / "out" / name).shape == read_picture(here / "b" / name).shape


@pytest.mark.slow
def test_a_closed_pipe_is_no_crash(here):
    """A reader that stops early, as head does, gets no traceback after it."""
    command = f"{sys.executable} -m labcolor evaluate a --model reference | true"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert result.stderr == ""


def test_a_mistake_among_many_files_is_found_first(here, monkeypatch):
    """Among ten thousand files it is found before any work, with a few questions to the system for each file."""
    (here / "many").mkdir()
    for index in range(10_000):
        (here / "many" / f"{index}.png").touch()
    (here / "many" / "sub").mkdir()
    (here / "many" / "sub" / "777.png").touch()
    asked, stat = [], os.stat
    monkeypatch.setattr(os, "stat", lambda *arguments, **options: asked.append(0) or stat(*arguments, **options))
    assert main([*COLORIZE, "many", "many/sub", "-o", "out"]) == 2
    assert len(asked) < 10 * 10_000
    assert not (here / "out").exists()


@pytest.mark.slow
def test_training_starts_from_a_packaged_model(here, capsys):
    """--start takes a packaged model's name, as --model does."""
    short = ["--epochs", "1", "--crop-size", "32", "--seed", "0", "--learning-rate", "1e-9"]
    assert main(["train", "b", "-o", "m.labcolor", "--start", "reference", *short]) == 0
    trained, packaged = Colorizer.load("m.labcolor"), Colorizer.from_pretrained("reference")
    for ours, theirs in zip(trained.network_.trainable_weights, packaged.network_.trainable_weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_model_replaces_no_training_picture(here, capsys):
    """The model is not written over a picture to train on."""
    before = contents(here)
    assert main(["train", "a", "-o", "a/x.png"]) == 2
    assert "expected the name of a model file" in capsys.readouterr().err
    assert contents(here) == before


def options(command, capsys):
    """The help of each option of a command on one line, by the option's long name."""
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    parts = re.split(r"\n  (?=-)", text[text.index("options:") :])[1:]
    return {re.search(r"--[\w-]+", part)[0]: " ".join(part.split()) for part in parts}


@pytest.mark.parametrize("command", ["colorize", "video", "stills", "pipe", "train", "evaluate"])
def test_help_tells_the_defaults(capsys, command):
    """Each option that takes a value tells its default, but for those that must be given."""
    for name, text in options(command, capsys).items():
        takes_value = re.search(r"--[\w-]+ [A-Z{]", text)
        if takes_value and name != "--output":
            assert "(default: " in text, name


@pytest.mark.slow
def test_the_defaults_of_help_hold(capsys):
    """What help says of the defaults, the packaged models and the networks is what the library has."""
    train = options("train", capsys)
    parameters = inspect.signature(Colorizer).parameters
    for name in ("network", "working_size", "epochs", "crop_size", "batch_size", "film_aging", "precision"):
        default = re.search(r"\(default: ([\w.]+)", train[f"--{name.replace('_', '-')}"])[1]
        assert default == f"{parameters[name].default}".removesuffix(".0"), name
    code = "from labcolor.networks import list_architectures; print(*list_architectures())"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(fresh.stdout.split()) == set(MODELS)  # each network has a packaged model of its name
    assert set(MODELS) == set(PACKAGED_MODELS)
    assert MODELS[0] == inspect.signature(Colorizer.from_pretrained).parameters["name"].default


def test_help_loads_no_tensorflow():
    """Help comes at once: nothing large is imported for it."""
    code = (
        "import sys\nfrom labcolor.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: print(*{'tensorflow', 'keras', 'numpy', 'numba'} & set(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stderr == "\n"
    assert "usage: " in result.stdout


def test_a_hint_colors_its_place(here):
    """A picture is colored as predict colors it with these hints."""
    grey = np.full((96, 128), 128, np.uint8)
    write_picture("grey.png", grey)
    texts = ("90,30,#c03020,6", "20,60,25,70,2030c0", "64,48,keep", "30,30,fence,9")
    assert main(["colorize", "grey.png", "-o", "out", *(f"--hint={text}" for text in texts)]) == 0
    known = [(90, 30, "#c03020", 6), (20, 60, 25, 70, "#2030c0"), (64, 48, "keep", 4), (30, 30, "fence", 9)]
    expected = Colorizer.from_pretrained().predict(grey, hints=known)
    np.testing.assert_array_equal(read_picture("out/grey.png"), expected)


@pytest.mark.parametrize(
    "text", ["5,5", "5,5,red", "5,5,#12345", "-1,5,#123456", "5,5,#123456,", "5,5,#123456,2,2", "a"]
)
def test_a_hint_that_is_none(here, capsys, text):
    """A hint of another form is refused, and the message shows the form."""
    with pytest.raises(SystemExit) as caught:
        main(["colorize", "a/x.png", "-o", "out", f"--hint={text}"])
    assert caught.value.code == 2
    assert "expected X,Y,#RRGGBB or X,Y,#RRGGBB,RADIUS" in capsys.readouterr().err


def test_hints_go_with_one_picture(here, capsys):
    """Hints for several pictures, or outside the picture, are refused with the reason."""
    assert main(["colorize", "b", "-o", "out", "--hint", "1,1,#123456"]) == 2
    assert "--hint: expected one picture, got 2" in capsys.readouterr().err
    assert main(["colorize", "a/x.png", "-o", "out", "--hint", "900,1,#123456"]) == 1
    assert "a/x.png: hints: expected positions in the picture, from 0,0 to 63,63, got 900,1" in capsys.readouterr().err
    assert not (here / "out").exists()


def test_quality_and_compression(here, photographs, capsys):
    """Lower quality and higher compression give smaller files; formats without them are written as ever."""
    (here / "in").mkdir()
    for name in ("a.jpg", "a.webp", "a.png", "a.tif", "a.bmp"):
        write_picture(here / "in" / name, photographs[0][::4, ::4])
    assert main([*COLORIZE, "in", "-o", "plain"]) == 0
    assert main([*COLORIZE, "in", "-o", "small", "--quality", "30", "--compression", "9"]) == 0
    plain, small = contents(here / "plain"), contents(here / "small")
    for name in ("a.jpg", "a.webp", "a.tif"):
        assert len(small[name]) < 0.9 * len(plain[name]), name
    assert len(small["a.png"]) <= len(plain["a.png"])
    assert small["a.bmp"] == plain["a.bmp"]
    for name in ("a.png", "a.tif"):
        np.testing.assert_array_equal(read_picture(here / "small" / name), read_picture(here / "plain" / name))
    assert main([*COLORIZE, "in/a.png", "-o", "out", "--quality", "30"]) == 2
    assert "--quality: expected pictures in a format with this option" in capsys.readouterr().err


def test_a_file_keeps_what_it_tells(here, photographs, capsys):
    """EXIF is kept, the orientation normalized; what the format cannot hold is named in one line."""
    exif = Image.Exif()
    exif[0x8298], exif[0x0112] = "A. Nobody", 6
    (here / "in").mkdir()
    Image.fromarray(photographs[0][:80, :120]).save(here / "in" / "a.jpg", exif=exif)
    Image.fromarray(photographs[0][:80, :120]).save(here / "in" / "b.tif", exif=exif)
    assert main([*COLORIZE, "in", "-o", "out"]) == 0
    with Image.open(here / "out" / "a.jpg") as image:
        assert image.size == (80, 120)
        assert image.getexif()[0x8298] == "A. Nobody"
        assert image.getexif()[0x0112] == 1
    assert capsys.readouterr().err == "labcolor: 2 colored, 0 failed.\n"


def test_warnings_are_said_once(here, capsys):
    """What the library warns of comes as one line of the command's own, also after several commands."""
    exif = Image.Exif()
    exif[0x010E] = "x" * 64_000
    exif[0x8298] = "y" * 2_000
    (here / "in").mkdir()
    Image.new("RGB", (64, 64)).save(here / "in" / "a.tif", exif=exif)
    (here / "in" / "a.tif").rename(here / "in" / "a.jpg")  # whose EXIF a JPEG does not hold
    for options in ([], ["--overwrite"]):
        assert main([*COLORIZE, "in", "-o", "out", *options]) == 0
        said = capsys.readouterr().err.splitlines()
        assert said == [
            "labcolor: out/a.jpg: EXIF dropped, because .jpg does not support it.",
            "labcolor: 1 colored, 0 failed.",
        ]


def test_tint_errors():
    """Shares are of the neutral and of the colorful pixels, and counts of several pictures may be added up."""
    grey, pale, vivid = (120, 120, 120), (135, 118, 110), (200, 60, 40)
    chroma = [float(np.hypot(*rgb_to_lab(np.array(c, np.uint8))[1:])) for c in (grey, pale, vivid)]
    assert chroma[0] < 6 < 8 < chroma[1] < 18 < 24 < chroma[2]
    true = np.array([[grey, grey, grey, vivid, vivid, pale]], np.uint8)
    predicted = np.array([[vivid, pale, grey, grey, pale, vivid]], np.uint8)
    assert metrics.tint_counts(predicted, true).tolist() == [1, 3, 1, 2]
    assert metrics.tint_errors(predicted, true) == (1 / 3, 1 / 2)
    assert metrics.tint_errors(true, true) == (0, 0)
    tinted, left = metrics.tint_errors(predicted[:, :1], true[:, :1])
    assert tinted == 1
    assert np.isnan(left)


def test_psnr_at_matched_colorfulness(photographs):
    """The saturation is found at which the pictures are as colorful as asked, and the PSNR is the one there."""
    pictures = [photo[:128:2, :128:2] for photo in photographs]

    def color(picture, saturation):
        lab = rgb_to_lab(picture)
        lab[..., 1:] *= saturation
        return lab_to_rgb(lab, dtype=np.uint8)

    found = at_colorfulness(pictures, color)
    results = [color(picture, found["saturation at 36"]) for picture in pictures]
    assert np.mean([metrics.colorfulness(result) for result in results]) == pytest.approx(36, abs=0.5)
    psnr = np.mean([metrics.psnr(result, picture) for result, picture in zip(results, pictures, strict=True)])
    assert found["PSNR at 36"] == pytest.approx(psnr)
    never = at_colorfulness(pictures, lambda picture, saturation: color(picture, 0))
    assert np.isnan(never["PSNR at 36"])


def test_the_table_shows_tints(photographs):
    """The table has the shares of all pixels together, and leaves empty what was not measured."""
    pictures = [photo[:128:2, :128:2] for photo in photographs]
    rows = evaluate(pictures, {"right": lambda picture: picture, "none": lambda p: np.repeat(p[..., 1:2], 3, axis=2)})
    assert rows["right"]["tinted %"] == rows["right"]["left grey %"] == rows["none"]["tinted %"] == 0
    assert rows["none"]["left grey %"] == 100
    header, _, right, *_ = table(rows).splitlines()
    cells = dict(zip((c.strip() for c in header.split("|")), (c.strip() for c in right.split("|")), strict=True))
    assert cells["PSNR at 36"] == ""
    assert cells["left grey %"] == "0.00"

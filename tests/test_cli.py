"""The command line: exit codes, messages, and files that appear whole."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from labcolor import Colorizer, read_picture, write_picture
from labcolor.backends.onnxruntime import PROVIDERS
from labcolor.cli import main

AVAILABLE = onnxruntime.get_available_providers()
MISSING = next(device for device, (provider, *_) in PROVIDERS.items() if provider not in AVAILABLE)


@pytest.fixture
def folder(tmp_path, photographs):
    """A folder with three photographs, one of them in a subfolder."""
    (tmp_path / "in" / "more").mkdir(parents=True)
    write_picture(tmp_path / "in" / "a.png", photographs[0][::4, ::4])
    write_picture(tmp_path / "in" / "b.jpg", photographs[1][::4, ::4])
    write_picture(tmp_path / "in" / "more" / "c.png", photographs[2][::4, ::4].astype(np.uint16) * 257)
    return tmp_path


def files(folder):
    """The files of a folder by name."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_colors_a_folder(folder, capsys):
    """Every picture of a folder is colored under its own name, size and depth."""
    assert main(["colorize", str(folder / "in"), "-o", str(folder / "out")]) == 0
    assert files(folder / "out") == ["a.png", "b.jpg", "more/c.png"]
    assert read_picture(folder / "out" / "more" / "c.png").dtype == np.uint16
    expected = Colorizer.from_pretrained().predict(read_picture(folder / "in" / "a.png"))
    np.testing.assert_array_equal(read_picture(folder / "out" / "a.png"), expected)
    assert "3 colored, 0 failed" in capsys.readouterr().err


def test_one_bad_file_does_not_stop_the_rest(folder, capsys):
    """An unreadable file is reported in one line with its reason, the exit code is 1, and --resume does the rest."""
    (folder / "in" / "bad.png").write_bytes(b"\x89PNG nonsense")
    command = ["colorize", str(folder / "in"), "-o", str(folder / "out"), "--model", "reference"]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert "bad.png: expected a picture" in error
    assert "Traceback" not in error
    assert "3 colored, 1 failed" in error
    (folder / "out" / "a.png").unlink()
    (folder / "in" / "bad.png").unlink()
    assert main([*command, "--resume"]) == 0
    assert "1 colored, 0 failed" in capsys.readouterr().err
    assert files(folder / "out") == ["a.png", "b.jpg", "more/c.png"]


def test_triptychs(folder):
    """--triptych writes three panels."""
    command = ["colorize", str(folder / "in" / "a.png"), "-o", str(folder / "out"), "--model", "reference"]
    assert main([*command, "--triptych"]) == 0
    height, width = read_picture(folder / "in" / "a.png").shape[:2]
    assert read_picture(folder / "out" / "a.png").shape == (height, 3 * width + 16, 3)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["colorize", "in/a.png", "-o", "in"], 2, "its own colors"),
        (["colorize", "in/a.png", "in/more/../../again/a.png", "-o", "out"], 2, "Color them separately"),
        (["colorize", "in/missing.png", "-o", "out"], 1, "does not exist"),
        (["colorize", "in/a.png", "-o", "out", "--model", "missing.labcolor"], 1, "cannot be read"),
        (["colorize", "in/a.png", "-o", "out", "--model", "refrence"], 2, "--model: expected one of"),
        (["colorize", "in/a.png", "-o", "out", "--model", "refrence"], 2, "Did you mean 'reference'?"),
        (["colorize", "in/a.png", "-o", "out", "--model", "https://example.org/m"], 2, "labcolor downloads nothing"),
        (["export", "mine", "-o", "mine.onnx"], 2, "MODEL: expected one of"),
        (["colorize", "in", "-o", "out", "--device", MISSING], 2, "device: expected a device of the installed"),
        (["colorize", "in/a.png", "-o", "out", "--saturation", "9"], 2, "saturation: expected"),
        (["colorize", "in/a.png", "-o", "out", "--working-size", "2"], 2, "working_size: expected"),
        (["video", "in/a.png", "out.mp4", "--working-size", "-3"], 2, "working_size: expected"),
        (["colorize", "in/a.png", "-o", "in/b.jpg/x"], 1, "cannot be created"),
        (["colorize", "in/a.png", "-o", "out.png"], 2, "expected a folder"),
        (["colorize", "", "-o", "out"], 2, "got an empty text"),
        (["colorize", "in/a.png", "-o", ""], 2, "got an empty text"),
        (["train", "in", "-o", ""], 2, "got an empty text"),
        (["train", "in", "-o", "missing/m.labcolor"], 1, "there is no folder"),
        (["train", "in", "-o", "x" * 300], 1, "cannot be written"),
        (["train", "in", "-o", "m.labcolor", "--epochs", "0"], 2, "epochs: expected"),
        (["train", "in", "-o", "m.labcolor", "--validation", "1"], 2, "validation: expected a number from"),
        (["train", "in", "-o", "m.labcolor", "--start", "none.labcolor"], 1, "cannot be read"),
        (["train", "again", "-o", "m.labcolor"], 2, "expected more pictures than are held out, got 1"),
        (["train", "again", "-o", "m.labcolor", "--validation", "0"], 2, "can be used: 1 too small"),
        (["evaluate", "in/more/none"], 1, "does not exist"),
    ],
)
def test_mistakes(folder, monkeypatch, capsys, arguments, code, words):
    """A mistake gives one line on standard error and its exit code; with --debug the traceback."""
    monkeypatch.chdir(folder)
    (folder / "again").mkdir()
    write_picture(folder / "again" / "a.png", np.zeros((9, 9), np.uint8))
    before = files(folder)
    assert main(arguments) == code
    output = capsys.readouterr().err
    assert words in output
    assert output.startswith("labcolor: ")
    assert files(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["paint"],
        [],
        ["train", "in", "-o", "m", "--holdout", "3"],
        ["evaluate", "in", "--size", "0"],
        ["video", "in.mp4", "out.mp4", "--resize", "640"],
    ],
)
def test_wrong_usage_is_two(capsys, arguments):
    """What the parser refuses has exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_colors_of_an_earlier_run_are_not_colored_again(folder, monkeypatch, capsys):
    """An output folder inside the input folder is left out."""
    monkeypatch.chdir(folder / "in")
    for options in ([], ["--overwrite"]):
        assert main(["colorize", ".", "-o", "out", "--model", "reference", *options]) == 0
        assert "3 colored, 0 failed" in capsys.readouterr().err
    assert not (folder / "in" / "out" / "out").exists()


def test_an_output_around_the_input_is_no_earlier_run(folder):
    """Pictures in a folder inside the output folder are colored like any others."""
    assert main(["colorize", str(folder / "in"), "-o", str(folder), "--model", "reference"]) == 0
    assert (folder / "a.png").exists()


def test_a_folder_without_pictures_does_not_stop_the_rest(folder, tmp_path, capsys):
    """It is reported and counted, and the pictures beside it are colored."""
    (tmp_path / "empty").mkdir()
    sources = [str(tmp_path / "empty"), str(folder / "in" / "a.png")]
    assert main(["colorize", *sources, "-o", str(folder / "out"), "--model", "reference"]) == 1
    assert "empty: expected pictures in this folder" in (said := capsys.readouterr().err)
    assert "1 colored, 1 failed" in said


@pytest.mark.slow
def test_standard_error_may_be_closed(folder):
    """What nobody reads is not written, and the work is done."""
    command = f"{sys.executable} -m labcolor colorize {folder / 'in' / 'a.png'} -o {folder / 'out'} 2>&-"
    assert subprocess.run(["sh", "-c", command]).returncode == 0
    assert (folder / "out" / "a.png").exists()


def test_evaluate_leaves_out_what_is_too_small(folder, capsys):
    """A tiny and a grey picture are named, and the rest is measured."""
    write_picture(folder / "in" / "tiny.png", np.arange(75, dtype=np.uint8).reshape(5, 5, 3))
    write_picture(folder / "in" / "rgb.png", np.zeros((50, 50, 3), np.uint8))
    write_picture(folder / "in" / "grey.png", np.zeros((50, 50), np.uint8))
    assert main(["evaluate", str(folder / "in"), "--model", "reference"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("3 pictures")
    assert "tiny.png: expected at least 7 x 7" in captured.err
    assert "grey.png: expected a color picture, got a grey one" in captured.err
    assert "train" not in captured.err
    assert "rgb.png: expected a color picture" in captured.err


@pytest.mark.slow
def test_train_then_evaluate_then_color(folder, capsys):
    """A model trained on the command line measures and colors; every third picture is held out and reported."""
    model = str(folder / "m.labcolor")
    short = ["--epochs", "1", "--crop-size", "32", "--seed", "0"]
    new = ["--start", "none", "--validation", "0.33"]
    assert main(["train", str(folder / "in"), "-o", model, *new, *short]) == 0
    said = capsys.readouterr()
    assert re.search(r"before +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d\n +after", said.out)
    assert (
        f"m.labcolor: trained on 2 pictures. Use it:\n  labcolor colorize FOLDER -o COLORED --model {model}" in said.out
    )
    assert "tens of thousands of crops" in said.err
    assert main(["train", str(folder / "in"), "-o", model, "--start", model, "--validation", "0", *short]) == 0
    assert files(folder) == ["in/a.png", "in/b.jpg", "in/more/c.png", "m.labcolor"]
    capsys.readouterr()
    assert main(["evaluate", str(folder / "in"), "--model", model]) == 0
    output = capsys.readouterr().out
    assert output.startswith("3 pictures")
    assert "| grey |" in output
    assert "AuC rebalanced" in output
    assert main(["colorize", str(folder / "in" / "a.png"), "-o", str(folder / "out"), "--model", model]) == 0


@pytest.mark.slow
def test_installed_command(folder):
    """The installed command runs in a process of its own, quiet when it is piped."""
    command = [sys.executable, "-m", "labcolor", "colorize", str(folder / "in"), "-o", str(folder / "out")]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0
    assert result.stdout == ""
    assert result.stderr == "labcolor: 3 colored, 0 failed.\n"


@pytest.mark.slow
def test_an_interrupted_training_goes_on(folder, monkeypatch, capsys):
    """Ctrl-C leaves a usable model and a checkpoint, which is not begun over by accident, and --resume goes on."""
    import keras

    train = keras.Model.train_on_batch

    def interrupted(*arguments):
        loss = train(*arguments)
        signal.raise_signal(signal.SIGINT)
        return loss

    command = [
        "train",
        str(folder / "in"),
        "-o",
        str(folder / "m.labcolor"),
        "--network",
        "reference",
        "--crop-size",
        "32",
    ]
    command += ["--epochs", "4", "--seed", "0", "--validation", "0.33"]
    assert main([*command, "--resume"]) == 0  # there is nothing to resume
    whole = (folder / "m.labcolor").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "train_on_batch", interrupted)
        assert main(command) == 130
    assert "add --resume to the same command" in capsys.readouterr().err
    assert Colorizer.load(folder / "m.labcolor").model_.training["steps"] == 1
    assert main(command) == 2
    assert "m.labcolor.checkpoint: this training was interrupted. Add --resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert (folder / "m.labcolor").read_bytes() == whole
    assert not (folder / "m.labcolor.checkpoint").exists()

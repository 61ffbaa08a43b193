"""One number of threads, for all that works in parallel."""

import numpy as np
import pytest
from PIL import Image

import labcolor
from labcolor.cli import main
from labcolor.errors import InputError, InputTypeError
from labcolor.io import ffmpeg


@pytest.fixture(autouse=True)
def reset():
    """Leave no setting behind."""
    yield
    labcolor.set_threads(None)


def test_setting_and_environment(monkeypatch):
    """The setting wins over the library's variable, that over OpenMP's, and that over the cores."""
    for name in ("LABCOLOR_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    cores = labcolor.get_threads()
    assert cores >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert labcolor.get_threads() == 3
    monkeypatch.setenv("LABCOLOR_NUM_THREADS", "5")
    assert labcolor.get_threads() == 5
    labcolor.set_threads(7)
    assert labcolor.get_threads() == 7
    labcolor.set_threads(None)
    for useless in ("", "0", "-1", "many", "9" * 99):
        monkeypatch.setenv("LABCOLOR_NUM_THREADS", useless)
        assert labcolor.get_threads() == 3


@pytest.mark.parametrize(
    ("count", "error"), [(0, InputError), (1025, InputError), (1.5, InputTypeError), ("2", InputTypeError)]
)
def test_what_is_no_number_of_threads(count, error):
    """One error says what was expected."""
    with pytest.raises(error, match="count"):
        labcolor.set_threads(count)


def test_results_do_not_depend_on_it():
    """One thread and four give the same picture."""
    picture = np.random.default_rng(0).integers(0, 255, (700, 900, 3), np.uint8)
    results = []
    for count in (1, 4):
        labcolor.set_threads(count)
        results.append(labcolor.rgb_to_lab(picture))
    np.testing.assert_array_equal(*results)


def test_ffmpeg_follows():
    """ffmpeg is told a number that somebody chose, and is left alone otherwise."""
    labcolor.set_threads(2)
    assert ffmpeg.threads() == ["-threads", "2"]
    ffmpeg.run([*ffmpeg.threads(), "-f", "lavfi", "-i", "color=size=16x16:duration=1", "-f", "null", "-"])


def test_the_command_line_sets_it(tmp_path):
    """--threads holds for the run."""
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "a.png")
    assert main(["colorize", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), "--threads", "1"]) == 0
    assert labcolor.get_threads() == 1

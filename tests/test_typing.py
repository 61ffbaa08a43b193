"""Types that help: a project that uses labcolor passes mypy --strict and pyright, and its mistakes are found."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# What a project downstream writes; assert_type says what a checker must conclude.
GOOD = """
from fractions import Fraction
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

from labcolor import (
    Colorizer,
    Decoding,
    Encoding,
    Hint,
    LabCodec,
    Look,
    VideoReport,
    colorize_frames,
    colorize_video,
    lab_to_rgb,
    metrics,
    read_picture,
    rgb_to_lab,
    triptych,
    write_picture,
)
from labcolor.errors import InputError, LabcolorError
from labcolor.networks import Architecture, FittedModel, RegressionHead, get_architecture, register_architecture

Array = npt.NDArray[Any]


def color(path: Path) -> npt.NDArray[np.uint8]:
    colorizer = Colorizer.from_pretrained("reference").set_params(working_size=64)
    assert_type(colorizer, Colorizer)
    assert_type(Colorizer(engine="onnxruntime", device="openvino", precision="mixed_bfloat16"), Colorizer)
    picture = read_picture(path)
    assert_type(colorizer.predict(picture), Array)
    assert_type(colorizer.predict([picture, picture], saturation=1.5), list[Array])
    assert_type(colorizer.predict((picture, picture)), tuple[Array, ...])
    hints: list[Hint] = [(120, 400, "#e07020"), (3, 4, "keep", 9), (3, 4, 50, 60, "fence", 9)]
    assert_type(colorizer.predict(picture, hints=hints), Array)
    assert_type(colorizer.predict([picture] * 3, hints=[hints, None, np.zeros((5, 4, 2))]), list[Array])
    assert_type(colorizer.uncertainty(picture), Array)
    assert_type(colorizer.uncertainty([picture]), list[Array])
    assert_type(colorizer.score([picture]), float)
    assert_type(colorizer.model_, FittedModel)
    assert_type(colorizer.codec_, LabCodec)
    assert_type(colorizer.history_, dict[str, list[float]])
    write_picture(path.with_suffix(".png"), colorizer.predict(picture))
    assert_type(metrics.psnr(picture, picture), float)
    lab_to_rgb(rgb_to_lab(picture), dtype=np.uint8)
    panels = triptych(picture, colorizer.predict(picture), path="panels.png")
    assert_type(panels, npt.NDArray[np.uint8])
    return panels


def video(frames: list[Array]) -> Fraction:
    smaller = Decoding(resize=(640, 480))
    hevc = Encoding("hevc", preset="fast")
    report = colorize_video("old.mp4", "new.mp4", decoding=smaller, encoding=hevc, progress=lambda done, total: None)
    assert_type(report, VideoReport)
    assert_type(report.cuts, tuple[int, ...])
    for frame in colorize_frames(frames, look=Look(smoothing=0.5, exclude_hues=["red"])):
        assert_type(frame, Array)
    return report.rate


def build(*, width: int = 8, seed: int | None = None, dtype: str = "float32") -> Any: ...


def train(pictures: list[Array]) -> Colorizer:
    mine = register_architecture(Architecture("mine", build, RegressionHead(chroma=1.2), options={"width": 16}))
    assert_type(mine, Architecture)
    assert_type(get_architecture("mine").with_options(width=4), Architecture)
    try:
        return Colorizer(mine, epochs=3, codec=LabCodec(ab_scale=110)).fit(pictures)
    except InputError as error:
        raise SystemExit(str(error)) from error
    except LabcolorError:
        return Colorizer.load("old.labcolor")
"""

# Each line is one mistake.
BAD = """
from labcolor import (
    Colorizer, Decoding, Encoding, Look, colorize_video, read_picture, set_threads, triptych, write_picture
)
colorizer = Colorizer.from_pretrained()
picture = read_picture("old.jpg")
colorizer.predict(picture, saturation="y")
colorizer.predict(picture, saturation=1.0, hint=None)
colorizer.predict(picture, hints=[("#e07020", 120, 400)])
Colorizer(epochs="3")
Colorizer(codec={"ab_scale": 110})
Colorizer(engine="gpu")
Colorizer(device="gpu")
Colorizer(precision="float16")
Colorizer(verbose=3)
Colorizer.from_pretrained("mine.labcolor")
Encoding("h265")
Encoding("hevc", quality="high")
Encoding("hevc", preset="fastest")
Decoding(deinterlace="double")
Look(consistency="yes")
Look(exclude_hues=["violet"])
write_picture("a.jpg", picture, quality="95")
write_picture("a.tif", picture, compression="lzw")
set_threads("2")
colorize_video("old.mp4")
colorize_video("old.mp4", "new.mp4", encoding="h264")
triptych(picture, colored=picture, path=5)
wrong: list[int] = colorizer.predict([picture])
colorizer.model_.working_size = 5
Coloriser = Colorizer.nothing
"""
MISTAKES = len(BAD.strip().splitlines()) - 5


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project in a folder of its own, with the interpreter's packages."""
    package = tmp_path / "downstream"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "good.py").write_text(GOOD)
    (package / "bad.py").write_text(BAD)
    monkeypatch.chdir(tmp_path)
    return package


def run(*command):
    """Run a checker with this interpreter and return its exit code and its output."""
    result = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def test_mypy(project):
    """What is right passes mypy --strict; of what is wrong, each line is found."""
    assert run("mypy", "--strict", "downstream/good.py") == (0, "Success: no issues found in 1 source file\n")
    _, output = run("mypy", "--strict", "downstream/bad.py")
    lines = {line.split(":")[1] for line in output.splitlines() if ": error:" in line}
    assert len(lines) == MISTAKES, output


def test_pyright(project):
    """What is right passes pyright; of what is wrong, each line is found."""
    (project.parent / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}))
    code, output = run("pyright", "--pythonpath", sys.executable, "downstream/good.py")
    assert code == 0, output
    _, output = run("pyright", "--pythonpath", sys.executable, "--outputjson", "downstream/bad.py")
    found = json.loads(output)["generalDiagnostics"]
    lines = {one["range"]["start"]["line"] for one in found if one["severity"] == "error"}
    assert len(lines) == MISTAKES, output

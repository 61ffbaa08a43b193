"""Pictures and videos on a Ray cluster: names, skipping, the lock and the report; with Ray, workers that die."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import imageio
import numpy as np
import pytest
from skimage import data

from labcolor import Colorizer, write_picture
from labcolor.errors import FileError, InputError, InputTypeError, LabcolorError
from labcolor.ray import colorize_pictures, colorize_videos


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A folder of one picture, and one of results in which it is there already: no cluster is needed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    write_picture("in/a.png", data.astronaut()[:64, :64])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".labcolor-job.json").touch()
    write_picture("out/a.png", data.astronaut()[:64, :64])
    return tmp_path


def test_what_is_there_is_skipped_and_reported(job):
    """A picture of an earlier run is not colored again, and the report is written beside it."""
    report = colorize_pictures("in", "out")
    assert (report.colored, report.skipped, report.failed) == (0, 1, {})
    written = json.loads((job / "out" / "labcolor-report.json").read_text())
    assert written["skipped"] == 1


def test_a_folder_belongs_to_one_job(job):
    """Another saturation, model or kind of file is refused in the folder of a job, and so is a folder of none."""
    colorize_pictures("in", "out")
    assert colorize_pictures("in", "out").skipped == 1
    with pytest.raises(InputError, match="another model, version or options"):
        colorize_pictures("in", "out", saturation=1.5)
    with pytest.raises(InputError, match="another model, version or options"):
        colorize_pictures("in", "out", Colorizer.from_pretrained("reference"))
    with pytest.raises(InputError, match="another model, version or options"):
        colorize_videos("in", "out")
    (job / "out" / ".labcolor-job.json").unlink()
    with pytest.raises(InputError, match="expected a new folder"):
        colorize_pictures("in", "out")


def test_a_job_runs_once(job):
    """While a process works on a folder, a second one is refused, and nothing is touched."""
    fcntl = pytest.importorskip("fcntl")
    with (job / "out" / ".labcolor-job.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(FileError, match="another process is working on it"):
            colorize_pictures("in", "out")
    assert not (job / "out" / "labcolor-report.json").exists()


@pytest.mark.parametrize("wrong", ["unreadable", "a folder"])
def test_a_file_of_the_job_that_cannot_be_read_is_named(job, wrong):
    """Where the file that says which job a folder belongs to cannot be read, the error names it."""
    path = job / "out" / ".labcolor-job.json"
    path.unlink()
    if wrong == "a folder":
        path.mkdir()
    elif os.geteuid() == 0:
        pytest.skip("root may read everything")
    else:
        path.touch(mode=0)
    with pytest.raises(FileError, match=r"out.*: cannot be written: "):
        colorize_pictures("in", "out")


def test_a_full_disk_is_named(job, monkeypatch):
    """Where there is no room for the report, the error says so, and the job goes on when there is."""

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(FileError, match=r"No space left on device\. Free disk space, and start again"):
            colorize_pictures("in", "out")
    assert colorize_pictures("in", "out").skipped == 1


def test_names_do_not_collide(job):
    """Two pictures that would get one name are refused before anything begins."""
    (job / "more").mkdir()
    write_picture("more/a.png", data.coffee()[:64, :64])
    with pytest.raises(InputError, match="would both be written to"):
        colorize_pictures(["in", "more"], "out")
    with pytest.raises(InputError, match="would be replaced by its own colors"):
        colorize_pictures("in", "in")


@pytest.mark.parametrize(
    ("wrong", "kind", "says"),
    [
        ({"sources": 3}, InputTypeError, "sources: expected a path"),
        ({"destination": b"out"}, InputTypeError, "destination: expected a path"),
        ({"colorizer": "reference"}, InputTypeError, "colorizer: expected a Colorizer"),
        (
            {"colorizer": Colorizer.from_pretrained("reference").set_params(engine="tensorflow")},
            InputError,
            "ONNX Runtime",
        ),
        ({"saturation": 5}, InputError, "saturation"),
        ({"quality": 0}, InputError, "quality"),
        ({"workers": 0}, InputError, "workers"),
        ({"threads": True}, InputTypeError, "threads"),
    ],
)
@pytest.mark.tensorflow
def test_bad_parameters(job, wrong, kind, says):
    """What cannot be used is named."""
    with pytest.raises(kind, match=says):
        colorize_pictures(**{"sources": "in", "destination": "out", **wrong})


def test_a_missing_ray_is_named(job, monkeypatch):
    """If Ray is not installed, the error says how to install it, and the folder can be used afterwards."""
    monkeypatch.setitem(sys.modules, "ray", None)
    (job / "out" / "a.png").unlink()
    with pytest.raises(LabcolorError, match=r"pip install .*ray"):
        colorize_pictures("in", "out")
    assert not (job / "out" / "a.png").exists()


CLUSTER = """
import os, sys
import ray
from labcolor import Colorizer, Decoding, get_threads
from labcolor.errors import LabcolorError
from labcolor.inference.pipeline import Pipeline
from labcolor.ray import colorize_pictures, colorize_videos

colorize = Pipeline.colorize

def fragile(self, pictures, *options):
    assert get_threads() == 1 and "tensorflow" not in sys.modules
    if pictures[0].shape == (50, 70):
        os.kill(os.getpid(), 9)
    if pictures[0].shape == (50, 71):
        raise RuntimeError("a bug")
    return colorize(self, pictures, *options)

class Fragile(Colorizer):
    def __setstate__(self, state):
        super().__setstate__(state)
        Pipeline.colorize = fragile  # in each worker

if __name__ == "__main__":
    options = {"include_dashboard": False, "log_to_driver": False}
    ray.init(num_cpus=2, **options, runtime_env={"env_vars": {"PYTHONPATH": os.path.abspath("other")}})
    try:
        colorize_pictures("in", "other-version", workers=2)
    except LabcolorError as error:
        print(error)
    ray.shutdown()
    ray.init(num_cpus=2, **options)
    colorizer = Fragile.from_pretrained()
    colorize_pictures("in", "out", colorizer, workers=2)
    colorize_videos("films", "colored films", workers=1, decoding=Decoding(end=0.2))
"""


@pytest.mark.slow
def test_workers_that_die_take_nothing_with_them(tmp_path):
    """On a cluster, all is colored but what is damaged or kills its worker, as by one process; versions must agree."""
    pytest.importorskip("ray")
    colorizer = Colorizer.from_pretrained()
    for name in ("in/sub", "films", "other/labcolor"):
        (tmp_path / name).mkdir(parents=True)
    for number in range(20):
        write_picture(tmp_path / "in" / "sub" / f"{number}.png", data.astronaut()[number : number + 60, 100:180])
    write_picture(tmp_path / "in" / "kills.png", data.astronaut()[:50, :70])
    write_picture(tmp_path / "in" / "odd.png", data.astronaut()[:50, :71])
    (tmp_path / "in" / "damaged.jpg").write_bytes(b"nothing")
    imageio.mimwrite(tmp_path / "films" / "a.mp4", np.full((10, 48, 64, 3), 128, np.uint8), fps=25)
    (tmp_path / "films" / "damaged.mp4").write_bytes(b"nothing")
    (tmp_path / "other" / "labcolor" / "__init__.py").write_text("__version__ = '0.0.1'\n")
    (tmp_path / "job.py").write_text(CLUSTER)
    result = subprocess.run([sys.executable, "job.py"], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "got 0.0.1. Install it on all machines." in result.stdout
    report = json.loads((tmp_path / "out" / "labcolor-report.json").read_text())
    assert report["colored"] == 20
    reasons = {name.rsplit("/", 1)[-1]: reason for name, reason in report["failed"].items()}
    assert sorted(reasons) == ["damaged.jpg", "kills.png", "odd.png"]
    assert "its worker was killed 3 times" in reasons["kills.png"]
    assert reasons["odd.png"] == "RuntimeError: a bug"
    for number in range(20):
        place = tmp_path / "out" / "sub" / f"{number}.png"
        write_picture(tmp_path / "same.png", colorizer.predict(tmp_path / "in" / "sub" / f"{number}.png"), label=True)
        assert place.read_bytes() == (tmp_path / "same.png").read_bytes()
    report = json.loads((tmp_path / "colored films" / "labcolor-report.json").read_text())
    assert report["colored"] == 1
    assert [name.rsplit("/", 1)[-1] for name in report["failed"]] == ["damaged.mp4"]


@pytest.mark.slow
def test_the_example_for_object_storage(tmp_path):
    """By URIs, pictures that are not there yet are colored with their folders, and what is damaged is named."""
    pytest.importorskip("ray.data")
    for name in ("in/sub", "out"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("in/a.png", "in/sub/b.jpg", "in/there.png"):
        write_picture(tmp_path / name, data.astronaut()[:64, :80])
    (tmp_path / "in" / "damaged.png").write_bytes(b"nothing")
    (tmp_path / "out" / "there.png").touch()
    example = Path(__file__).parents[1] / "examples" / "object_storage.py"
    uris = ((tmp_path / name).as_uri() for name in ("in", "out"))
    result = subprocess.run([sys.executable, example, *uris], capture_output=True, text=True)
    assert result.returncode == 1, result.stderr
    assert "3 to color, 1 there already." in result.stdout
    assert "damaged.png: X (bytes): expected a picture" in result.stdout
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"a.png", "sub/b.jpg", "there.png"}
    write_picture(tmp_path / "same.png", Colorizer.from_pretrained().predict(tmp_path / "in" / "a.png"))
    assert (tmp_path / "out" / "a.png").read_bytes() == (tmp_path / "same.png").read_bytes()
    assert (tmp_path / "out" / "there.png").read_bytes() == b""

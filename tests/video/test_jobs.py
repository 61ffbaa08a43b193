"""Jobs: a video that was interrupted goes on where it stopped, and becomes the same."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from labcolor import Decoding, Encoding, Grade, Shot, colorize_video, read_picture
from labcolor.cli import main
from labcolor.errors import InputError, VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.decoder import Decoder, open_footage
from labcolor.io.probe import probe
from labcolor.video import jobs


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    """Segments of 8 frames, so that small clips have several."""
    monkeypatch.setattr(jobs, "SEGMENT", 8)


@pytest.fixture
def clip(tmp_path):
    """A clip of 30 frames with two shots and sound."""
    shots = ["-f", "lavfi", "-i", "testsrc2=rate=24000/1001:size=64x48:duration=0.7"]
    shots += ["-f", "lavfi", "-i", "mandelbrot=rate=24000/1001:size=64x48", "-f", "lavfi", "-i", "sine=duration=1.2"]
    join = ["-filter_complex", "[0][1]concat", "-map", "2:a", "-frames:v", "30", "-c:v", "ffv1", "-pix_fmt", "yuv420p"]
    ffmpeg.run([*shots, *join, "-c:a", "aac", "-timecode", "01:00:00:00", str(tmp_path / "clip.mov")])
    return tmp_path / "clip.mov"


def planes(path):
    """All samples of a video's frames, and the times of its packets."""
    frames = ffmpeg.run(["-i", str(path), "-map", "0:V", "-f", "framemd5", "-"])
    sound = ffmpeg.run(["-i", str(path), "-map", "0:a", "-c", "copy", "-f", "framemd5", "-"])
    return frames, sound


def stop_after(frames):
    """A progress function that interrupts after some frames."""

    def progress(done, total):
        if done >= frames:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        (".mp4", {}),
        (".mkv", {"encoding": Encoding("ffv1")}),
        pytest.param(".webm", {}, marks=pytest.mark.slow),
        pytest.param(".mov", {"encoding": Encoding("prores")}, marks=pytest.mark.slow),
        pytest.param(".mp4", {"decoding": Decoding(start=0.2)}, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_job_goes_on(small, clip, tmp_path, ending, options):
    """Interrupted twice, the video is that of one call, frame for frame, with its sound, and nothing is left beside."""
    whole = tmp_path / f"whole{ending}"
    expected = colorize_video(clip, whole, small, resume=True, **options)
    out = tmp_path / f"out{ending}"
    for frames in (12, 20):
        with pytest.raises(KeyboardInterrupt):
            colorize_video(clip, out, small, resume=True, progress=stop_after(frames), **options)
        assert not out.exists()
    began = []
    report = colorize_video(clip, out, small, resume=True, progress=lambda done, total: began.append(done), **options)
    assert began[0] > 16
    assert (report.frames, report.cuts, report.size) == (expected.frames, expected.cuts, expected.size)
    assert planes(out) == planes(whole)
    assert probe(out).rate == probe(clip).rate
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["clip.mov", out.name, whole.name])
    if ending == ".mkv":
        colorize_video(clip, tmp_path / "plain.mkv", small, **options)
        assert planes(tmp_path / "plain.mkv") == planes(out)


def test_an_interrupted_sequence_goes_on(small, clip, tmp_path):
    """The pictures of a sequence are kept, and the rest is colored as if nothing had happened."""
    colorize_video(clip, tmp_path / "whole/%04d.png", small)
    with pytest.raises(KeyboardInterrupt):
        colorize_video(clip, tmp_path / "out/%04d.png", small, resume=True, progress=stop_after(20))
    colorize_video(clip, tmp_path / "out/%04d.png", small, resume=True)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{number:04d}.png" for number in range(30)]
    for name in names:
        np.testing.assert_array_equal(read_picture(tmp_path / "out" / name), read_picture(tmp_path / "whole" / name))
    assert not list(tmp_path.glob(".*"))


SHOTS = [Shot(0, 10), Shot(10, 17), Shot(17, 30)]


def with_grade(*places):
    """The shots, of which some are turned to grey."""
    grey = (Grade(saturation=0),)
    return [replace(shot, grades=grey) if place in places else shot for place, shot in enumerate(SHOTS)]


@pytest.mark.parametrize("ending", [".mkv", "/%04d.png"])
def test_one_changed_shot_is_colored_again_and_no_other(small, clip, tmp_path, ending):
    """Only the changed shot of a list is rendered; the result is that of a call from scratch, also when interrupted."""
    out, fresh = tmp_path / f"out{ending}", tmp_path / f"fresh{ending}"
    encoding = Encoding("ffv1") if ending == ".mkv" else Encoding()
    options = {"encoding": encoding, "overwrite": True}

    def content(path):
        if ending == ".mkv":
            return planes(path)
        return [file.read_bytes() for file in sorted(path.parent.iterdir())]

    def render(shots, **more):
        """Color, and return the numbers of frames that were reported."""
        seen = []
        more.setdefault("progress", lambda done, total: seen.append(done))
        report = colorize_video(clip, out, small, shots=shots, resume=True, **options, **more)
        assert (report.frames, report.cuts, report.size) == (30, (10, 17), (64, 48))
        return seen

    assert render(SHOTS)[-1] == 30
    first = content(out)
    colorize_video(clip, fresh, small, shots=SHOTS, **options)
    assert content(out) == content(fresh)
    assert render(SHOTS) == []
    assert render(with_grade(1)) == [14, 17]
    colorize_video(clip, fresh, small, shots=with_grade(1), **options)
    assert content(out) == content(fresh)
    with pytest.raises(KeyboardInterrupt):
        render(with_grade(0, 2), progress=stop_after(25))
    assert content(out) == content(fresh)  # still the one before
    assert render(with_grade(0, 2)) == [21, 25, 29, 30]  # the first shot was done
    colorize_video(clip, fresh, small, shots=with_grade(0, 2), **options)
    assert content(out) == content(fresh)
    moved = [Shot(0, 10), Shot(10, 15, grades=(Grade(saturation=0),)), Shot(15, 17), Shot(17, 30)]
    seen = []
    colorize_video(
        clip, out, small, shots=moved, resume=True, progress=lambda done, total: seen.append(done), **options
    )
    assert set(seen) == {4, 8, 10, 14, 15, 17, 21, 25, 29, 30}
    colorize_video(clip, out, small, shots=SHOTS, resume=True, saturation=1.0, **options)
    assert content(out) == first
    colorize_video(clip, out, small, shots=SHOTS, resume=True, saturation=0.5, **options)  # a finished job gives way
    assert content(out) != first


def test_another_job_is_no_continuation(small, clip, tmp_path):
    """Other options, another version or a damaged state: one error, with the remedy, and nothing is lost."""
    out = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        colorize_video(clip, out, small, resume=True, progress=stop_after(12))
    (folder,) = tmp_path.glob(".labcolor-job-*")
    before = sorted(folder.iterdir())
    with pytest.raises(VideoFileError, match=r"another source, model or options\. Remove .* to begin anew"):
        colorize_video(clip, out, small, resume=True, saturation=2)
    about = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps({**about, "version": "0.0"}))
    with pytest.raises(VideoFileError, match=r"of labcolor '0\.0'"):
        colorize_video(clip, out, small, resume=True)
    (folder / "job.json").write_text(json.dumps(about))
    saved = json.loads((folder / "state.json").read_text())
    command = f"cnumpy.core\nos.system\n(Vtouch {tmp_path / 'ran'}\ntR.".encode()
    for content in (command, b"[" * 100_000, b"{}", b"\xff", json.dumps({**saved, "frames": -8}).encode()):
        (folder / "state.json").write_bytes(content)
        with pytest.raises(VideoFileError, match=r"expected the saved state of a job.* Remove .* to begin anew"):
            colorize_video(clip, out, small, resume=True)
    assert not (tmp_path / "ran").exists()
    assert sorted(folder.iterdir()) == before
    with pytest.raises(InputError, match=r"than \.gif"):
        colorize_video(clip, tmp_path / "out.gif", small, resume=True)


def test_one_process_works_on_a_job(small, clip, tmp_path):
    """While a job is running, another process that begins it gets an error."""

    def again(done, total):
        with pytest.raises(VideoFileError, match="another process is working on it"):
            colorize_video(clip, tmp_path / "out.mp4", small, resume=True)

    pytest.importorskip("fcntl")
    colorize_video(clip, tmp_path / "out.mp4", small, resume=True, progress=again)
    with Decoder(open_footage(tmp_path / "out.mp4")) as decoder:
        assert len(list(decoder)) == 30


def test_a_folder_of_videos(clip, tmp_path, capsys):
    """A folder keeps its names, one broken film does not stop the rest, and the report says what happened."""
    folder, out, report = tmp_path / "films", tmp_path / "colored", tmp_path / "report.json"
    (folder / "reel 1").mkdir(parents=True)
    clip.rename(folder / "reel 1/a.mov")
    ffmpeg.run(["-i", str(folder / "reel 1/a.mov"), "-frames:v", "8", "-an", str(folder / "b.avi")])
    (folder / "broken.mp4").write_bytes(b"no film")
    (folder / "notes.txt").write_text("none")
    command = ["video", str(folder), "-o", str(out), "--model", "reference", "--report", str(report), "--resume"]
    assert main(command) == 1
    names = ["b.avi.mp4", "reel 1/a.mov"]
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.*")) == names
    errors = capsys.readouterr().err
    assert "broken.mp4: expected a video" in errors
    assert "2 colored, 1 failed." in errors
    found = json.loads(report.read_text())["videos"]
    assert [video.get("frames") for video in found] == [8, None, 30]
    assert "expected a video" in found[1]["error"]
    assert (found[2]["rate"], found[2]["size"]) == ("24000/1001", [64, 48])
    assert found[2]["cut_times"] == [round(cut * 1001 / 24000, 3) for cut in found[2]["cuts"]]
    assert [shot["first"] for shot in found[2]["shots"]] == [0, *found[2]["cuts"]]
    (folder / "broken.mp4").unlink()
    before = [(out / name).stat().st_mtime_ns for name in names]
    assert main(command) == 0
    assert [(out / name).stat().st_mtime_ns for name in names] == before
    for wrong in (
        ["video", str(folder)],
        ["video", str(folder), "-o", str(folder)],
        [*command[:2], "a.mp4", *command[2:]],
    ):
        assert main(wrong) == 2


def test_a_job_with_references_goes_on(classifier, clip, tmp_path):
    """What references and scenes have given is remembered, too."""
    colors = np.zeros((48, 64, 3), np.uint8)
    colors[:] = (200, 90, 40)
    options = {"references": {2: colors, 11: colors[..., ::-1].copy()}, "shots": [9]}
    options |= {"encoding": Encoding("ffv1"), "resume": True, "decoding": Decoding(end=0.75)}
    colorize_video(clip, tmp_path / "whole.mkv", classifier, **options)
    with pytest.raises(KeyboardInterrupt):
        colorize_video(clip, tmp_path / "out.mkv", classifier, progress=stop_after(12), **options)
    (folder,) = tmp_path.glob(".labcolor-job-*")
    assert (folder / "state.json").stat().st_size < 5_000_000
    colorize_video(clip, tmp_path / "out.mkv", classifier, **options)
    assert planes(tmp_path / "out.mkv") == planes(tmp_path / "whole.mkv")
    with pytest.raises(KeyboardInterrupt):
        colorize_video(clip, tmp_path / "b.mkv", classifier, progress=stop_after(12), **options)
    with pytest.raises(VideoFileError, match="another source, model or options"):
        colorize_video(
            clip,
            tmp_path / "b.mkv",
            classifier,
            **{**options, "references": {2: colors}},
        )


@pytest.mark.slow
def test_a_killed_process_loses_no_segment(tmp_path):
    """After SIGKILL, the same command goes on, and the video is that of a process that was not killed."""
    source, out, whole = (tmp_path / name for name in ("in.mkv", "out.mkv", "whole.mkv"))
    ffmpeg.run(["-f", "lavfi", "-i", "mandelbrot=rate=25:size=96x64", "-frames:v", "300", "-c:v", "ffv1", str(source)])
    options, state = ["--codec", "ffv1", "--model", "reference"], ".labcolor-job-*/state.json"
    code = "import sys; from labcolor.cli import main; from labcolor.video import jobs; jobs.SEGMENT = 8; "
    command = [sys.executable, "-c", code + "main(sys.argv[1:])", "video", str(source), str(out), "--resume", *options]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120  # a loaded machine takes its time to import
        while process.poll() is None and time.monotonic() < deadline and not [*tmp_path.glob(state)]:
            time.sleep(0.02)
        process.kill()
    assert not out.exists()
    assert [*tmp_path.glob(state)]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True)
    assert "300 frames" in result.stderr
    assert main(["video", str(source), str(whole), *options]) == 0
    frames = [ffmpeg.run(["-i", str(path), "-f", "framemd5", "-"]) for path in (out, whole)]
    assert frames[0] == frames[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", "out.mkv", "whole.mkv"]

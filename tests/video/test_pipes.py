"""Frames through pipes, previews and stills."""

import subprocess
import sys

import numpy as np
import pytest

from labcolor import colorize_video, read_picture
from labcolor.cli import main
from labcolor.io import ffmpeg
from labcolor.io.decoder import Decoder, open_footage
from labcolor.io.probe import probe
from labcolor.video.look import HUES

REFERENCE = ["--model", "reference"]
PIPE = [sys.executable, "-m", "labcolor", "pipe", *REFERENCE]


@pytest.fixture
def clip(tmp_path):
    """Two shots, of 20 and 16 frames, without a loss."""
    shots = ["-f", "lavfi", "-i", "testsrc2=rate=25:size=64x48:duration=0.8", "-f", "lavfi", "-i"]
    shots += ["mandelbrot=rate=25:size=64x48", "-filter_complex", "[0][1]concat", "-frames:v", "36"]
    ffmpeg.run([*shots, "-c:v", "ffv1", "-pix_fmt", "yuv420p", str(tmp_path / "clip.mkv")])
    return tmp_path / "clip.mkv"


def frames(path):
    """All samples of the frames."""
    return ffmpeg.run(["-i", str(path), "-f", "rawvideo", "-"])


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "yuv444p16le"])
@pytest.mark.slow
def test_yuv4mpeg2(clip, tmp_path, pixels):
    """Through the pipe of the command, a film gets the colors that it gets as a file, sample for sample."""
    deep = tmp_path / "deep.mkv"
    ffmpeg.run(["-i", str(clip), "-c:v", "ffv1", "-pix_fmt", pixels, str(deep)])
    stream = ffmpeg.run(["-i", str(deep), "-f", "yuv4mpegpipe", "-strict", "-1", "-"])
    result = subprocess.run(PIPE, input=stream, capture_output=True, check=True)
    assert b"36 frames" in result.stderr
    (tmp_path / "out.y4m").write_bytes(result.stdout)
    assert main(["video", str(deep), str(tmp_path / "out.mkv"), "--codec", "ffv1", "--model", "reference"]) == 0
    assert probe(tmp_path / "out.y4m").format == pixels
    assert probe(tmp_path / "out.y4m").rate == 25
    assert frames(tmp_path / "out.y4m") == frames(tmp_path / "out.mkv")


@pytest.mark.slow
def test_other_streams(clip, tmp_path):
    """Grey gets chroma, odd sides get a line, raw RGB stays RGB, and a stream that is none or cut is refused."""
    grey = ffmpeg.run(["-i", str(clip), "-vf", "scale=63:47,format=gray", "-f", "yuv4mpegpipe", "-strict", "-1", "-"])
    result = subprocess.run(PIPE, input=grey, capture_output=True, check=True)
    (tmp_path / "grey.y4m").write_bytes(result.stdout)
    assert (probe(tmp_path / "grey.y4m").size, probe(tmp_path / "grey.y4m").format) == ((64, 48), "yuv420p")
    raw = ffmpeg.run(["-i", str(clip), "-frames:v", "5", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
    result = subprocess.run([*PIPE, "--raw", "64x48"], input=raw, capture_output=True, check=True)
    assert len(result.stdout) == len(raw)
    assert result.stdout != raw
    for stream, words in [
        (grey[:-9], b"within a frame"),
        (b"RIFF", b"expected YUV4MPEG2"),
        (b"", b"expected YUV4MPEG2"),
    ]:
        result = subprocess.run(PIPE, input=stream, capture_output=True)
        assert result.returncode == 1
        assert words in result.stderr
    result = subprocess.run([*PIPE, "--raw", "64x48"], input=raw[:-1], capture_output=True)
    assert (result.returncode, b"within a frame" in result.stderr) == (1, True)


@pytest.mark.slow
def test_options_of_a_pipe(clip):
    """Hues that are left out become grey here, too, and cuts that are none end it before a frame is read."""
    raw = ffmpeg.run(["-i", str(clip), "-frames:v", "5", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
    command = [*PIPE, "--raw", "64x48", "--no-consistency", "--shots", "2", "--exclude-hues", ",".join(HUES)]
    result = subprocess.run(command, input=raw, capture_output=True, check=True)
    frames = np.frombuffer(result.stdout, np.uint8).reshape(5, 48, 64, 3)
    assert np.ptp(frames.astype(int), axis=-1).max() <= 1
    result = subprocess.run([*PIPE, "--shots", "7,3"], input=b"", capture_output=True)
    assert (result.returncode, b"in rising order" in result.stderr) == (2, True)


def test_preview(clip, tmp_path, capsys):
    """A preview is the frame at that time, also if the time lies between two, and as colorful as its picture."""
    assert main(["preview", str(clip), "--at", "1.18", "--at", "00:00:01", "-o", str(tmp_path / "p"), *REFERENCE]) == 0
    names = ["clip_000025.png", "clip_000030.png"]
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == names
    assert names[0] in capsys.readouterr().err
    with Decoder(open_footage(clip)) as decoder:
        lumas = list(decoder)
    for name in names:
        picture = read_picture(tmp_path / "p" / name).astype(float)
        luma = picture @ [0.299, 0.587, 0.114] * 219 / 255 + 16
        errors = [np.abs(luma - other).mean() for other in lumas]
        assert int(np.argmin(errors)) == int(name[5:11])
    for wrong in (["--at", "99"], ["--at", "soon"]):
        assert main(["preview", str(clip), *wrong, "-o", str(tmp_path / "q"), *REFERENCE]) == 2
    assert not (tmp_path / "q").exists()


def test_stills(clip, tmp_path, small):
    """One still for each shot, in grey and in color, with the number of its frame, which lies in that shot."""
    command = ["stills", str(clip), "-o", str(tmp_path / "stills"), *REFERENCE]
    assert main(command) == 0
    cuts = colorize_video(clip, tmp_path / "out.mkv", small).cuts
    numbers = sorted(int(path.stem[4:]) for path in (tmp_path / "stills").glob("ref_*.png"))
    assert len(numbers) == len(cuts) + 1
    assert np.searchsorted(cuts, numbers, side="right").tolist() == list(range(len(numbers)))
    for number in numbers:
        grey = read_picture(tmp_path / f"stills/grey_{number:06d}.png")
        assert np.ptp(grey.astype(int), axis=2).max() <= 1
        assert read_picture(tmp_path / f"stills/ref_{number:06d}.png").shape == grey.shape == (48, 64, 3)
    corrected = tmp_path / f"stills/ref_{numbers[0]:06d}.png"
    corrected.write_bytes(b"by hand")
    assert main(command) == 0
    assert corrected.read_bytes() == b"by hand"

"""Frames of other libraries' decoders, as they are: PyAV, OpenCV, decord. Each test needs its library."""

import numpy as np
import pytest

from labcolor import colorize_frames, rgb_to_lab
from labcolor.io import ffmpeg


@pytest.fixture
def clip(tmp_path):
    """A grey clip of ten frames."""
    source = ["-f", "lavfi", "-i", "testsrc2=rate=25:size=96x64:duration=0.4", "-vf", "format=gray"]
    ffmpeg.run([*source, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "1", str(tmp_path / "clip.mp4")])
    return tmp_path / "clip.mp4"


def decoded(path, pixels="rgb24", dtype=np.uint8):
    """The frames as ffmpeg decodes them."""
    content = ffmpeg.run(["-i", str(path), "-f", "rawvideo", "-pix_fmt", pixels, "-"])
    return np.frombuffer(content, dtype).reshape(-1, 64, 96, 3)


def assert_colored(results, path, **kind):
    """Each frame has the lightness of its own frame, and colors."""
    results = np.stack(list(results))
    lightness = [rgb_to_lab(frames)[..., 0] for frames in (results, decoded(path, **kind))]
    assert np.abs(lightness[0] - lightness[1]).mean() < 1
    assert np.abs(rgb_to_lab(results)[..., 1:]).mean() > 3


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le"])
def test_pyav(classifier, clip, tmp_path, pixels):
    """PyAV's frames are taken as they are; of ten bits they become 16."""
    av = pytest.importorskip("av")
    ffmpeg.run(["-i", str(clip), "-c:v", "ffv1", "-pix_fmt", pixels, str(tmp_path / "in.mkv")])
    deep = "10" in pixels
    with av.open(str(tmp_path / "in.mkv")) as video:
        results = list(colorize_frames(video.decode(video=0), classifier))
    assert len(results) == 10
    assert results[0].dtype == (np.uint16 if deep else np.uint8)
    kind = {"pixels": "rgb48le", "dtype": np.uint16} if deep else {}
    assert_colored(results, tmp_path / "in.mkv", **kind)


def test_opencv(classifier, clip):
    """OpenCV's frames, with their channels turned round."""
    cv2 = pytest.importorskip("cv2")
    video = cv2.VideoCapture(str(clip))

    def frames():
        while (read := video.read())[0]:
            yield read[1][..., ::-1]

    assert_colored(colorize_frames(frames(), classifier), clip)


def test_decord(classifier, clip):
    """The frames of decord's reader, which is given as it is."""
    decord = pytest.importorskip("decord")
    assert_colored(colorize_frames(decord.VideoReader(str(clip)), classifier), clip)

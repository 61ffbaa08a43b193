"""Hues that are left out become grey, with soft edges; other colors, and those of references, stay."""

import numpy as np
import pytest

from labcolor import Look, Shot, colorize_frames, colorize_video, rgb_to_lab, write_picture, write_shots
from labcolor.errors import InputError, InputTypeError
from labcolor.io import ffmpeg
from labcolor.video.look import HUES, as_hues, without_hues

ANGLES = np.radians(np.arange(360.0))
WHEEL = (40 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=-1)).astype(np.float32)[None]


def left(hues):
    """The share of its chroma that each angle keeps."""
    return np.hypot(*np.moveaxis(without_hues(WHEEL, hues)[0], -1, 0)) / 40


def test_a_hue_fades_at_its_edges():
    """Within a range nothing is left, beyond its edge all, and between there is no step."""
    share = left(["red"])
    assert share[15:51].max() < 1e-6
    assert share[65:360].min() > 0.999
    assert np.abs(np.diff(share)).max() < 0.08
    assert left(["pink"])[[335, 350, 0, 15]].max() < 1e-6


def test_all_hues_together_leave_nothing():
    """The named hues cover the circle without a gap."""
    assert left(list(HUES)).max() < 1e-6


@pytest.mark.parametrize(
    ("hues", "error", "words"),
    [
        ("red", InputTypeError, "expected a sequence of hues"),
        ([3], InputTypeError, "expected a sequence of hues"),
        (["crimson"], InputError, "got 'crimson'"),
        (["200-240"], InputError, "expected red, orange"),
    ],
)
def test_what_is_no_hue_is_refused(hues, error, words):
    """Other values raise one clear error, before work begins."""
    with pytest.raises(error, match=words):
        colorize_frames([], look=Look(exclude_hues=hues))
    with pytest.raises(error, match=words):
        as_hues("exclude_hues", hues)


def chroma(frame):
    """Its ab, (H, W, 2)."""
    return rgb_to_lab(frame)[..., 1:]


def test_a_video_without_blue_but_in_one_shot(tmp_path, photographs, classifier):
    """The list of shots decides for each shot, the option for the others, and a reference is not touched."""
    frame = photographs[3][:208, :256]  # a blue sky
    source, out = tmp_path / "in.mkv", tmp_path / "out.mkv"
    still = tmp_path / "sky.png"
    write_picture(still, np.repeat(frame[..., 1:2], 3, axis=2))
    ffmpeg.run(["-loop", "1", "-i", str(still), "-frames:v", "12", "-c:v", "ffv1", "-pix_fmt", "yuv420p", str(source)])
    shots = [Shot(0, 4, references=()), Shot(4, 8, references=(), exclude_hues=()), Shot(8, 12, references=(8,))]
    write_shots(tmp_path / "shots.csv", shots, 25)
    options = {"shots": tmp_path / "shots.csv", "references": {8: frame}}
    colorize_video(source, out, classifier, look=Look(exclude_hues=["blue"]), **options)
    frames = np.frombuffer(ffmpeg.run(["-i", str(out), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]), np.uint8)
    without, automatic, given = (chroma(one)[..., 1] for one in frames.reshape(12, 208, 256, 3)[[1, 6, 10]])
    assert automatic.mean() < -15
    assert np.abs(without).mean() < 5
    assert given.mean() < -15

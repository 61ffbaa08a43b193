"""Grades: corrections of a range of hue or lightness, with soft edges and keyframes, from a list of shots to pixels."""

import numpy as np
import pytest

from labcolor import Grade, Shot, colorize_frames, read_shots, rgb_to_lab, write_shots
from labcolor.errors import InputError
from labcolor.video.grade import as_text, graded, grades_from

LIGHT = np.full((1, 1), 50, np.float32)


def corrected(color, *grades, lightness=50.0, frame=0):
    """One color, corrected."""
    return graded(np.float32([[color]]), LIGHT * 0 + np.float32(lightness), frame, grades)[0, 0]


def test_a_grade_acts_on_its_hues_and_fades_beside_them():
    """Red loses half of its chroma, blue keeps all, and a hue at half of the edge loses a quarter."""
    half = Grade(("red",), saturation=0.5)
    angles = np.radians([30, 57.5, 270])  # within red, at half of its edge, and blue
    sizes = [np.linalg.norm(corrected((40 * np.cos(angle), 40 * np.sin(angle)), half)) for angle in angles]
    np.testing.assert_allclose(sizes, [20, 30, 40], rtol=1e-4)


def test_hues_turn_and_a_range_of_lightness_has_an_edge():
    """A shift of 90 degrees turns a to b; in shadows alone, chroma goes, and comes back over 10 L."""
    np.testing.assert_allclose(corrected((30, 0), Grade(hue=90)), (0, 30), atol=1e-4)
    grey = Grade(lightness=(0, 20), saturation=0)
    found = [corrected((30, 0), grey, lightness=value)[0] for value in (10, 20, 25, 30, 80)]
    np.testing.assert_allclose(found, [0, 0, 15, 30, 30], atol=1e-4)


def test_keyframes_change_evenly_and_grades_follow_each_other():
    """Between two keyframes of one range the factor is interpolated, and held beyond; other grades act too."""
    keys = Grade(frame=100), Grade(saturation=0, frame=140)
    found = [corrected((40, 0), *keys, frame=frame)[0] for frame in (0, 100, 110, 140, 200)]
    np.testing.assert_allclose(found, [40, 40, 30, 0, 0], atol=1e-4)
    assert corrected((40, 0), Grade(saturation=0.5), Grade(saturation=0.5))[0] == pytest.approx(10)


GRADES = (
    Grade(("red", "pink"), saturation=0.5, hue=-10.5),
    Grade(lightness=(0, 20.5), saturation=0),
    Grade(hue=5, frame=3),
    Grade(("blue",), (10, 90), 2, frame=0),
    Grade((), (0.00001, 33.123456789), 0.00002, -0.00003),
)


@pytest.mark.parametrize("ending", ["csv", "edl"])
def test_grades_come_back_from_a_list(tmp_path, ending):
    """A list of shots that is written and read holds the same grades."""
    assert grades_from("grades", as_text(GRADES)) == GRADES
    shots = [Shot(0, 5, grades=GRADES), Shot(5, 10)]
    write_shots(tmp_path / f"list.{ending}", shots, 25)
    assert list(read_shots(tmp_path / f"list.{ending}", 25)) == shots


@pytest.mark.parametrize(
    "text", ["red", "rod: grey", "red saturation 2", "L20-10: grey", ": saturation 9", ": hue 200", "@x : grey", "||"]
)
def test_a_text_that_is_no_grade_is_refused(text):
    """An unknown hue, a value out of range, or another form: one error, which names the field."""
    with pytest.raises(InputError, match="line 2: grades"):
        grades_from("line 2: grades", text)


def test_a_shot_is_corrected_and_its_neighbor_is_not(small):
    """Of two shots the graded one turns grey, from its first frame to its last."""
    frames = np.random.default_rng(0).integers(0, 256, (6, 48, 64), np.uint8)
    shots = [Shot(0, 3), Shot(3, 6, grades=(Grade(saturation=0),))]
    found = list(colorize_frames(frames, small, shots=shots))
    plain = list(colorize_frames(frames, small, shots=[Shot(0, 3), Shot(3, 6)]))
    np.testing.assert_array_equal(found[:3], plain[:3])
    for one, other in zip(found[3:], plain[3:], strict=True):
        assert np.abs(rgb_to_lab(one)[..., 1:]).max() < 1 < np.abs(rgb_to_lab(other)[..., 1:]).max()

"""Where bars end: at the picture's first pixel; and what only looks like a bar."""

import numpy as np
import pytest

from labcolor import rgb_to_lab
from labcolor.color.chroma import Chroma
from labcolor.io.inputs import one_picture
from labcolor.pictures.bars import find_content_box
from labcolor.pictures.small import SmallPicture


def grey_of(photo):
    """L of a photograph as grey, (H, W) uint8."""
    return one_picture(photo, "photograph").grey()[..., 0]


def found(picture, size=160):
    """What lies inside the bars of a picture, as (top, bottom, left, right)."""
    rows, columns = SmallPicture.of(one_picture(picture, "picture"), size).content_box
    return rows.start, rows.stop, columns.start, columns.stop


@pytest.mark.parametrize("grain", [0, 3, 6])
@pytest.mark.parametrize(("height", "last"), [(200, 170), (60, 170), (30, 150), (200, 225), (100, 0)])
def test_a_smooth_sky_is_no_bar(photographs, grain, height, last):
    """A sky that starts white and darkens steadily belongs to the picture, with and without grain."""
    picture = grey_of(photographs[2]).astype(float)
    picture[:height] = np.linspace(250, last, height)[:, None]
    picture += np.random.default_rng(0).normal(0, grain, picture.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    assert found(picture) == (0, picture.shape[0], 0, picture.shape[1])


def test_a_clipped_sky_is_no_bar(photographs):
    """A sky that is pure white for a while before it darkens belongs to the picture."""
    picture = grey_of(photographs[2])
    picture[:80], picture[80:200] = 255, np.linspace(255, 170, 120)[:, None]
    assert found(picture) == (0, *picture.shape[:1], 0, picture.shape[1])


def test_a_dark_ramp_is_no_bar(photographs):
    """A night sky that brightens steadily belongs to the picture."""
    picture = grey_of(photographs[0])
    picture[:200] = np.linspace(4, 60, 200)[:, None]
    assert found(picture)[0] == 0


@pytest.mark.parametrize("value", [0, 3, 16, 235, 245, 255])
@pytest.mark.parametrize("noise", [0, 2])
@pytest.mark.parametrize(("top", "left"), [(60, 0), (0, 47), (33, 29)])
def test_bars_end_at_the_pixel(photographs, value, noise, top, left):
    """Letterboxes and margins are found to the pixel, with an encoder's noise in them, too."""
    random = np.random.default_rng(0)
    for photo in photographs[:4]:
        picture = grey_of(photo).astype(float)
        height, width = picture.shape
        picture = np.pad(picture, ((top, top), (left, left)), constant_values=value)
        picture = np.clip(picture + random.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
        expected = top, top + height, left, left + width
        assert np.abs(np.subtract(found(picture), expected)).max() <= 2


def test_a_margin_may_drift_a_little(photographs):
    """Paper that the scanner lit unevenly is a margin still."""
    picture = np.pad(grey_of(photographs[0]), 40, constant_values=240)
    paper = np.linspace(244, 238, picture.shape[1])[None]
    inside = np.s_[40:-40, 40:-40]
    scan = np.broadcast_to(paper, picture.shape).astype(np.uint8)
    scan[inside] = picture[inside]
    assert np.abs(np.subtract(found(scan), (40, 552, 40, 552))).max() <= 1


@pytest.mark.parametrize(("top", "left", "value"), [(60, 0, 0), (40, 40, 235), (0, 33, 3)])
def test_bars_stay_grey_and_the_picture_keeps_its_chroma(classifier, photographs, top, left, value):
    """Right up to the picture bars are grey, and the picture's first rows have as much chroma as without bars."""
    photo = photographs[0]
    height, width, _ = photo.shape
    picture = np.pad(photo, ((top, top), (left, left), (0, 0)), constant_values=value)
    colored = classifier.predict(picture)
    inside = np.zeros(picture.shape[:2], bool)
    inside[top : top + height, left : left + width] = True
    assert np.ptp(colored[~inside].astype(int), axis=1).max() <= 1
    alone = np.linalg.norm(rgb_to_lab(classifier.predict(photo))[..., 1:], axis=2)
    within = np.linalg.norm(rgb_to_lab(colored[inside].reshape(photo.shape))[..., 1:], axis=2)
    edges = [np.s_[:6], np.s_[-6:]] if top else [np.s_[:, :6], np.s_[:, -6:]]
    for edge in edges:
        assert within[edge].mean() > 0.8 * alone[edge].mean()


def test_a_film_has_grey_bars(classifier):
    """U and V are 128 in the bars of a frame, up to the picture, and not within it."""
    from labcolor.color.yuv import FrameFormat

    luma, film = np.full((48, 64), 128, np.uint8), FrameFormat()
    ab = np.full((3, 4, 2), 30, np.float32)
    u, v = film.chroma(luma, film.lightness(), Chroma(ab, (1 / 16, 1 / 16), (slice(9, 40), slice(0, 57))))
    colored = np.zeros((24, 32), bool)
    colored[5:20, :28] = True
    for plane in (u, v):
        np.testing.assert_array_equal(plane != 128, colored)


def test_uncertainty_ends_with_the_picture(classifier, photographs):
    """Nothing is uncertain in a bar, and everything right beside it."""
    picture = np.pad(photographs[0], ((60, 60), (0, 0), (0, 0)))
    unsure = classifier.uncertainty(picture)
    assert not np.concatenate([unsure[:60], unsure[-60:]]).any()
    assert unsure[61:-61].min() > 0


def test_a_bar_needs_an_edge():
    """White rows above trees are sky: a bar ends along the whole row."""
    small = np.full((40, 60), 98, np.float32)
    small[10:, 20:25] = 20
    small[14:] = 50
    assert find_content_box(small) == (slice(0, 40), slice(0, 60))
    small[10:] = 50
    assert find_content_box(small) == (slice(10, 40), slice(0, 60))


def test_bars_of_a_tiny_picture():
    """Where a bar's end lies within one pixel of the picture, it is that pixel; nothing warns of empty means."""
    picture = np.zeros((9, 9), np.uint8)
    picture[3:6] = np.random.default_rng(0).integers(60, 255, (3, 9))
    assert found(picture) == (3, 6, 0, 9)

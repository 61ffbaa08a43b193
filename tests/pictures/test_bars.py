"""What counts as a bar."""

import numpy as np
import skimage
from hypothesis import given, settings
from hypothesis import strategies as st

from labcolor.io.inputs import one_picture
from labcolor.pictures.bars import find_content_box
from labcolor.pictures.small import SmallPicture

RANDOM = np.random.default_rng(0)


def test_what_bars_are():
    """Even black or white at the edges, in any noise of an encoder; no picture is all bars."""
    picture = RANDOM.uniform(20, 80, (40, 60)).astype(np.float32)
    assert find_content_box(picture) == (slice(0, 40), slice(0, 60))
    picture[:6], picture[35:] = RANDOM.uniform(0, 3, (6, 60)), 97
    assert find_content_box(picture) == (slice(6, 35), slice(0, 60))
    picture[35:], picture[:, :9] = 2, 0
    assert find_content_box(picture) == (slice(6, 35), slice(9, 60))
    grey = np.full((40, 60), 50, np.float32)
    assert find_content_box(grey) == (slice(0, 40), slice(0, 60))
    black = np.zeros((40, 60), np.float32)
    assert find_content_box(black) == (slice(0, 40), slice(0, 60))
    black[20, 30] = 90
    assert find_content_box(black) == (slice(0, 40), slice(0, 60))


def turned(box, shape):
    """The content box of a picture after it is turned by 90 degrees to the left."""
    rows, columns = box
    return slice(shape[1] - columns.stop, shape[1] - columns.start), rows


def mirrored(box, shape):
    """The content box of a picture after its left and right are exchanged."""
    rows, columns = box
    return rows, slice(shape[1] - columns.stop, shape[1] - columns.start)


# Rows at one side: how many, the L of the first, by how much L changes to the last, and noise.
SIDE = st.tuples(
    st.integers(0, 12),
    st.sampled_from([0.0, 4, 50, 89, 91, 96, 100]),
    st.sampled_from([-10.0, -1, 0, 1, 10]),
    st.sampled_from([0.0, 1, 4]),
)


@settings(max_examples=300, deadline=None)
@given(st.tuples(SIDE, SIDE, SIDE, SIDE), st.integers(0, 1000), st.sampled_from([(40, 60), (50, 34), (24, 24)]))
def test_bars_do_not_depend_on_what_is_up(sides, seed, shape):
    """What is found is the same under flips and turns, of bars, ramps and skies at all four sides."""
    random = np.random.default_rng(seed)
    picture = random.uniform(20, 80, shape).astype(np.float32)
    for count, first, change, noise in sides:
        count = min(count, len(picture) - 1)
        if count:
            picture[:count] = np.linspace(first, first + change, count)[:, None]
            picture[:count] += random.uniform(0, noise, picture[:count].shape)
        picture = np.rot90(picture)
    picture = np.clip(picture, 0, 100)
    box = find_content_box(picture)
    assert find_content_box(picture[:, ::-1]) == mirrored(box, picture.shape)
    for _ in range(3):
        picture, box = np.rot90(picture), turned(box, picture.shape)
        assert find_content_box(picture) == box


def test_a_sky_that_brightens_downwards_is_no_bar():
    """A white ramp above a photograph belongs to it, in either direction and at each side."""
    camera = skimage.data.camera()
    for first, last in ((228, 255), (255, 228)):
        ramp = np.repeat(np.linspace(first, last, 150)[:, None], camera.shape[1], axis=1)
        picture = np.vstack([ramp, camera]).astype(np.uint8)
        for turns in range(4):
            turned_picture = np.ascontiguousarray(np.rot90(picture, turns))
            box = SmallPicture.of(one_picture(turned_picture, "picture"), 192).content_box
            assert box == tuple(slice(0, side) for side in turned_picture.shape)

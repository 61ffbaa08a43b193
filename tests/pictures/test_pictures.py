"""Pictures to look at: in a notebook, and on white paper; colors for files with chroma of half the size."""

import numpy as np
import pytest
from PIL import Image

from labcolor import read_picture, rgb_to_lightness, show, triptych, write_picture
from labcolor.color.chroma import Chroma
from labcolor.errors import InputError, InputTypeError
from labcolor.io.inputs import one_picture
from labcolor.pictures.picture import over_white

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.integers(0, 256, (20, 30, 3)).astype(np.uint8)


def test_a_cell_that_ends_in_show_shows_the_picture():
    """A notebook takes what show gives for a picture; predict and triptych give plain arrays."""
    image = show(PICTURE)
    assert image._repr_png_().startswith(b"\x89PNG")
    np.testing.assert_array_equal(np.asarray(image), PICTURE)
    assert type(triptych(PICTURE, PICTURE)) is np.ndarray


def test_several_pictures_stand_side_by_side(tmp_path):
    """Pictures of different sizes, kinds and depths stand in a row, each as it is, with white between and below."""
    write_picture(tmp_path / "p.png", PICTURE)
    grey = np.full((10, 8), 0.5, np.float32)
    deep = PICTURE.astype(np.uint16) * 257
    for several in ([PICTURE, grey, tmp_path / "p.png", deep], (PICTURE, grey, Image.fromarray(PICTURE), deep)):
        row = np.asarray(show(several))
        assert row.shape == (20, 30 + 8 + 30 + 30 + 3 * 8, 3)
        for left in (0, 54, 92):
            np.testing.assert_array_equal(row[:, left : left + 30], PICTURE)
        assert np.isin(row[:10, 38:46], (127, 128)).all()
        assert (row[10:, 38:46] == 255).all()
        assert (row[:, 30:38] == 255).all()
    assert show(np.stack([PICTURE, PICTURE])).size == (68, 20)


def test_large_pictures_are_reduced():
    """What is shown has no side over 1,600 pixels, and its shape."""
    assert show(np.zeros((100, 4000), np.uint8)).size == (1600, 40)


@pytest.mark.parametrize(("value", "error"), [([], InputError), (None, InputTypeError), (np.zeros(5), InputError)])
def test_what_cannot_be_shown(value, error):
    """No picture at all, and what is none, is refused."""
    with pytest.raises(error, match="pictures: expected"):
        show(value)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_alpha_over_white(dtype):
    """What is transparent is white paper, what is opaque stays, and half of both is between; alpha is gone."""
    top = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    picture = np.zeros((1, 3, 4))
    picture[0, :, 3] = 0, 0.5, 1
    shown = over_white(one_picture((picture * top).astype(dtype), "picture"))
    assert shown.dtype == np.uint8
    assert np.abs(shown.astype(int) - np.array([255, 127.5, 0])[None, :, None]).max() <= 1


def test_dark_pictures_of_sixteen_bits_stay_dark(tmp_path):
    """A 16-bit picture all of whose values are below 256 is black at 8 bits, not of these values."""
    dark = np.arange(200, dtype=np.uint16).reshape(10, 20)
    write_picture(tmp_path / "p.bmp", dark)
    assert read_picture(tmp_path / "p.bmp").max() == 0
    assert np.asarray(show(dark)).max() == 0


def chroma_for(picture):
    """Small chroma of strong and of weak colors for a picture, one row and one column of which are a bar."""
    height, width = picture.shape[:2]
    ab = RANDOM.uniform(-25, 25, (5, 7, 2)).astype(np.float32)
    return Chroma(ab, (5 / height, 7 / width), (slice(1, height), slice(0, width - 1)))


@pytest.mark.parametrize("shape", [(64, 96), (63, 95), (2, 3), (1, 1)])
def test_colors_in_cells_keep_lightness(shape):
    """In cells of 2 x 2 pixels a grey picture gets the colors of its smooth parts, and L of each pixel, in any size."""
    height, width = shape
    smooth = np.clip(np.add.outer(np.arange(height) * 2.0, np.arange(width)) + 20, 0, 255).astype(np.uint8)
    picture = one_picture(smooth, "picture")
    chroma = chroma_for(smooth)
    exact, cells = picture.colored(chroma), picture.colored_in_cells(chroma)
    assert (cells.shape, cells.dtype) == ((*shape, 3), np.uint8)
    inside = slice(2, None), slice(None, -2)
    assert np.abs(cells.astype(int) - exact)[inside].sum() <= 1.5 * exact[inside].size
    noisy = one_picture(np.clip(smooth + RANDOM.normal(0, 4, shape), 0, 255).astype(np.uint8), "picture")
    for one in (picture, noisy):
        colored = one.colored_in_cells(chroma)
        assert np.abs(rgb_to_lightness(colored) - one.lightness()).mean() < 0.3
        np.testing.assert_array_equal(colored[0], np.repeat(one.values[0], 3, axis=1))  # the bar


@pytest.mark.parametrize("picture", [PICTURE, PICTURE[..., 0] / 255, PICTURE[..., 0] * np.uint16(257)])
def test_only_bytes_of_grey_are_colored_in_cells(picture):
    """Colors and deeper pictures are colored pixel by pixel, as predict does."""
    one = one_picture(picture, "picture")
    chroma = chroma_for(picture)
    np.testing.assert_array_equal(one.colored_in_cells(chroma), one.colored(chroma))

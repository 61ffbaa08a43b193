"""Pictures of one place agree on its colors; others keep theirs."""

import numpy as np
import pytest

from labcolor import rgb_to_lab, write_picture
from labcolor.cli import main
from labcolor.errors import InputError, InputTypeError
from labcolor.io.pictures import read_picture


@pytest.fixture(scope="module")
def album(photographs):
    """Two overlapping views of one table, and a cat."""
    coffee, cat = photographs[2], photographs[1]
    return [coffee[:, :400], coffee[:, 200:], cat]


def overlap(results):
    """Mean difference of ab where both views show the same."""
    one, two = (rgb_to_lab(result)[..., 1:] for result in results[:2])
    return np.abs(one[:, 200:400] - two[:, :200]).mean()


def test_views_of_one_place_agree(classifier, album):
    """What two views show has nearly one color, and the cat keeps its own."""
    plain, agreed = classifier.predict(album), classifier.predict(album, consistent=True)
    assert overlap(agreed) < 0.7 * overlap(plain)
    assert np.abs(rgb_to_lab(agreed[2]) - rgb_to_lab(plain[2])).mean() < 0.5


def test_the_order_of_an_album_does_not_matter(classifier, album):
    """Backwards, each picture has the same colors."""
    forwards = classifier.predict(album, consistent=True)
    backwards = classifier.predict(album[::-1], consistent=True)[::-1]
    for one, two in zip(forwards, backwards, strict=True):
        np.testing.assert_allclose(rgb_to_lab(one), rgb_to_lab(two), atol=2.5)


def test_an_album_takes_exemplars(classifier, album):
    """An exemplar colors an album that agrees."""
    grey = classifier.predict(album, consistent=True, like=album[0].mean(axis=-1).astype(np.uint8))
    assert np.abs(rgb_to_lab(grey[0])[..., 1:]).mean() < 3


def test_the_command_line_colors_an_album(classifier, album, tmp_path):
    """``--consistent`` gives what ``predict`` gives, and a damaged file is reported alone."""
    folder, out = tmp_path / "album", tmp_path / "out"
    folder.mkdir()
    for number, picture in enumerate(album):
        write_picture(folder / f"{number}.png", picture)
    (folder / "damaged.png").write_bytes((folder / "0.png").read_bytes()[:1000])
    assert main(["colorize", str(folder), "-o", str(out), "--consistent"]) == 1
    expected = classifier.predict(album, consistent=True)
    for number, picture in enumerate(expected):
        np.testing.assert_array_equal(read_picture(out / f"{number}.png"), picture)


def test_one_picture_is_no_album(reference, album, tmp_path):
    """One picture, a model without hints, and what is no bool are one clear error each."""
    write_picture(tmp_path / "one.png", album[2])
    assert main(["colorize", str(tmp_path / "one.png"), "-o", str(tmp_path / "out"), "--consistent"]) == 2
    with pytest.raises(InputError, match="consistent: this model cannot spread known colors"):
        reference.predict(album, consistent=True)
    with pytest.raises(InputTypeError, match="consistent: expected"):
        reference.predict(album, consistent=1)

"""Hints: they show where they are given, spread to what is alike, and change nothing where there are none."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from labcolor import Colorizer, rgb_to_lab
from labcolor.errors import InputError, ModelFileError
from labcolor.io.inputs import as_pictures
from labcolor.metrics import ciede2000, psnr


def hints_at(picture, points, side=9):
    """True ab of a picture, the mean of a square, at some points."""
    ab = rgb_to_lab(picture)[..., 1:]
    hints = np.full(ab.shape, np.nan)
    for row, column in points:
        square = slice(row, row + side), slice(column, column + side)
        hints[square] = ab[square].mean(axis=(0, 1))
    return hints


def test_without_hints_nothing_changes(classifier, photographs):
    """No hints, None in a list, and an array of nan give what predict gives."""
    photo = photographs[1]
    plain = classifier.predict(photo)
    nothing = np.full((*photo.shape[:2], 2), np.nan)
    np.testing.assert_array_equal(classifier.predict(photo, hints=nothing), plain)
    np.testing.assert_array_equal(classifier.predict([photo], hints=[None])[0], plain)


def test_true_hints_bring_photographs_nearer_to_the_truth(classifier, photographs):
    """Nine true colors bring each photograph nearer to itself, as the eye sees it, and raise the mean PSNR.

    By 1.5 dB over the automatic colors, and by 6.6 dB over grey.
    """
    gains = []
    for photo in photographs:
        steps = np.linspace(0.1, 0.9, 4)[:3]
        points = [(int(row * photo.shape[0]), int(column * photo.shape[1])) for row in steps for column in steps]
        automatic = classifier.predict(photo)
        hinted = classifier.predict(photo, hints=hints_at(photo, points))
        assert ciede2000(hinted, photo) < ciede2000(automatic, photo)
        grey = as_pictures(photo)[0][0].grey()
        gains.append([psnr(hinted, photo) - psnr(other, photo) for other in (automatic, grey)])
    assert (np.mean(gains, axis=0) > (1.5, 6.6)).all()


def test_a_hint_shows_where_it_is_and_spreads(classifier, photographs):
    """One orange hint on a sleeve of the astronaut's suit colors the suit around, and the far corner stays."""
    photo = photographs[0]
    hints = np.full((*photo.shape[:2], 2), np.nan, np.float32)
    hints[396:405, 116:125] = 55, 55
    before, after = (rgb_to_lab(classifier.predict(photo, hints=given))[..., 1:] for given in (None, hints))
    assert np.linalg.norm(after[400, 120] - (55, 55)) < 15
    sleeve = np.s_[430:470, 60:110]
    assert after[sleeve].mean(axis=(0, 1)).min() > before[sleeve].mean(axis=(0, 1)).max() + 10
    assert np.abs(after[20, 20] - before[20, 20]).max() < 6


def test_a_hint_colors_its_thing_and_no_other(classifier, photographs):
    """One spot on the suit's sleeve colors its shoulder and upper arm, neither hair nor face, and hardly the flag."""
    photo = photographs[0]
    before, after = (
        rgb_to_lab(classifier.predict(photo, hints=given))[..., 1:] for given in (None, [(120, 400, "#e07020")])
    )
    moved = np.linalg.norm(after - before, axis=2)
    suit, others = ((300, 100), (340, 70)), ((60, 230), (130, 220))
    assert all(moved[y - 8 : y + 8, x - 8 : x + 8].mean() > 15 for y, x in suit)
    assert all(moved[y - 8 : y + 8, x - 8 : x + 8].mean() < 4 for y, x in others)
    assert moved[142:158, 32:48].mean() < 10


def test_a_hint_does_not_pass_what_keeps_its_color(classifier, photographs):
    """Where the hint is "keep" the predicted color stays, and what looks like it takes much less of another hint."""
    grey = np.repeat(photographs[0][::2, ::2, 1:2], 3, axis=2)
    hint = (24, 24, "#9d4fe6")
    plain, hinted = classifier.predict(grey).astype(int), classifier.predict(grey, hints=[hint]).astype(int)
    reached = np.abs(hinted - plain).sum(axis=-1) > 20
    reached[:48, :48] = reached[:12] = reached[-12:] = reached[:, :12] = reached[:, -12:] = False
    y, x = np.argwhere(reached)[len(np.argwhere(reached)) // 2]
    kept = classifier.predict(grey, hints=[hint, (x, y, "keep", 2)]).astype(int)
    assert np.abs(kept[y, x] - plain[y, x]).max() < 8
    around = slice(y - 8, y + 9), slice(x - 8, x + 9)
    assert np.abs(kept - plain)[around].mean() < 0.7 * np.abs(hinted - plain)[around].mean()
    assert np.abs(kept[24, 24] - hinted[24, 24]).max() < 8


def test_hints_in_batches_and_lists(classifier, batch, photographs):
    """Each picture gets its own hints, nested as the pictures are."""
    hints = np.full((*batch.shape[:3], 2), np.nan)
    hints[1, 30:34, 30:34] = 60, 0
    results = classifier.predict(batch, hints=hints)
    np.testing.assert_array_equal(results[1], classifier.predict(batch[1], hints=hints[1]))
    for index in (0, 2):
        assert np.abs(results[index].astype(int) - classifier.predict(batch[index])).max() <= 1
    several = classifier.predict(list(photographs[:2]), hints=[None, hints_at(photographs[1], [(10, 10)])])
    assert [result.shape for result in several] == [photo.shape for photo in photographs[:2]]


def test_hints_everywhere_are_the_result(classifier, photographs):
    """With the truth at each pixel the result is the truth, but for the small size of chroma."""
    photo = photographs[1]
    assert psnr(classifier.predict(photo, hints=rgb_to_lab(photo)[..., 1:].astype(np.float32)), photo) > 30


@pytest.mark.slow
def test_hints_are_saved(classifier, tmp_path, photographs):
    """A saved and a copied model take hints alike; a damaged array is refused."""
    hints = hints_at(photographs[1], [(100, 100)])
    expected = classifier.predict(photographs[1], hints=hints)
    classifier.save(tmp_path / "model.labcolor")
    for again in (Colorizer.load(tmp_path / "model.labcolor"), copy.deepcopy(classifier)):
        np.testing.assert_array_equal(again.predict(photographs[1], hints=hints), expected)
    projection, *others = classifier.model_.hints
    for damaged in (projection[:5, :3], projection[:5], np.float32(1)):
        model = replace(classifier.model_, hints=(damaged, *others))
        (tmp_path / "damaged.labcolor").write_bytes(model.to_bytes())
        with pytest.raises(ModelFileError, match="hints0"):
            Colorizer.load(tmp_path / "damaged.labcolor")


def test_the_reference_network_takes_none(reference):
    """Hints for a model without the means are refused, rather than ignored."""
    with pytest.raises(InputError, match="hints: this model cannot spread known colors"):
        reference.predict(np.zeros((4, 6)), hints=np.zeros((4, 6, 2)))

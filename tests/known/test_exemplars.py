"""Exemplars: colors go to what looks like a colored photograph, and nowhere else."""

import io

import numpy as np
import pytest
from PIL import Image

from labcolor import Colorizer, Look, colorize_frames, rgb_to_lab, write_picture
from labcolor.cli import main
from labcolor.errors import InputError, InputTypeError, PictureFileError
from labcolor.io.pictures import read_picture
from labcolor.metrics import psnr

TINT = np.array([1.0, 0.6, 0.85])  # not the colors of the photograph: what comes out came from the exemplar


@pytest.fixture(scope="module")
def halves(photographs):
    """Both halves of a photograph in odd colors, the left one as an exemplar, the right one in grey."""
    coffee = photographs[2]
    grey = np.rint(coffee @ np.array([0.299, 0.587, 0.114]))
    colored = np.clip(0.8 * grey[..., None] * TINT, 0, 255).astype(np.uint8)
    return colored[:, :300], np.repeat(rgb_grey(colored[:, 300:]), 3, axis=2), colored[:, 300:]


def rgb_grey(colored):
    """The luma of a picture, (H, W, 1)."""
    return np.rint(colored @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., None]


def error(result, true):
    """Mean distance of ab."""
    return np.abs(rgb_to_lab(result)[..., 1:] - rgb_to_lab(true)[..., 1:]).mean()


def test_a_half_colors_the_other(classifier, halves):
    """The right half of a photograph takes the colors of the left one, which are odd."""
    left, grey, true = halves
    assert error(classifier.predict(grey, like=left), true) < 0.4 * error(classifier.predict(grey), true)


def test_another_photograph_changes_little(classifier, photographs):
    """What looks like nothing in the exemplar keeps its predicted color."""
    cat, rocket = photographs[1], photographs[3]
    plain, result = classifier.predict(cat), classifier.predict(cat, like=rocket)
    assert psnr([result], [cat]) > psnr([plain], [cat]) - 0.2
    assert error(result, plain) < 1


def test_a_grey_exemplar_says_that_it_stays_grey(classifier, halves):
    """Grey, in one channel or in three, is a color, which is taken over as well."""
    left, grey, _ = halves
    plain = classifier.predict(grey)
    for exemplar in (rgb_grey(left), np.repeat(rgb_grey(left), 3, axis=2)):
        result = classifier.predict(grey, like=exemplar)
        assert np.abs(rgb_to_lab(result)[..., 1:]).mean() < 0.3 * np.abs(rgb_to_lab(plain)[..., 1:]).mean()


def test_every_kind_of_picture_is_an_exemplar(classifier, halves, tmp_path):
    """A path, bytes, an open file, an image and arrays of other kinds give one result; several in any order, too."""
    left, grey, _ = halves
    path = tmp_path / "left.png"
    write_picture(path, left)
    expected = classifier.predict(grey, like=left)
    kinds = [path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), Image.open(path), [left], left[None]]
    for like in kinds:
        np.testing.assert_array_equal(classifier.predict(grey, like=like), expected)
    both = [classifier.predict(grey, like=like) for like in ([left, grey[:40]], (grey[:40], left))]
    assert error(*both) < 0.01
    assert classifier.predict([grey], like=left)[0].shape == grey.shape


def test_a_file_that_changes_is_looked_at_again(classifier, halves, tmp_path):
    """What is remembered of a file is forgotten when the file is another one."""
    left, grey, _ = halves
    path = tmp_path / "left.png"
    write_picture(path, left)
    first = classifier.predict(grey, like=path)
    write_picture(path, np.ascontiguousarray(left[..., ::-1]))
    assert error(classifier.predict(grey, like=path), first) > 5


def test_another_engine_looks_again(halves):
    """What one engine has seen of an exemplar is not mixed with what another one sees."""
    left, grey, _ = halves
    both = Colorizer.from_pretrained().set_params(engine="onnxruntime-int8")
    both.predict(grey, like=left)
    alone = Colorizer.from_pretrained().set_params(engine="onnxruntime")
    np.testing.assert_array_equal(
        both.set_params(engine="onnxruntime").predict(grey, like=left), alone.predict(grey, like=left)
    )


def test_transparent_parts_have_no_color(classifier, halves):
    """Where an exemplar is transparent its color is not taken over."""
    left, grey, _ = halves
    alpha = np.full((*left.shape[:2], 1), 255, np.uint8)
    alpha[:200] = 0
    masked = left.copy()
    masked[:200] = (0, 255, 0)
    result = classifier.predict(grey, like=np.concatenate([masked, alpha], axis=2))
    assert rgb_to_lab(result)[..., 1].min() > -40
    with pytest.raises(InputError, match="like: expected a photograph, got a transparent picture"):
        classifier.predict(grey, like=np.concatenate([left, 0 * alpha], axis=2))


def test_hints_win_over_exemplars(classifier, halves):
    """A hint holds at its place."""
    left, grey, _ = halves
    hints = np.full((*grey.shape[:2], 2), np.nan, np.float32)
    hints[100:120, 100:120] = -30, 30
    ab = rgb_to_lab(classifier.predict(grey, like=left, hints=hints))[104:116, 104:116, 1:]
    assert np.abs(ab - (-30, 30)).mean() < 4


def test_a_video_takes_the_colors_of_a_still(classifier, halves):
    """All frames of a shot take the colors of an exemplar."""
    left, grey, true = halves
    frames = [grey[:, start : start + 200, 0] for start in range(0, 12, 2)]
    plain = list(colorize_frames(frames, classifier))
    results = list(colorize_frames(frames, classifier, look=Look(like=left)))
    for index, start in ((0, 0), (5, 10)):
        there = true[:, start : start + 200]
        assert error(results[index], there) < 0.5 * error(plain[index], there)


def test_saturation_leaves_the_colors_of_an_exemplar(classifier, halves):
    """At 0 predicted colors are grey and those of the exemplar stay, in pictures, albums and videos alike."""
    left, grey, true = halves
    result = classifier.predict(grey, like=left, saturation=0)
    assert error(result, true) < 0.4 * error(grey, true)
    assert error(classifier.predict(grey, saturation=0), grey) == 0
    look = Look(smoothing=0, consistency=False, like=left)
    (frame,) = colorize_frames([grey], classifier, saturation=0, look=look)
    np.testing.assert_array_equal(frame, result)
    (alone,) = classifier.predict([grey], like=left, saturation=0, consistent=True)
    assert error(alone, result) < 0.2
    (steady,) = colorize_frames([grey], classifier, saturation=0, look=Look(like=left))
    assert error(steady, result) < 0.2


def test_the_command_line_takes_exemplars(classifier, halves, tmp_path):
    """``--like`` gives what ``predict`` gives."""
    left, grey, _ = halves
    for name, picture in (("left.png", left), ("grey.png", grey)):
        write_picture(tmp_path / name, picture)
    given = [str(tmp_path / name) for name in ("grey.png", "out.png", "left.png")]
    assert main(["colorize", *given[:2], "--like", given[2]]) == 0
    np.testing.assert_array_equal(read_picture(tmp_path / "out.png"), classifier.predict(grey, like=left))
    assert main(["colorize", given[0], str(tmp_path / "two.png"), "--like", str(tmp_path / "none.png")]) != 0
    assert not (tmp_path / "two.png").exists()


@pytest.mark.parametrize(
    ("like", "kind", "words"),
    [
        ([], InputError, "like: expected at least one photograph"),
        (object(), InputTypeError, "like: expected"),
        (["missing.png"], PictureFileError, r"missing.png: expected a picture file, but it does not exist"),
        ([np.zeros((4, 4)), "x"], PictureFileError, "x"),
        (np.zeros((3, 4, 4, 5), np.uint8), InputError, r"like\[0\]"),
    ],
)
def test_what_is_no_exemplar_is_refused(classifier, like, kind, words):
    """One clear error names the parameter or the file."""
    with pytest.raises(kind, match=words):
        classifier.predict(np.zeros((32, 32), np.uint8), like=like)


def test_a_model_without_hints_takes_no_exemplars(reference, halves):
    """Exemplars need a model that spreads hints; the error says so for pictures and videos."""
    left, grey, _ = halves
    with pytest.raises(InputError, match="like: this model cannot spread known colors"):
        reference.predict(grey, like=left)
    with pytest.raises(InputError, match="like: this model cannot spread known colors"):
        colorize_frames([grey], reference, look=Look(like=left))


def test_looks_with_pictures_can_be_compared():
    """Looks are equal if their exemplars are, whether paths, arrays or both; equal ones have one hash."""
    photo = np.zeros((4, 5, 3), np.uint8)
    looks = [Look(), Look(like="a.jpg"), Look(like=photo), Look(like=photo + 1), Look(like=[photo, "a.jpg"])]
    again = [Look(), Look(like="a.jpg"), Look(like=photo.copy()), Look(like=photo + 1), Look(like=(photo, "a.jpg"))]
    assert [[one == other for other in again] for one in looks] == np.eye(5, dtype=bool).tolist()
    assert len({*looks, *again}) == 5
    assert Look(like=photo) != Look(like=photo, smoothing=0)
    assert Look() != "a.jpg"

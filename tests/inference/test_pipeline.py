"""Prediction: every shape and dtype, luminance kept, nothing modified."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from labcolor import Colorizer, rgb_to_lab, rgb_to_lightness
from labcolor.colorizer import pipeline_of
from labcolor.errors import InputError, NotFittedError
from labcolor.inference.pipeline import Pipeline
from labcolor.io.inputs import as_pictures
from labcolor.metrics import colorfulness
from labcolor.networks import BinsHead, RegressionHead
from labcolor.pictures.small import SmallPicture

RANDOM = np.random.default_rng(0)
DTYPES = [np.uint8, np.uint16, np.float16, np.float32, np.float64, np.bool_]


def picture(shape, dtype):
    """Random values of a shape and dtype over the dtype's range."""
    unit = RANDOM.random(shape)
    if np.dtype(dtype).kind == "u":
        return (unit * np.iinfo(dtype).max).astype(dtype)
    return (unit > 0.5) if dtype == np.bool_ else unit.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3), (20, 30, 4)])
@pytest.mark.parametrize("nesting", ["single", "batch", "list", "tuple"])
def test_shape_dtype_and_nesting_come_back(small, shape, dtype, nesting):
    """Every kind of picture gives RGB, or RGBA with its alpha untouched, as it was nested and of its dtype."""
    one = picture(shape, dtype)
    given = {"single": one, "batch": np.stack([one, one]), "list": [one, one[:7]], "tuple": (one,)}[nesting]
    before = np.array(one)
    result = small.predict(given)
    assert type(result) is type(given)
    first = result if nesting == "single" else result[0]
    channels = 4 if shape[2:] == (4,) else 3
    assert first.shape == (20, 30, channels)
    assert first.dtype == (np.uint8 if dtype == np.bool_ else dtype)
    if channels == 4:
        expected = one[..., 3].astype(np.uint8) * 255 if dtype == np.bool_ else one[..., 3]
        np.testing.assert_array_equal(first[..., 3], expected)
    if nesting == "list":
        assert result[1].shape == (7, 30, channels)
    np.testing.assert_array_equal(one, before)


def test_a_batch_of_grey_pictures_without_channels(small):
    """(N, H, W) is a batch."""
    assert small.predict(picture((6, 20, 30), np.uint8)).shape == (6, 20, 30, 3)


def test_nothing_in_nothing_out(small):
    """An empty list or batch gives an empty one."""
    assert small.predict([]) == []
    assert small.predict(np.empty((0, 5, 6, 3), np.uint8)).shape == (0, 5, 6, 3)


def test_luminance_is_kept(reference, photographs):
    """On photographs the mean change of L is far below what can be seen, and color is really there."""
    for photo in photographs:
        colored = reference.predict(photo)
        assert np.abs(rgb_to_lightness(colored) - rgb_to_lightness(photo)).mean() < 0.2
        assert colorfulness(colored) > 3


def test_only_lightness_is_looked_at(reference, photographs):
    """A color picture and its grey version get the same colors, up to the rounding of the grey."""
    for photo in photographs[:2]:
        difference = reference.predict(photo).astype(int) - reference.predict(as_pictures(photo)[0][0].grey())
        assert np.abs(difference).mean() < 1.5


def test_dtypes_agree(reference, photographs):
    """The same picture in 8 bits, 16 bits and floats gets the same colors."""
    photo = photographs[0]
    eight = reference.predict(photo)
    sixteen = reference.predict(photo.astype(np.uint16) * 257)
    floats = reference.predict(photo / 255)
    assert np.abs(sixteen / 257 - eight).max() <= 1
    assert np.abs(floats * 255 - eight).max() <= 1


@pytest.mark.parametrize("name", ["reference", "efficientnet"])
@pytest.mark.slow
def test_saturation_goes_from_grey_to_vivid(name, photographs):
    """Saturation 0 gives the grey picture; more gives more color, never other lightness."""
    colorizer = Colorizer.from_pretrained(name)
    for photo in photographs[:3]:
        results = [colorizer.predict(photo, saturation=value) for value in (0, 0.5, 1, 1.5, 2, 3)]
        amounts = [colorfulness(result) for result in results]
        assert amounts[0] < 1
        assert amounts == sorted(amounts)
        assert np.abs(rgb_to_lightness(results[-1]) - rgb_to_lightness(photo)).mean() < 0.3


def test_an_overview_is_mixed_in(photographs):
    """Colors change in proportion to its share; a working size that is no larger than it has none."""
    whole = SmallPicture.of(as_pictures(photographs[0])[0][0], 96)
    pipeline = pipeline_of(Colorizer.from_pretrained())
    model, engine = pipeline.model, pipeline.engine

    def ab(share, small=whole, size=96):
        pipeline = Pipeline(replace(model, overview=share), engine, size)
        (chroma,) = pipeline.chroma([small])
        np.testing.assert_allclose(pipeline.quieted(*pipeline.located_chroma(small)[0]), chroma, atol=1e-4)
        return chroma

    plain, only = ab(0.0), ab(1.0)
    np.testing.assert_allclose(ab(0.5), (ab(0.25) + ab(0.75)) / 2, atol=1e-3)
    assert np.abs(plain - only).mean() > 1
    # an overview's colors lie where those of the picture do
    assert np.corrcoef(plain.ravel(), only.ravel())[0, 1] > max(
        np.corrcoef(plain.ravel(), np.roll(only, (rows, columns), (0, 1)).ravel())[0, 1]
        for rows, columns in ((3, 0), (-3, 0), (0, 3), (0, -3))
    )
    np.testing.assert_array_equal(ab(0.5, whole.reduced(64), 64), ab(0.0, whole.reduced(64), 64))


def test_unknown_pictures_stay_quiet(photographs):
    """A clock out of focus loses most of its color, a portrait next to nothing, each by one factor."""
    pipeline = pipeline_of(Colorizer.from_pretrained())
    loud = Pipeline(replace(pipeline.model, quiet=0.0), pipeline.engine, pipeline.working_size)

    def factor(picture):
        one = SmallPicture.of(as_pictures(picture)[0][0], pipeline.working_size)
        for saturation in (0.5, 1.7):
            (quiet,), (full,) = pipeline.chroma([one], saturation), loud.chroma([one], saturation)
            share = np.vdot(quiet, full) / np.vdot(full, full)
            np.testing.assert_allclose(quiet, share * full, atol=1e-3)
        return share

    assert 0.2 <= factor(skimage.data.clock()) < 0.3
    assert factor(photographs[0]) > 0.95


class Lightness:
    """An engine whose network gives the mean lightness of each place as both a and b."""

    def run(self, batch):
        """Return scaled L at a quarter of the size."""
        count, height, width, _ = batch.shape
        means = batch.reshape(count, height // 4, 4, width // 4, 4).mean(axis=(2, 4))
        return [np.stack([means, means], axis=-1)]


@pytest.mark.parametrize("shape", [(96, 96), (100, 149), (149, 101), (131, 96)])
@pytest.mark.parametrize("bar", [0, 20])
def test_an_overview_lies_where_the_picture_is(classifier, shape, bar):
    """It is mirrored and goes beyond the picture by a part of a pixel, but ramps of lightness are in their places."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    ramp = np.pad(60 + rows / 2 + columns, ((0, 0), (bar, 0))).astype(np.uint8)
    one = SmallPicture.of(as_pictures(ramp)[0][0], 96)
    model = replace(classifier.model_, head=RegressionHead(stride=4), quiet=0.0)
    look, over = (
        Pipeline(replace(model, overview=share), Lightness(), 96).chroma([one])[0][3:-3, 3:-3, 0] for share in (0, 1)
    )
    inside = np.s_[:, 10:] if bar else np.s_[:]
    assert np.ptp(look[inside]) > 20
    np.testing.assert_allclose(
        over[inside], look[inside], atol=0.35
    )  # rounded levels are details, which gain a quarter


def test_uncertainty_lies_where_the_picture_does(monkeypatch):
    """Its map is enlarged like chroma is, and an empty batch has an empty one."""
    classifier = Colorizer.from_pretrained().set_params(working_size=33)

    def moments(head, outputs):
        """Return the position of each column as the deviation."""
        position = (np.arange(outputs.shape[2], dtype=np.float32) + 0.5) * 4 / 33
        return np.tile(np.square(position)[:, None], (*outputs.shape[:2], 1, 3))

    monkeypatch.setattr(BinsHead, "moments", moments)
    map_ = classifier.uncertainty(np.zeros((330, 330), np.uint8))
    true = (np.arange(330) + 0.5) / 330
    assert np.abs(map_[100] - true)[20:-20].max() < 0.005
    assert classifier.uncertainty(np.empty((0, 5, 6, 3), np.uint8)).shape == (0, 5, 6)


def test_uncertainty_tells_errors(photographs, reference, classifier):
    """On photographs the classifier is less sure where it is further from the truth."""
    maps = classifier.uncertainty(photographs)
    assert [map_.shape for map_ in maps] == [photo.shape[:2] for photo in photographs]
    colors = (classifier.predict(photo) for photo in photographs)
    errors = [
        np.linalg.norm(rgb_to_lab(result)[..., 1:] - rgb_to_lab(photo)[..., 1:], axis=2)
        for result, photo in zip(colors, photographs, strict=True)
    ]
    flat = (np.concatenate([values.reshape(-1) for values in group]) for group in (maps, errors))
    assert np.corrcoef(*flat)[0, 1] > 0.3
    with pytest.raises(InputError, match="expected a network that scores bins of ab"):
        reference.uncertainty(photographs[0])


def test_layout_does_not_matter(small):
    """Views that are not contiguous, read-only or big-endian give what their copies give."""
    wide = picture((60, 80, 3), np.uint16)
    wide.flags.writeable = False
    expected = small.predict(wide[::-2, 5:40].copy())
    np.testing.assert_array_equal(small.predict(wide[::-2, 5:40]), expected)
    np.testing.assert_array_equal(small.predict(wide[::-2, 5:40].astype(">u2")), expected)
    np.testing.assert_array_equal(small.predict(np.asfortranarray(wide[::-2, 5:40])), expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([8, 32, 50]))
def test_any_size_comes_back(small, height, width, working_size):
    """Sides of any length and any working size give a picture of the same size."""
    result = small.set_params(working_size=working_size).predict(np.zeros((height, width), np.uint8))
    small.set_params(working_size=32)
    assert result.shape == (height, width, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (20000, 1)])
def test_extreme_shapes(small, shape):
    """One pixel and one line are pictures too."""
    assert small.predict(picture(shape, np.uint8)).shape == (*shape, 3)


def test_one_of_many_is_as_one_alone(reference, photographs):
    """A picture gets the same colors alone, in a list, and in eight threads at once, within one level."""
    alone = [reference.predict(photo) for photo in photographs]
    for together, single in zip(reference.predict(photographs), alone, strict=True):
        assert np.abs(together.astype(int) - single).max() <= 1
    with ThreadPoolExecutor(8) as pool:
        for index, result in enumerate(pool.map(reference.predict, photographs * 2)):
            np.testing.assert_array_equal(result, alone[index % len(alone)])


def test_not_fitted():
    """Before a fit the error names the remedy, and is the kind that scikit-learn expects."""
    with pytest.raises(NotFittedError, match="from_pretrained") as caught:
        Colorizer().predict(np.zeros((8, 8)))
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AttributeError)


@pytest.mark.parametrize("value", [-1, 5, np.nan, "much", None, True])
def test_bad_saturation(small, value):
    """Saturation is a number from 0 to 4."""
    with pytest.raises(InputError, match="saturation: expected a number from 0 to 4"):
        small.predict(np.zeros((8, 8)), saturation=value)


def _straightforward(colorizer, photo):
    """The plain way with scikit-image, for a photograph whose working size needs no padding."""
    from skimage import color, transform

    lab = color.rgb2lab(photo)
    small = transform.resize(lab[..., 0], (136, 136), order=1, anti_aliasing=True)
    ab = colorizer.network_.predict_on_batch((small[None, ..., None] / 50 - 1).astype(np.float32))[0] * 128.0
    lab[..., 1:] = transform.resize(ab, lab.shape[:2], order=1, mode="edge")
    return np.clip(color.lab2rgb(lab), 0, 1)


@pytest.mark.tensorflow
def test_agrees_with_the_straightforward_way(reference, photographs):
    """The fast path gives what scikit-image and the network give together, but for how L is reduced."""
    photo = photographs[0]
    fast = reference.predict(photo) / 255
    assert np.abs(fast - _straightforward(reference, photo)).mean() < 0.01


@pytest.mark.parametrize(("rows", "columns", "value"), [(60, 0, 0), (0, 80, 3), (30, 30, 0), (30, 30, 245)])
def test_bars_are_no_part_of_the_picture(classifier, photographs, rows, columns, value):
    """Within a letterbox or a scan's margins a picture gets nearly the colors that it gets alone; bars stay grey."""
    picture = photographs[0]
    height, width, _ = picture.shape
    with_bars = np.pad(picture, ((rows, rows), (columns, columns), (0, 0)), constant_values=value)
    colored = classifier.predict(with_bars)
    inside = colored[rows : rows + height, columns : columns + width]
    difference = rgb_to_lab(inside)[..., 1:] - rgb_to_lab(classifier.predict(picture))[..., 1:]
    assert np.abs(difference).mean() < 6
    bars = np.concatenate([colored[: rows // 3].reshape(-1, 3), colored[:, : columns // 3].reshape(-1, 3)])
    assert np.ptp(bars.astype(int), axis=1).max() <= 1
    unsure = classifier.uncertainty(with_bars)
    assert not unsure[: rows // 3].any()
    assert unsure[rows + 20 : -rows - 20, columns + 20 : -columns - 20].min() > 0

"""The heads: bins, their targets, their weights, and the loss."""

import json

import numpy as np
import pytest

from labcolor import LabCodec, rgb_to_lab
from labcolor.errors import InputError
from labcolor.networks import BinsHead, RegressionHead, ab_bins, bin_loss, bin_targets, rebalancing
from labcolor.networks.bins import BIN_COUNT


def test_bins_cover_the_gamut_and_keep_the_color():
    """Each color of sRGB is spread over bins whose weights add up to one and whose mean is the color itself."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    ab = rgb_to_lab(colors)[:, 1:]
    targets = np.asarray(bin_targets(ab))
    np.testing.assert_allclose(targets.sum(axis=-1), 1, atol=1e-4)
    np.testing.assert_allclose(targets @ ab_bins(), ab, atol=2e-3)
    assert len(ab_bins()) == BIN_COUNT


def test_bins_are_the_corners_of_cells_with_colors():
    """The bins are the corners of the cells of the grid that contain a color of sRGB, with a margin of one unit."""
    # the faces of the RGB cube suffice, because each color inside lies between two of them along L
    first, second = (side.ravel() for side in np.meshgrid(*[np.linspace(0, 1, 65)] * 2))
    sides = np.stack([first, second], -1)
    faces = np.concatenate([np.insert(sides, axis, end, axis=1) for axis in range(3) for end in (0, 1)])
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    near = rgb_to_lab(faces)[:, None, 1:] + 2 * corners - 1
    cells = np.unique(np.floor(near / 10).reshape(-1, 2), axis=0)
    np.testing.assert_array_equal(ab_bins(), 10 * np.unique((cells[:, None] + corners).reshape(-1, 2), axis=0))


def test_rebalancing_raises_what_is_rare():
    """Rare bins weigh more than common ones, and the mean weight over the prior is one."""
    prior = np.array([0.9, 0.1, 0.0])
    weights = rebalancing(prior)
    assert weights[0] < weights[1] < weights[2]
    assert (weights * prior).sum() == pytest.approx(1)


def test_bin_loss_is_cross_entropy():
    """For a constant color and even scores the loss is the logarithm of the number of bins."""
    count = len(ab_bins())
    loss = bin_loss(128, np.ones(count), stride=4)(
        np.zeros((1, 8, 8, 2), np.float32), np.zeros((1, 2, 2, count), np.float32)
    )
    assert float(loss) == pytest.approx(np.log(count), rel=1e-5)


@pytest.mark.parametrize("scale", [0.1, 5, 1000])
def test_decoding_is_a_softmax(classifier, scale):
    """The kernels' fast exponential gives the mean and the deviation that numpy gives in double precision."""
    head, codec = classifier.model_.head, classifier.model_.codec
    bins = ab_bins().astype(float)
    scores = np.random.default_rng(0).normal(0, scale, (1, 9, 7, len(bins))).astype(np.float32)

    def shares(offsets, sharpness):
        logits = (scores + offsets) * sharpness
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True)

    offsets = (head.rebalancing - head.training) * head.log_weights.astype(float)
    mean = shares(offsets, 1 / head.temperature) @ bins
    mean += np.array(head.shrinkage) * (mean.mean(axis=(1, 2)) - mean)
    np.testing.assert_allclose(head.decode(scores, codec, 1.0), mean, atol=2e-3)
    likely = shares(-head.training * head.log_weights.astype(float), 1)
    variance = (likely @ (bins**2) - (likely @ bins) ** 2).sum(axis=-1)
    np.testing.assert_allclose(np.sqrt(head.moments(scores[0])[..., 2]), np.sqrt(variance[0]), atol=2e-2)


@pytest.mark.parametrize("saturation", [0.5, 1.0])
def test_colors_shrink_towards_the_mean_of_their_picture(saturation):
    """Each picture keeps its mean, and a and b each a part of their distance from it; Keras's layers agree."""
    import keras

    scores = np.random.default_rng(0).normal(0, 5, (2, 6, 4, BIN_COUNT)).astype(np.float32)
    shares = 0.25, 0.125
    plain, shrunk = (BinsHead(shrinkage=each).decode(scores, LabCodec(), saturation) for each in ((0.0, 0.0), shares))
    mean = plain.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(shrunk - mean, (0.75, 0.875) * (plain - mean), atol=1e-4)
    given = keras.Input((None, None, BIN_COUNT))
    network = keras.Model(given, BinsHead(shrinkage=shares).append(given, LabCodec()))
    np.testing.assert_allclose(saturation * np.asarray(network(scores)), shrunk, atol=1e-3)


def test_a_saved_head_comes_back():
    """With its parameters, from JSON too; its shares of shrinkage are two numbers from 0 to 0.9."""
    head = BinsHead(shrinkage=(0.25, 0.125))
    config = head.get_config()
    read = json.loads(json.dumps(config))
    assert BinsHead().restored(read, head.get_arrays()).get_config() == config
    for wrong in (0.25, [0.95, 0], [0.1, 0.1, 0.1], ["0.1", 0]):
        with pytest.raises(InputError, match="head shrinkage"):
            head.restored({**config, "shrinkage": wrong}, head.get_arrays())


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("stride", 0), ("training", 1.5), ("rebalancing", -0.1), ("temperature", 0), ("shrinkage", (1, 0))],
)
def test_parameters_out_of_range(name, wrong):
    """They are refused when a head is made, and when one is read."""
    with pytest.raises(InputError, match=f"head {name}"):
        BinsHead(**{name: wrong})
    with pytest.raises(InputError, match=f"head {name}"):
        BinsHead().restored({**BinsHead().get_config(), name: wrong}, BinsHead().get_arrays())


def test_parameters_of_another_type():
    """Nothing else than numbers is accepted, nor NaN."""
    for head, wrong in (
        (BinsHead, {"temperature": "warm"}),
        (RegressionHead, {"chroma": None}),
        (RegressionHead, {"stride": 1.5}),
    ):
        with pytest.raises(InputError, match=f"head {next(iter(wrong))}"):
            head(**wrong)
    with pytest.raises(InputError, match="head chroma"):
        RegressionHead(chroma=float("nan"))


def test_parameters_become_what_json_holds():
    """Numbers of NumPy and a list of shares, which stays the caller's, are accepted."""
    shares = [np.float32(0.25), 0]
    head = BinsHead(stride=np.int64(2), temperature=np.float32(0.5), shrinkage=shares)
    shares[0] = 5
    assert json.loads(json.dumps(head.get_config()))["shrinkage"] == [0.25, 0]
    assert json.dumps(RegressionHead(np.float32(0.5), np.int64(8)).get_config()) == '{"chroma": 0.5, "stride": 8}'
    with pytest.raises(InputError, match="log_weights"):
        BinsHead(log_weights=[1, [2]])

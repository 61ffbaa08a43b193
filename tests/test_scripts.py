"""Scripts that train what is packaged: the loss of given colors is what metrics say; a run changes the decoder."""

import argparse
import importlib
import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from labcolor import Colorizer, LabCodec, lab_to_rgb, rgb_to_lab, write_picture
from labcolor.metrics import colorfulness, psnr
from labcolor.networks import BinsHead, FittedModel, RegressionHead, ab_bins, bin_targets, get_architecture

pytestmark = pytest.mark.tensorflow


def script(name):
    """A script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1] / "scripts")
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def finish():
    """The script that trains given colors."""
    return script("finish")


@pytest.fixture
def folder(photographs, tmp_path):
    """A folder that holds the photographs."""
    for number, photo in enumerate(photographs):
        write_picture(tmp_path / f"{number}.png", photo)
    return tmp_path


def fitted(architecture, head):
    """A model of an architecture, with new weights and this head."""
    weights = tuple(architecture.network(seed=0).get_weights())
    return FittedModel(architecture, weights, LabCodec(), head, 128)


def pale_decibels(batch):
    """The mean PSNR of grey."""
    pale = [lab_to_rgb(picture * (1, 0, 0), dtype="uint8") for picture in rgb_to_lab(batch)]
    return np.mean([psnr(one, picture) for one, picture in zip(pale, batch, strict=True)])


def test_colors_and_their_measures_are_the_library_s(finish, batch):
    """Differentiable sRGB and colorfulness agree with those of labcolor."""
    lab = rgb_to_lab(batch)
    rgb = np.asarray(finish.to_rgb(lab[..., :1], lab[..., 1:]))
    np.testing.assert_allclose(rgb, lab_to_rgb(lab, dtype="float32"), atol=2e-3)
    expected = [colorfulness(picture) for picture in batch]
    np.testing.assert_allclose(finish.colorfulness(batch / np.float32(255)), expected, rtol=0.03)


def test_the_loss_is_psnr_and_the_price_of_color(finish, batch, tiny_classifier):
    """Two sets of scores differ in loss by PSNR and colorfulness, beside the cross-entropy."""
    model = fitted(tiny_classifier, BinsHead(stride=1, temperature=1.0))
    lab = np.concatenate(model.codec.encode(batch), axis=-1)
    right = np.log(np.asarray(bin_targets(lab[..., 1:] * 128)) + np.float32(1e-9))
    grey = np.zeros_like(right)
    grey[..., (ab_bins() == 0).all(axis=1)] = 20
    cost = {}
    for price in (0.0, 0.5):
        loss = finish.color_loss(model, (0.5, 0.5), (price, price), 1.0)
        plain = finish.color_loss(model, (0.5, 0.5), (price, price), 0.0)
        cost[price] = [float(loss(lab, scores)) - float(plain(lab, scores)) for scores in (right, grey)]
    decibels = pale_decibels(batch)
    assert cost[0.0][0] == pytest.approx(-40, abs=0.5)  # as good as the loss cares for
    assert cost[0.0][1] == pytest.approx(-decibels, abs=0.3)
    color = np.mean([colorfulness(picture) for picture in batch])
    assert cost[0.0][0] - cost[0.5][0] == pytest.approx(0.5 * color, rel=0.05)


def test_a_teacher_counts_as_much_as_the_truth(finish, batch):
    """A regression's loss is the mean of both PSNR; its squared error is from the truth alone."""
    model = fitted(get_architecture("reference"), RegressionHead())
    lightness, ab = model.codec.encode(batch)
    loss = finish.color_loss(model, (), (0.0,), 1.0)
    targets = np.concatenate([lightness, ab, 0 * ab], axis=-1)  # the teacher gives grey
    assert float(loss(targets, ab)) == pytest.approx(-(40 + pale_decibels(batch)) / 2, abs=0.3)


def test_an_overview_is_seen_beside_the_picture(finish, batch, tiny_classifier):
    """Scores of both: the second half are those of the reduced, mirrored picture, mirrored back and enlarged."""
    from keras import ops

    model = fitted(tiny_classifier, BinsHead())
    network = model.network
    lightness = model.codec.encode(np.tile(batch, (1, 4, 4, 1))[:, :128, :128])[0]
    both = np.asarray(finish.WithOverview(network)(lightness))
    np.testing.assert_allclose(both[..., :310], network(lightness), atol=1e-5)
    small = ops.image.resize(lightness, (64, 64), "bilinear", antialias=True)
    whole = ops.image.resize(ops.flip(network(ops.flip(small, 2)), 2), both.shape[1:3], "bilinear")
    np.testing.assert_allclose(both[..., 310:], whole, atol=1e-4)


def test_colors_of_an_overview_are_mixed_in_the_loss(finish, batch, tiny_classifier):
    """A quarter of grey beside the true colors costs what the mean of these costs."""
    model = replace(fitted(tiny_classifier, BinsHead(stride=1, temperature=1.0)), overview=0.25)
    lab = np.concatenate(model.codec.encode(batch), axis=-1)
    right = np.log(np.asarray(bin_targets(lab[..., 1:] * 128)) + np.float32(1e-9))
    grey = np.zeros_like(right)
    grey[..., (ab_bins() == 0).all(axis=1)] = 40
    scores = np.concatenate([right, grey], axis=-1)
    losses = [finish.color_loss(model, (0.5,), (0.0,), weight)(lab, scores) for weight in (1.0, 0.0)]
    mixed = [lab_to_rgb(picture * (1, 0.75, 0.75), dtype="uint8") for picture in rgb_to_lab(batch)]
    errors = [10 ** (-psnr(one, picture) / 10) for one, picture in zip(mixed, batch, strict=True)]
    expected = np.mean(10 * np.log10(np.array(errors) + 1e-4))
    assert float(losses[0]) - float(losses[1]) == pytest.approx(expected, abs=0.1)


class Drawn(list):
    """Pictures of which all can be used."""

    draw = list.__getitem__


def test_photographs_of_large_sets_occur_less_often(finish):
    """At level 1, 4,000 photographs count like 2,000, and 100 like 300."""
    model = fitted(get_architecture("reference"), RegressionHead())
    bright, dark = np.full((136, 136, 3), 255, np.uint8), np.zeros((136, 136, 3), np.uint8)
    options = argparse.Namespace(batch_size=64, level=1.0, contrast=0.35, film_aging=0.0, seed=0)
    sets = Drawn([bright] * 4000), Drawn([dark] * 100)
    found = itertools.islice(finish.batches(sets, model, options), 20)
    large = [pair[1][..., 0].mean(axis=(1, 2)) > 0 for pair in found]
    assert np.mean(large) == pytest.approx(2000 / 2300, abs=0.03)


@pytest.mark.slow
def test_a_run_changes_the_decoder_alone(finish, folder, monkeypatch):
    """Two steps: the encoder stays, kernels of the decoder and statistics of batch normalization do not."""
    start, end = folder / "start.labcolor", folder / "end.labcolor"
    Colorizer.from_pretrained().save(start)
    options = ["--start", start, "-o", end, "--steps", 2, "--batch-size", 2, "--precision", "float32"]
    monkeypatch.setattr(sys, "argv", ["finish.py", str(folder), *map(str, options)])
    monkeypatch.setattr(finish, "STATISTICS", 2)
    finish.main()
    before, after = Colorizer.load(start), Colorizer.load(end)
    *earlier, this = after.model_.training["finished"]
    assert earlier == before.model_.training["finished"]
    assert this["steps"] == 2
    names = [weight.path for weight in before.network_.weights]
    changed = {
        name.split("_")[0]
        for name, old, new in zip(names, before.model_.weights, after.model_.weights, strict=True)
        if not np.array_equal(old, new)
    }
    assert changed == {"decoder", "normalization"}


@pytest.mark.slow
def test_a_small_network_learns_from_a_teacher(finish, folder, monkeypatch):
    """Two steps of the reference network, beside the colors of the default model."""
    start, teacher, end = (folder / f"{name}.labcolor" for name in ("start", "teacher", "end"))
    Colorizer.from_pretrained("reference").save(start)
    Colorizer.from_pretrained().save(teacher)
    options = ["--start", start, "--teacher", teacher, "-o", end, "--steps", 2, "--batch-size", 2, "--share", 1]
    more = ["--precision", "float32", "--balances", "--prices", 0.04]
    monkeypatch.setattr(sys, "argv", ["finish.py", str(folder), *map(str, options + more)])
    finish.main()
    before, after = Colorizer.load(start).model_, Colorizer.load(end).model_
    assert after.training["finished"][-1]["options"]["prices"] == [0.04]
    assert not any(np.array_equal(old, new) for old, new in zip(before.weights, after.weights, strict=True))

"""Fine-tuning: a fit goes on from what start names, and does not ruin it."""

import numpy as np
import pytest

from labcolor import Colorizer
from labcolor.errors import InputError, ModelFileError
from labcolor.metrics import colorfulness

QUICK = {"epochs": 1, "crop_size": 32, "working_size": 32, "random_state": 0}


def encoder_and_decoder(colorizer):
    """The weights of the encoder, and the kernels of the decoder."""
    weights = colorizer.network_.weights
    encoder = [np.asarray(weight) for weight in weights if "encoder_" in weight.path]
    return encoder, [np.asarray(weight) for weight in weights if "decoder_" in weight.path]


def statistics(colorizer):
    """The weights of batch normalization: scales, offsets, means and variances."""
    return [np.asarray(weight) for weight in colorizer.network_.weights if "normalization_" in weight.path]


@pytest.mark.slow
def test_few_pictures_do_not_ruin_the_packaged_model(photographs, batch):
    """from_pretrained().fit goes on from the packaged weights with a frozen encoder: its colors stay much the same."""
    packaged = Colorizer.from_pretrained()
    before = packaged.score(photographs)
    trained = Colorizer.from_pretrained().set_params(epochs=2, random_state=0).fit(photographs)
    assert trained.score(photographs) > before - 0.5
    vivid = [np.mean([colorfulness(p) for p in one.predict(photographs)]) for one in (packaged, trained)]
    assert vivid[1] == pytest.approx(vivid[0], rel=0.25)
    (encoder, decoder), (old_encoder, old_decoder) = map(encoder_and_decoder, (trained, packaged))
    assert all(map(np.array_equal, encoder, old_encoder))
    assert not any(map(np.array_equal, decoder, old_decoder))
    np.testing.assert_array_equal(trained.model_.head.log_weights, packaged.model_.head.log_weights)
    assert len(trained.model_.hints) == len(packaged.model_.hints)


@pytest.mark.slow
def test_the_encoder_learns_at_its_own_rate(batch):
    """encoder_rate moves the encoder in proportion: with plain gradient descent, half the rate moves it half as far."""
    start = Colorizer.from_pretrained()
    old, _ = encoder_and_decoder(start)
    moved = []
    for rate in (1.0, 0.5):
        params = {**QUICK, "encoder_rate": rate, "optimizer": "sgd", "learning_rate": 1e-3}
        trained = Colorizer.from_pretrained().set_params(**params).fit(batch)
        moved.append(
            sum(np.abs(new - was).sum() for new, was in zip(encoder_and_decoder(trained)[0], old, strict=True))
        )
    assert moved[1] == pytest.approx(moved[0] / 2, rel=0.02)


@pytest.mark.slow
def test_batch_normalization_stays_as_it_is_with_a_start(batch, tiny_classifier, tmp_path):
    """A batch of one kind of pictures is no sample of the world. Where a training began with new weights, it learns."""
    colorizer = Colorizer(tiny_classifier, **QUICK)
    first = statistics(colorizer.partial_fit(batch))
    second = statistics(colorizer.partial_fit(batch))
    assert len(first) > 4
    assert not any(map(np.array_equal, second, first))
    colorizer.save(tmp_path / "mine.labcolor")
    started = Colorizer.load(tmp_path / "mine.labcolor").set_params(**QUICK)
    for train in (started.fit, started.partial_fit):
        assert all(map(np.array_equal, statistics(train(batch)), second))


@pytest.mark.slow
def test_a_clone_fits_from_the_same_start(batch, tmp_path):
    """scikit-learn's clone keeps start, so that fine-tuning can be searched over; load sets it to the file."""
    base = pytest.importorskip("sklearn.base")
    packaged = Colorizer.from_pretrained("reference").set_params(**QUICK, learning_rate=1e-9)
    cloned = base.clone(packaged)
    assert cloned.get_params() == packaged.get_params()
    assert cloned.start == "reference"
    packaged.save(tmp_path / "mine.labcolor")
    for colorizer in (cloned, Colorizer.load(tmp_path / "mine.labcolor").set_params(**QUICK, learning_rate=1e-9)):
        for ours, theirs in zip(colorizer.fit(batch).model_.weights, packaged.model_.weights, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
    with pytest.raises(ModelFileError, match="cannot be read"):
        Colorizer(start=tmp_path / "none.labcolor").fit(batch)
    with pytest.raises(InputError, match=r"network: the start is 'efficientnet', got 'reference'\. Set network to"):
        Colorizer(start="efficientnet").fit(batch)


def test_fit_is_repeatable_and_new_weights_are_asked_for(batch, caplog):
    """A second fit starts from the same; start=None, or nothing, trains new weights, and says what they need."""
    colorizer = Colorizer("tiny", **QUICK)
    first = colorizer.fit(batch).model_.weights
    assert all(map(np.array_equal, colorizer.fit(batch).model_.weights, first))
    assert "new weights need tens of thousands of crops to learn colors, got 5" in caplog.text


@pytest.mark.slow
def test_portions(batch):
    """partial_fit goes on from the present model, with its start before the first portion, and learns."""
    colorizer = Colorizer("tiny", **QUICK, learning_rate=1e-2)
    losses = [colorizer.partial_fit(batch).history_["loss"][0] for _ in range(15)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    started = Colorizer.from_pretrained("reference").set_params(**QUICK)
    kept = started.model_.hints
    seeds = {started.partial_fit(batch).model_.training["seed"] for _ in range(2)}
    assert len(seeds) == 2  # another pass has other crops
    assert started.partial_fit(batch).model_.training["learning_rate"] == 2e-4
    assert all(map(np.array_equal, started.model_.hints, kept))


@pytest.mark.slow
def test_optimizer_and_schedule_are_parameters(batch):
    """A Keras optimizer, by name or itself, and a schedule of one's own are used, and recorded."""
    import keras

    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2], [0.5, 0.25])
    colorizer = Colorizer("tiny", **{**QUICK, "epochs": 4}, learning_rate=schedule, optimizer="sgd").fit(batch)
    assert colorizer.history_["learning_rate"] == [0.5, 0.5, 0.25, 0.25]
    assert "PiecewiseConstantDecay" in colorizer.model_.training["learning_rate"]
    colorizer = Colorizer("tiny", **QUICK, optimizer=keras.optimizers.AdamW(0.125)).fit(batch)
    assert colorizer.history_["learning_rate"] == [0.125]
    with pytest.raises(InputError, match="optimizer: expected a Keras optimizer or its name"):
        Colorizer("tiny", **QUICK, optimizer="addam").fit(batch)

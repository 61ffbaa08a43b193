"""A training shows itself: held-out figures, early stopping, callbacks, progress, and losses that are no numbers."""

from hashlib import sha256

import numpy as np
import pytest

from labcolor import Colorizer
from labcolor.errors import InputError, ModelFileError
from labcolor.metrics import psnr

QUICK = {"epochs": 3, "crop_size": 32, "working_size": 32, "random_state": 0}
HELD_OUT = ["val_loss", "val_psnr", "val_ciede2000", "val_colorfulness"]


def test_held_out_figures_of_each_epoch(batch):
    """validation=, pictures or a share, gives figures for each epoch and the start, and the best weights are kept."""
    colorizer = Colorizer("tiny", **QUICK, learning_rate=1e-2).fit(batch, validation=0.4)
    history, training = colorizer.history_, colorizer.model_.training
    assert list(history) == ["loss", "learning_rate", *HELD_OUT]
    assert {len(values) for values in history.values()} == {3}
    assert (training["pictures"], training["held_out"]) == (3, 2)
    best = training["best_epoch"]
    assert (
        min([training["before"]["loss"], *history["val_loss"]])
        == ([training["before"]["loss"], *history["val_loss"]])[best]
    )
    figures = history["val_psnr"][best - 1] if best else training["before"]["psnr"]
    order = sorted(range(5), key=lambda index: sha256(str(index).encode()).digest())
    crops = batch[sorted(order[:2]), 16:48, 16:48]
    # predictions are made at the same scale, but with the picture mirrored around
    assert np.mean([psnr(a, b) for a, b in zip(colorizer.predict(list(crops)), crops, strict=True)]) == pytest.approx(
        figures, abs=1
    )


def test_the_best_weights_are_kept(batch):
    """A training that makes everything worse ends with the weights of its start, and patience ends it early."""
    params = {**QUICK, "epochs": 9, "learning_rate": 1.0, "patience": 2}
    colorizer = Colorizer.from_pretrained("reference").set_params(**params)
    packaged = colorizer.model_.weights
    colorizer.fit(batch, validation=batch)
    assert colorizer.model_.training["ending"] == "stopped"
    assert colorizer.model_.training["best_epoch"] == 0
    assert len(colorizer.history_["loss"]) == 2
    assert all(map(np.array_equal, colorizer.model_.weights, packaged))


def test_a_training_that_ends_within_an_epoch_is_not_thrown_away(batch):
    """Ctrl-C in the first epoch, with held-out pictures, keeps what the steps so far made better."""
    import keras

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, step, logs=None):
            self.model.stop_training = step == 3

    params = {**QUICK, "batch_size": 1, "learning_rate": 1e-3}
    colorizer = Colorizer("tiny", **params).fit(batch, validation=batch, callbacks=[Stop()])
    training = colorizer.model_.training
    assert (training["steps"], training["ending"], training["best_epoch"]) == (4, "stopped", 1)


@pytest.mark.slow
def test_callbacks_of_keras(batch, tmp_path):
    """EarlyStopping on a held-out figure, CSVLogger, ModelCheckpoint and ones of one's own work, as in Keras's fit."""
    import keras

    seen = []
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=1e3),
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "best.keras"), monitor="val_psnr", mode="max"),
        keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append(("batch", batch, list(logs))),
            on_epoch_end=lambda epoch, logs: seen.append(("epoch", epoch)),
        ),
    ]
    params = {**QUICK, "batch_size": 3, "epochs": 9}
    colorizer = Colorizer("tiny", **params).fit(batch, validation=batch, callbacks=callbacks)
    assert seen[:3] == [("batch", 0, ["loss"]), ("batch", 1, ["loss"]), ("epoch", 0)]
    assert seen[-1] == ("epoch", 1)
    assert colorizer.model_.training["ending"] == "stopped"
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert set(HELD_OUT) < set(header.split(","))
    with pytest.raises(ModelFileError, match=r"got a Keras file, .* with validation and checkpoint"):
        Colorizer.load(tmp_path / "best.keras")


@pytest.mark.parametrize("validation", [1, 0, 0.6, -0.1, float("nan"), True, 5])
def test_a_share_is_between(batch, validation):
    """validation=1, and other numbers that leave nothing to train or to measure on, are refused by name."""
    with pytest.raises(InputError, match="validation: expected"):
        Colorizer("tiny", **QUICK).fit(batch, validation=validation)


def test_held_out_pictures_must_have_colors(batch):
    """Of one picture none can be held out, and grey pictures cannot be measured on."""
    with pytest.raises(InputError, match=r"expected more pictures than are held out, got 1\."):
        Colorizer("tiny", **QUICK).fit(batch[:1], validation=0.5)
    with pytest.raises(InputError, match=r"validation: expected color pictures, but none of the 5 .*: 5 grey"):
        Colorizer("tiny", **QUICK).fit(batch, validation=np.zeros_like(batch))


def test_a_loss_that_is_no_number_ends_the_training(batch):
    """The error names the step and the remedy, and the model has the last good weights."""
    colorizer = Colorizer("tiny", **{**QUICK, "epochs": 50})
    with pytest.raises(InputError, match=r"learning_rate: the loss of step \d+ was not a number. Lower"):
        colorizer.fit(batch, callbacks=[spoiler(2)])
    assert all(np.isfinite(weight).all() for weight in colorizer.model_.weights)
    assert colorizer.model_.training["ending"] == "diverged"
    assert colorizer.predict(batch).shape == batch.shape


def spoiler(step):
    """A callback that ruins a weight after a step."""
    import keras

    class Spoiler(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == step:
                self.model.set_weights([weight * np.nan for weight in self.model.get_weights()])

    return Spoiler()


def test_a_line_for_each_epoch_and_a_bar(batch, capsys):
    """verbose=2 prints a line for each epoch to standard error, verbose=1 a bar with its figures, 0 nothing."""
    output = []
    for verbose in (0, 1, 2):
        Colorizer("tiny", **QUICK, verbose=verbose).fit(batch, validation=batch)
        captured = capsys.readouterr()
        assert captured.out == ""
        output.append(captured.err)
    assert output[0] == ""
    assert "3/3" in output[1]
    assert "val_psnr" in output[1]
    lines = output[2].splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1/3: ")
    assert "val_loss" in lines[0]
    assert "val_colorfulness" in lines[0]

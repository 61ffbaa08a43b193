"""Training of a model: its start, the network, held-out figures, and the record of the training."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from labcolor.backends.keras import keras
from labcolor.base.typing import Array
from labcolor.color.chroma import Chroma
from labcolor.color.codec import LabCodec
from labcolor.errors import InputError
from labcolor.metrics import ciede2000, colorfulness, psnr
from labcolor.networks.heads import Head
from labcolor.networks.layers import every_layer
from labcolor.networks.model import FittedModel
from labcolor.networks.onnx_form import digest
from labcolor.networks.registry import Architecture
from labcolor.pictures.crops import center_crop
from labcolor.pictures.picture import as_picture
from labcolor.training.checkpoint import Checkpoint, CheckpointFile
from labcolor.training.crops import count_steps, crop_batches
from labcolor.training.data import PictureList, summarize_left_out
from labcolor.training.devices import check_same, is_main_process
from labcolor.training.loop import Training, TrainingLoss, make_optimizer
from labcolor.training.recipe import Recipe, as_seed

# Defaults of a training from new weights, and of a training from a trained model.
_NEW_RATE, _START_RATE = 1e-3, 2e-4
_NEW_ENCODER, _START_ENCODER = 1.0, 0.0
_ENCODER = "encoder_"  # prefix of the layers of a pretrained encoder
_FEW = 20_000  # number of crops; new weights that learned from fewer predict nearly grey
_VALIDATION_BATCH = 32
_log = logging.getLogger(__name__)


def fit_network(
    architecture: Architecture,
    recipe: Recipe,
    pictures: PictureList,
    *,
    working_size: int,
    start: FittedModel | None = None,
    constant: bool = False,
    held_out: PictureList | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 300,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> FittedModel:
    """Train a network on pictures.

    Parameters
    ----------
    architecture : Architecture
        The architecture to train.
    recipe : Recipe
        The parameters of the training.
    pictures : PictureList
        Pictures from :func:`labcolor.training.data.training_pictures`.
    working_size : int
        As for :class:`labcolor.Colorizer`.
    start : FittedModel, optional
        A model of the same architecture, whose weights, codec, head, hints and overview the training keeps or improves.
    constant : bool
        Whether to train for one epoch at a constant learning rate.
    held_out : PictureList, optional
        Pictures for validation.
    checkpoint : Path, optional
        File in which the training is saved, and from which it resumes.
    checkpoint_seconds : float
        Time between two checkpoints.
    callbacks : sequence of keras.callbacks.Callback
        As for :meth:`labcolor.Colorizer.fit`.

    Returns
    -------
    FittedModel
        The trained model. ``training["ending"]`` is "complete", "stopped" by patience or a callback, "interrupted" by
        Ctrl-C, or "diverged" if the loss became nan. Then the model has the weights of some steps earlier.

    Raises
    ------
    InputError
        ``start`` has another architecture, or no picture can be used.
    ModelFileError
        The checkpoint cannot be written, is damaged, or belongs to another training.
    """
    if start is not None and _described(start.architecture) != _described(architecture):
        raise InputError(
            f"network: the start is {_described(start.architecture)}, got {_described(architecture)}. Set network to "
            f"that of the start, or start=None to train new weights."
        )
    pictures.draw(0)  # raises an error if no picture is usable, before a file is written
    settings = _settings(recipe, start, constant)
    record = {name: _recorded(value) for name, value in settings.items()}
    epochs, batch_size = settings["epochs"], min(recipe.batch_size, len(pictures))
    steps = count_steps(len(pictures), batch_size)
    if start is None and steps * batch_size * epochs < _FEW:
        _log.warning(
            "new weights need tens of thousands of crops to learn colors, got %d: expect nearly grey. Start from a "
            "packaged model: Colorizer.from_pretrained().",
            steps * batch_size * epochs,
        )
    base = start or FittedModel(architecture, (), recipe.codec or LabCodec(), architecture.head, working_size)
    codec, head = base.codec, base.head
    about = {
        "network": _described(architecture),
        "start": None if start is None else digest(start.weights)[:16],
        "codec": codec.get_config(),
        "pictures": pictures.digest,
        "validation": None if held_out is None else held_out.digest,
        **record,
    }
    seed = None if recipe.random_state is None else as_seed(recipe.random_state)
    file = found = None
    if checkpoint is not None:
        same = about if seed is None else {**about, "random_state": seed}
        file = CheckpointFile(checkpoint, same, checkpoint_seconds)
        found = file.found
    seed = int(found.state["seed"]) if found is not None else as_seed(seed)
    if constant and start is not None:
        seed ^= int(digest(start.weights)[:8], 16)  # another pass over the same portion uses other crops
    check_same({**about, "seed": seed, "steps": 0 if found is None else found.state["steps"]})

    batches = partial(
        crop_batches,
        pictures,
        codec,
        size=recipe.crop_size,
        batch_size=batch_size,
        seed=seed,
        film_aging=recipe.film_aging,
    )
    network = architecture.network(seed=seed, dtype=recipe.precision)
    if start is not None:
        network.set_weights(start.weights)
    elif found is not None:
        arrays = {name: found.arrays[f"head/{name}"] for name in head.get_arrays()}
        head = head.restored(head.get_config(), arrays)
    else:
        head = head.prepared(batches(epochs=1), codec)
    if file is not None:
        arrays = {f"head/{name}": array for name, array in head.get_arrays().items()}
        file.constants = Checkpoint({"seed": seed}, arrays)
    loss = head.loss(codec)
    outcome = Training(
        network,
        loss,
        _optimizer(network, settings, steps * epochs),
        steps_per_epoch=steps,
        epochs=epochs,
        batch_size=batch_size,
        validate=None if held_out is None else _validation(held_out, head, codec, loss, recipe.crop_size),
        patience=recipe.patience,
        callbacks=callbacks,
        verbose=int(recipe.verbose) if is_main_process() else 0,
        checkpoint=file,
    ).run(lambda first: batches(epochs=epochs, first=first))
    left_out = pictures.left_out
    if left_out:
        _log.warning("left out of the training: %s of %d pictures.", summarize_left_out(left_out), len(pictures))
    training: dict[str, Any] = {
        "pictures": len(pictures) - sum(left_out.values()),
        "left_out": left_out,
        "seed": seed,
        "start": about["start"],
        **record,
        "steps": outcome.steps,
        "ending": outcome.ending,
    }
    if held_out is not None:
        usable = len(held_out) - sum(held_out.left_out.values())
        training |= {"held_out": usable, "before": outcome.before, "best_epoch": outcome.best}
    return replace(
        base,
        architecture=architecture,
        weights=tuple(network.get_weights()),
        head=head,
        working_size=working_size,
        history=outcome.history,
        training=training,
        onnx_form=None,
    )


def _settings(recipe: Recipe, start: FittedModel | None, constant: bool) -> dict[str, Any]:
    """Return the settings that determine a training beside its pictures and its seed, with defaults."""
    names = ("crop_size", "batch_size", "epochs", "patience", "learning_rate", "optimizer", "encoder_rate")
    settings = {name: getattr(recipe, name) for name in (*names, "film_aging", "precision")}
    if constant:
        settings["epochs"] = 1
    if recipe.learning_rate is None and isinstance(recipe.optimizer, str):
        settings["learning_rate"] = _NEW_RATE if start is None else _START_RATE
    if recipe.encoder_rate is None:
        settings["encoder_rate"] = _NEW_ENCODER if start is None else _START_ENCODER
    settings["encoder_rate"] = float(settings["encoder_rate"])
    before = {} if start is None else start.training
    # A model with new weights that is trained by portions has not seen enough pictures for good statistics.
    grows = constant and before.get("constant") and not before.get("keep_statistics")
    # Otherwise the statistics of batch normalization are kept. Normalized by the statistics of 32 pictures of glaciers,
    # such pictures had a loss of 3.15; by the statistics of the start, 1.98.
    return {**settings, "constant": constant, "keep_statistics": start is not None and not grows}


def _recorded(value: Any) -> Any:
    """Convert a setting to a value of JSON."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str | int | float | None):
        return value
    return json.dumps(keras.saving.serialize_keras_object(value), sort_keys=True)


def _optimizer(network: keras.Model, settings: dict[str, Any], steps: int) -> Any:
    """Freeze layers, and return an optimizer for the others."""
    encoder_rate = settings["encoder_rate"]
    for layer in every_layer(network):
        if layer.name.startswith(_ENCODER):
            layer.trainable = bool(encoder_rate)
        if settings["keep_statistics"] and isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    shares = [encoder_rate if _ENCODER in variable.path else 1.0 for variable in network.trainable_variables]
    return make_optimizer(
        settings["optimizer"],
        settings["learning_rate"],
        steps=steps,
        constant=settings["constant"],
        shares=shares if set(shares) != {1.0} else (),
    )


def _validation(held_out: PictureList, head: Head, codec: LabCodec, loss: Any, size: int) -> Callable[[Any], Any]:
    """Return a function from a predicting function to its figures on the centers of held-out pictures."""
    crops = [center_crop(picture, size) for picture in held_out.usable]
    if not crops:
        raise InputError(
            f"validation: expected color pictures, but none of the {len(held_out)} can be used: "
            f"{summarize_left_out(held_out.left_out)}. Hold out more."
        )
    loss = TrainingLoss(loss)
    batch_size = min(_VALIDATION_BATCH, len(crops))

    def validate(predict: Callable[[Array], Any]) -> dict[str, float]:
        sums = {"loss": 0.0, "psnr": 0.0, "ciede2000": 0.0, "colorfulness": 0.0}
        for start in range(0, len(crops), batch_size):
            batch = crops[start : start + batch_size]
            # the last batch is filled up, because another size would compile the network again
            lightness, ab = codec.encode(np.resize(np.stack(batch), (batch_size, size, size, 3)))
            outputs = np.asarray(predict(lightness), np.float32)[: len(batch)]
            sums["loss"] += float(np.mean(np.asarray(loss.call(ab[: len(batch)], outputs)))) * len(batch)
            for crop, small in zip(batch, head.decode(outputs, codec, 1.0), strict=True):
                scale = small.shape[0] / size, small.shape[1] / size
                chroma = Chroma(small, scale, (slice(0, size), slice(0, size)))
                colored = as_picture(crop, "crop").colored(chroma)
                sums["psnr"] += psnr(colored, crop)
                sums["ciede2000"] += ciede2000(colored, crop)
                sums["colorfulness"] += colorfulness(colored)
        return {name: value / len(crops) for name, value in sums.items()}

    return validate


def _described(architecture: Architecture) -> str:
    """Return the name of an architecture, and its options if it has any."""
    options = dict(sorted(architecture.options.items()))
    return repr(architecture.name) + (f" with {options}" if options else "")

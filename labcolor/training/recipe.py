"""From pictures to a trained model: what a training starts from, what it trains, and what is recorded of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from labcolor.backends.keras import keras
from labcolor.base.typing import Array
from labcolor.color.codec import LabCodec
from labcolor.errors import InputError
from labcolor.networks.heads import Head
from labcolor.networks.layers import every_layer
from labcolor.networks.model import FittedModel
from labcolor.networks.onnx_form import digest
from labcolor.networks.registry import Architecture
from labcolor.pictures.picture import as_picture
from labcolor.training.checkpoint import CheckpointFile
from labcolor.training.crops import Batch, center_crop, count_steps, crop_batches
from labcolor.training.data import PictureList, summarize_left_out
from labcolor.training.devices import check_same, is_main_process
from labcolor.training.loop import Checkpointing, Monitoring, as_loss, make_optimizer, train_network
from labcolor.training.seeds import as_seed
from labcolor.training.tensorboard import EventFile
from labcolor.training.validation import Validation

__all__ = ["Recipe", "fit_network"]

# Defaults of a training that starts from new weights, and of one that goes on from trained ones.
_NEW_RATE, _START_RATE = 1e-3, 2e-4
_NEW_ENCODER, _START_ENCODER = 1.0, 0.0
_ENCODER = "encoder_"  # beginning of the names of the layers of a pretrained encoder
_FEW = 20_000  # crops; a training from new weights on fewer gives nearly grey
_SAMPLES = 8  # pictures for TensorBoard
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. The parameters are those of :class:`labcolor.Colorizer`.

    Parameters
    ----------
    crop_size, batch_size, epochs, patience : int
        Lengths. ``patience`` may be None.
    learning_rate, optimizer, encoder_rate, film_aging, precision
        As for :class:`labcolor.Colorizer`.
    constant : bool
        Whether the learning rate is the same in all steps.
    keep_statistics : bool
        Whether batch normalization stays as it is, its scales and offsets, too. A batch of one kind of pictures is no
        sample of the world: normalized by the statistics of 32 glaciers, glaciers had a loss of 3.15; by those of the
        start, one of 1.98.
    """

    crop_size: int
    batch_size: int
    epochs: int
    patience: int | None
    learning_rate: Any
    optimizer: Any
    encoder_rate: float | None
    film_aging: float
    precision: str
    constant: bool = False
    keep_statistics: bool = False

    def with_defaults(self, start: FittedModel | None) -> Recipe:
        """Return it with the defaults for a training with or without a start."""
        started = start is not None
        rate, encoder = self.learning_rate, self.encoder_rate
        if rate is None and isinstance(self.optimizer, str):
            rate = _START_RATE if started else _NEW_RATE
        if encoder is None:
            encoder = _START_ENCODER if started else _NEW_ENCODER
        before = {} if start is None else start.training
        # a model that began with new weights and grows by portions has not seen all of its world yet
        grows = self.constant and before.get("constant") and not before.get("keep_statistics")
        chosen = {
            "learning_rate": rate,
            "encoder_rate": float(encoder),
            "keep_statistics": started and not grows,
        }
        return Recipe(**{**vars(self), **chosen})

    def to_record(self) -> dict[str, Any]:
        """Return it as numbers and texts."""
        about = dict(vars(self))
        for name in ("learning_rate", "optimizer"):
            value = about[name]
            if not isinstance(value, str | int | float | np.number | None):
                about[name] = json.dumps(keras.saving.serialize_keras_object(value), sort_keys=True)
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in about.items()}


def fit_network(
    architecture: Architecture,
    pictures: PictureList,
    codec: LabCodec,
    recipe: Recipe,
    *,
    working_size: int,
    seed: int | None,
    start: FittedModel | None = None,
    held_out: PictureList | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 300,
    tensorboard: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 0,
) -> FittedModel:
    """Train a network on pictures.

    Parameters
    ----------
    architecture : Architecture
        The architecture to train.
    pictures : PictureList
        Pictures from :func:`labcolor.training.data.training_pictures`.
    codec : LabCodec
        Scales L and ab; with a start, its own is used.
    recipe : Recipe
        How to train.
    working_size : int
        As for :class:`labcolor.Colorizer`.
    seed : int or None
        Seed of initial weights, order, crops and mirroring; None draws one.
    start : FittedModel, optional
        A model of the same architecture. Training continues from its weights, with its codec and head, and keeps its
        hints and its overview.
    held_out : PictureList, optional
        Pictures to measure on.
    checkpoint : Path, optional
        File to keep the training in, and to go on from if it exists.
    checkpoint_seconds : float
        Time between two checkpoints.
    tensorboard : Path, optional
        Folder for the event file.
    callbacks, verbose
        As for :meth:`labcolor.Colorizer.fit`.

    Returns
    -------
    FittedModel
        The trained model. ``training["ending"]`` is "complete", "stopped" by patience or a callback, "interrupted" by
        Ctrl-C, or "diverged" if the loss became nan; then the weights are those of some steps before.

    Raises
    ------
    InputError
        ``start`` has another architecture, or no picture can be used.
    ModelFileError
        The checkpoint cannot be written, is damaged, or belongs to another training.
    """
    if start is not None and not _same(start.architecture, architecture):
        raise InputError(
            f"network: the start is {_described(start.architecture)}, got {_described(architecture)}. Set network to "
            f"that of the start, or start=None to train new weights."
        )
    pictures[0]  # raises an error if none can be used, before anything is written
    recipe = recipe.with_defaults(start)
    size, batch_size = recipe.crop_size, min(recipe.batch_size, len(pictures))
    steps = count_steps(len(pictures), batch_size)
    if start is None and steps * batch_size * recipe.epochs < _FEW:
        _log.warning(
            "new weights need tens of thousands of crops to learn colors, got %d: expect nearly grey. Go on from a "
            "packaged model: Colorizer.from_pretrained().",
            steps * batch_size * recipe.epochs,
        )
    codec = codec if start is None else start.codec
    about = {
        "network": _described(architecture),
        "start": None if start is None else digest(start.weights)[:16],
        "codec": codec.get_config(),
        "pictures": pictures.digest,
        "validation": None if held_out is None else held_out.digest,
        **recipe.to_record(),
    }
    file = found = None
    if checkpoint is not None:
        file = CheckpointFile(checkpoint, about if seed is None else {**about, "random_state": seed})
        found = file.read()
    seed = int(found.state["seed"]) if found is not None else as_seed(seed)
    if recipe.constant and start is not None:
        seed ^= int(digest(start.weights)[:8], 16)  # another pass over the same portion has other crops
    check_same({**about, "seed": seed, "steps": 0 if found is None else found.state["steps"]})

    def batches(first: int, epochs: int = recipe.epochs) -> Generator[Batch, None, None]:
        return crop_batches(
            pictures,
            codec,
            size=size,
            batch_size=batch_size,
            epochs=epochs,
            seed=seed,
            film_aging=recipe.film_aging,
            first=first,
        )

    network = architecture.network(seed=seed, dtype=recipe.precision)
    if start is not None:
        network.set_weights(start.weights)
        head = start.head
    elif found is not None:
        names = architecture.head.get_arrays()
        head = architecture.head.restored(
            architecture.head.get_config(), {name: found.arrays[f"head/{name}"] for name in names}
        )
    else:
        head = architecture.head.prepared(batches(0, 1), codec)
    for layer in every_layer(network):
        if layer.name.startswith(_ENCODER):
            layer.trainable = bool(recipe.encoder_rate)
        if recipe.keep_statistics and isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    shares = [
        recipe.encoder_rate or 0.0 if _ENCODER in variable.path else 1.0 for variable in network.trainable_variables
    ]
    optimizer = make_optimizer(
        recipe.optimizer,
        recipe.learning_rate,
        steps=steps * recipe.epochs,
        constant=recipe.constant,
        shares=shares if set(shares) != {1.0} else (),
    )
    loss = head.loss(codec)
    outcome = train_network(
        network,
        batches,
        loss,
        steps_per_epoch=steps,
        epochs=recipe.epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        watching=Monitoring(
            None if held_out is None else _validation(held_out, head, codec, loss, size),
            recipe.patience,
            callbacks,
            verbose if is_main_process() else 0,
            None if tensorboard is None else _recorder(tensorboard, held_out or pictures, head, codec, loss, size),
        ),
        keeping=None
        if file is None
        else Checkpointing(
            file,
            found,
            checkpoint_seconds,
            {"seed": seed},
            {f"head/{name}": array for name, array in head.get_arrays().items()},
        ),
    )
    left_out = pictures.left_out
    if left_out:
        _log.warning("left out of the training: %s of %d pictures.", summarize_left_out(left_out), len(pictures))
    training: dict[str, Any] = {
        "pictures": len(pictures) - sum(left_out.values()),
        "left_out": left_out,
        "seed": seed,
        "start": None if start is None else about["start"],
        **recipe.to_record(),
        "steps": outcome.steps,
        "ending": outcome.ending,
    }
    if held_out is not None:
        usable = len(held_out) - sum(held_out.left_out.values())
        training |= {"held_out": usable, "before": outcome.before, "best_epoch": outcome.best}
    return FittedModel(
        architecture=architecture,
        weights=tuple(network.get_weights()),
        codec=codec,
        head=head,
        working_size=working_size,
        hints=start.hints if start is not None else (),
        history=outcome.history,
        training=training,
        overview=start.overview if start is not None else 0.0,
    )


def _validation(held_out: PictureList, head: Head, codec: LabCodec, loss: Any, size: int) -> Validation:
    """Return what measures the network on the middle of each held-out picture."""
    crops = [center_crop(picture, size) for picture in held_out.usable]
    if not crops:
        raise InputError(
            f"validation: expected color pictures, but none of the {len(held_out)} can be used: "
            f"{summarize_left_out(held_out.left_out)}. Hold out more."
        )
    return Validation(crops, head, codec, as_loss(loss).call)


def _recorder(folder: Path, pictures: PictureList, head: Head, codec: LabCodec, loss: Any, size: int) -> Any:
    """Return what writes the figures of an epoch, and colored samples, for TensorBoard."""
    events = EventFile(folder) if is_main_process() else None
    crops = [center_crop(picture, size) for picture in islice(pictures.usable, _SAMPLES)]
    samples = Validation(crops, head, codec, as_loss(loss).call)

    def record(epoch: int, figures: Mapping[str, float], predict: Callable[[Array], Any]) -> None:
        shown = {}
        for number, (crop, colored) in enumerate(zip(crops, samples.color(crops, predict), strict=True), 1):
            grey = as_picture(crop, "crop").grey()
            shown[f"L, colored, original/{number}"] = np.concatenate([grey, colored, crop], axis=1)
        if events is not None:
            events.add(epoch, figures, shown)

    return record


def _same(one: Architecture, other: Architecture) -> bool:
    return (one.name, dict(one.options)) == (other.name, dict(other.options))


def _described(architecture: Architecture) -> str:
    """Return the name of an architecture, with its options if it has any."""
    return repr(architecture.name) + (f" with {dict(architecture.options)}" if architecture.options else "")

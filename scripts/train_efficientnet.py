"""The packaged default model: a decoder trained on a pretrained encoder, then both.

    python scripts/train_efficientnet.py FOLDER [FOLDER ...] --start start.labcolor -o frozen.labcolor --steps 7000
    python scripts/train_efficientnet.py FOLDER [FOLDER ...] --start frozen.labcolor -o MODEL --steps 3000 \
        --encoder-rate 0.3 --learning-rate 7e-4 --plateau 0

``start.labcolor`` comes from ``scripts/import_efficientnet.py``; to go on from the packaged model, start from its
file. Every 40th photograph of each folder, by name, is held out. The learning rate rises over the first 300 steps,
rests for a share of the steps (``--plateau``), and falls along a cosine to ``--final`` of it. The averaged weights are
written every few minutes, so that a run that was stopped goes on from its own output, without the optimizer's state.
All of it is Keras 3: set KERAS_BACKEND=jax to train on a GPU with JAX. Photographs are kept in memory, 65 kB each.
"""

from __future__ import annotations

import argparse
import itertools
import math
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from trainings import MEMORY, SHORT_SIDE, SIDE, add_options, built, compile_network, train_averaged, training_paths

from labcolor import Colorizer
from labcolor.training.crops import crop_batches
from labcolor.training.data import training_pictures

WARM_UP = 300  # steps
AVERAGE_EVERY = 10  # steps between two updates of the averaged weights


class Adam(keras.optimizers.AdamW):
    """AdamW with a share of the learning rate for each variable, in the order of the trainable ones."""

    shares: tuple[float, ...] = ()

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        for gradient, variable, share in zip(grads, trainable_variables, self.shares, strict=True):
            self.update_step(gradient, variable, learning_rate * share)


def rate_at(step: int, arguments: argparse.Namespace) -> float:
    """Return the learning rate of a step."""
    progress = step / arguments.steps
    falling = max(0.0, (progress - arguments.plateau) / (1 - arguments.plateau))
    share = arguments.final + (1 - arguments.final) * 0.5 * (1 + math.cos(math.pi * falling))
    return float(arguments.learning_rate * share * min(1, (step + 1) / WARM_UP))


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser, learning_rate=1.5e-3, film_aging=0.15, minutes=7)
    parser.add_argument("--encoder-rate", type=float, default=0.0, help="the encoder's share of the rate; 0 freezes it")
    parser.add_argument("--plateau", type=float, default=0.4, help="share of the steps before the rate falls")
    parser.add_argument("--final", type=float, default=0.05, help="share of the rate at the end")
    arguments = parser.parse_args()

    pictures = training_pictures(training_paths(arguments.folders), SHORT_SIDE, least=SIDE, memory=MEMORY)
    print(f"{len(pictures)} photographs to train on", flush=True)
    start = Colorizer.load(arguments.start).model_
    epochs = math.ceil(arguments.steps / (len(pictures) // arguments.batch_size))

    def batches(passes: int) -> Any:
        options = {
            "size": SIDE,
            "batch_size": arguments.batch_size,
            "seed": arguments.seed,
            "film_aging": arguments.film_aging,
        }
        return crop_batches(pictures, start.codec, epochs=passes, **options)

    head = start.head.prepared(batches(1), start.codec)
    network = built(start, arguments.precision)
    for layer in network.layers:
        if layer.name.startswith("encoder_"):
            layer.trainable = arguments.encoder_rate > 0
    optimizer = Adam(arguments.learning_rate, weight_decay=0.01, global_clipnorm=4.0)
    optimizer.shares = tuple(
        arguments.encoder_rate if "encoder_" in variable.path else 1.0 for variable in network.trainable_variables
    )
    optimizer.exclude_from_weight_decay(
        [variable for variable in network.trainable_variables if "decoder_" not in variable.path or variable.ndim < 4]
    )
    compile_network(network, optimizer, head.loss(start.codec))

    def save(average: list[Any], losses: list[float], step: int) -> None:
        training = {**start.training, "photographs": len(pictures), "steps": step, "options": vars(arguments)}
        history = {"loss": [float(np.mean(losses[-200:]))]}
        new = {"weights": tuple(average), "head": head, "hints": (), "history": history, "training": training}
        colorizer = Colorizer(network=start.architecture, working_size=start.working_size)
        colorizer.model_ = replace(start, **new, onnx_form=None)
        colorizer.save(arguments.output)

    train_averaged(
        network,
        itertools.islice(batches(epochs), arguments.steps),
        lambda step: rate_at(step, arguments),
        save,
        every=AVERAGE_EVERY,
        lag=200,
        most=0.98,
        minutes=arguments.minutes,
    )


if __name__ == "__main__":
    main()

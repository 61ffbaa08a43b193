"""The packaged default model, its branch: it learns alone, and is joined with the rest.

    python scripts/train_branch.py FOLDER [FOLDER ...] --start PLAIN -o JOINED --steps 2600

``PLAIN`` is a model of ``build_efficientnet(branch=())``. The branch begins as the packaged reference network: its
first kernels enlarged, since the branch sees half of the size, and of the 512 channels in its middle those that matter
most. What learned colors from nothing errs elsewhere than what learned classes first, so that both together err less.
The branch has scores of its own while it learns; those of the joined network are the sum of a share of these and of
the rest of the others. The joined network is not trained further, which would take the gain away. Training,
photographs and options are those of ``scripts/finish.py``. All of it is Keras 3.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from finish import add_color_options, batches, sets_of, train_colors
from keras import ops
from trainings import add_options

from labcolor import Colorizer
from labcolor.networks import FittedModel
from labcolor.networks.efficientnet import branch_features
from labcolor.networks.layers import last_convolution

Weights = list[np.ndarray]


def branch_alone(bins: int, precision: str) -> keras.Model:
    """Return a network of the branch and a convolution to its own scores."""
    inputs = keras.Input((None, None, 1), dtype="float32")
    x = branch_features(inputs, seed=0, dtype=precision)
    x = keras.layers.Conv2D(bins, 1, data_format="channels_last", dtype=precision)(x)
    return keras.Model(inputs, keras.layers.Activation("linear", dtype="float32")(x))


def narrowed(reference: FittedModel, lightness: np.ndarray, weights: Weights) -> Weights:
    """Return the branch's weights, those of its scores as they are, and the others from the reference network.

    A channel that is left out of the reference network matters as the mean square of its values, for scaled L of (N, H,
    W, 1), times that of the kernels that it meets.
    """
    *known, _, _ = reference.weights
    middle = reference.network.layers[4]  # the fourth convolution, of 512 channels
    small = ops.average_pool(lightness, 2, data_format="channels_last")
    values = ops.convert_to_numpy(keras.Model(reference.network.inputs, middle.output)(small))
    matters = (values**2).mean(axis=(0, 1, 2)) * (known[8] ** 2).sum(axis=(0, 1, 3))
    kept = np.sort(np.argsort(-matters)[: weights[6].shape[-1]])
    known[6], known[7], known[8] = known[6][..., kept], known[7][kept], known[8][:, :, kept]
    known[0] = np.repeat(np.repeat(known[0], 2, axis=0), 2, axis=1) / 4
    return [*known, *weights[len(known) :]]


def joined(start: FittedModel, branch: Weights, share: float) -> FittedModel:
    """Return a model with a branch, whose scores are the weighted sum of both; without hints, which depend on it.

    The branch's features get its share, and not its kernel: so they are no larger than the others, beside which they
    are rounded to int8, and tell hints what is alike.
    """
    options = {name: value for name, value in start.architecture.options.items() if name != "branch"}
    architecture = replace(start.architecture, options=options)
    network = architecture.network(seed=0)
    known = {weight.path: value for weight, value in zip(start.network.weights, start.weights, strict=True)}
    names = [weight.path for weight in network.weights if weight.path.startswith("branch_")]
    *features, kernel, bias = branch
    known |= dict(zip(names, [*features[:-2], *(share * weight for weight in features[-2:])], strict=True))
    last = last_convolution(network)
    known[last.kernel.path] = np.concatenate([(1 - share) * known[last.kernel.path], kernel], axis=2)
    known[last.bias.path] = (1 - share) * known[last.bias.path] + share * bias
    weights = tuple(np.float32(known[weight.path]) for weight in network.weights)
    return replace(start, architecture=architecture, weights=weights, hints=(), light=None)


def main() -> None:
    """Train, join and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser, learning_rate=8e-4, aged=0.12, minutes=5)
    add_color_options(parser)
    parser.add_argument("--share", type=float, default=0.067, help="of the branch's scores in the joined network")
    arguments = parser.parse_args()

    start = Colorizer.load(arguments.start).model_
    if any(weight.path.startswith("branch_") for weight in start.network.weights):
        parser.error("--start: expected a model of build_efficientnet(branch=()).")
    sets = sets_of(arguments.folders)
    feed = batches(sets, start, arguments)
    network = branch_alone(last_convolution(start.network).filters, arguments.precision)
    reference = Colorizer.from_pretrained("reference").model_
    network.set_weights(narrowed(reference, next(feed)[0], network.get_weights()))

    def save(average: list[Any], losses: list[float], steps: int) -> None:
        this = {"photographs": sum(map(len, sets)), "steps": steps, "options": vars(arguments)}
        both = joined(start, [np.float32(weight) for weight in average], arguments.share)
        colorizer = Colorizer(network=both.architecture, working_size=both.working_size)
        colorizer.model_ = replace(both, training={**start.training, "branch": this})
        colorizer.save(arguments.output)

    train_colors(network, start, feed, arguments, save)


if __name__ == "__main__":
    main()

"""The packaged models, their last part: a trained network learns to give better colors.

    python scripts/finish.py FOLDER [FOLDER ...] --start MODEL -o FINISHED --steps 4600

Cross-entropy teaches which colors are likely at each place, squared error their mean. What people see is one color a
place, and what is reported is the mean PSNR of pictures, which is a matter of whole pictures: to choose one likely
color for a shirt is better than the mean of all. So the colors that the output is decoded to are trained, too: see
:func:`color_loss`. A small network learns faster what a larger one has learned already (``--teacher``).

Pictures are seen as they are in predictions: whole squares, at 128 pixels, sharp, and for a larger working size at 160
and 192, too, where all are enlarged and most sharpened again at random; and once more as an overview, if the model has
one (``--overview``). Contrast varies. Of a large set, which is a folder, each photograph is seen less often than of a
small one: those of strangers are more varied than any set. Pretrained encoders and batch normalization stay as they
are. What is written lies between the start and the trained weights (``--share``): the whole way gains more on
photographs of the kinds that were trained on, and less on others. All else is as in ``scripts/train_efficientnet.py``.
All of it is Keras 3.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

import keras
import numpy as np
from keras import ops
from PIL import Image
from scipy import ndimage
from trainings import MEMORY, SHORT_SIDE, SIDE, add_options, built, compile_network, train_averaged, training_paths

from labcolor import Colorizer
from labcolor.color import kernels
from labcolor.color.codec import LabCodec
from labcolor.networks import BinsHead, FittedModel
from labcolor.networks.views import OVERVIEW
from labcolor.training.crops import age, prefetched, random_crop
from labcolor.training.data import training_pictures

SIZES = SIDE, 160, 192  # of the squares that the network sees, but for those beyond its working size
WHOLE = 0.6  # share of the squares that are as large as the picture allows; others have at least 3/4 of that side
MEDIUM, MOST = 2000, 3.0  # a set of so many photographs counts as it is; no photograph is seen so much more often
WARM_UP = 50  # steps
AVERAGE_EVERY = 5  # steps between two updates of the averaged weights
STATISTICS = 40  # batches
TO_LINEAR = np.float32(kernels.FROM_RELATIVE_XYZ)  # of XYZ in shares of the white point


def to_rgb(lightness: Any, ab: Any) -> Any:
    """Convert L, (..., 1), and ab, (..., 2), to sRGB in [0, 1], (..., 3), in operations that have a gradient."""
    y = (lightness + 16) / 116
    f = ops.concatenate([y + ab[..., :1] / 500, y, y - ab[..., 1:] / 200], axis=-1)
    xyz = ops.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    linear = ops.matmul(xyz, TO_LINEAR.T)
    curve = 1.055 * ops.maximum(linear, 1e-4) ** (1 / 2.4) - 0.055
    return ops.clip(ops.where(linear > 0.0031308, curve, 12.92 * linear), 0, 1)


def colorfulness(rgb: Any) -> Any:
    """Return what :func:`labcolor.metrics.colorfulness` is, of each picture of (N, H, W, 3) in [0, 1]."""
    red, green, blue = (255 * rgb[..., channel] for channel in range(3))
    first, second = red - green, (red + green) / 2 - blue
    places = (1, 2)
    spread = ops.sqrt(ops.var(first, places) + ops.var(second, places) + 1)
    return spread + 0.3 * ops.sqrt(ops.mean(first, places) ** 2 + ops.mean(second, places) ** 2 + 1)


def decoder(model: FittedModel, **changes: Any) -> keras.Model:
    """Return a network that decodes a model's output, (N, h, w, C), to ab, in operations that have a gradient."""
    output = keras.Input((None, None, model.network.output.shape[-1]))
    return keras.Model(output, replace(model.head, **changes).append(output, model.codec))


class WithOverview(keras.Model):
    """A network whose output is that of the given one, and that for a mirrored overview, mirrored back and enlarged."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.network = network

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return both outputs, one after the other, (N, h, w, 2 C)."""
        outputs = self.network(inputs, training=training)
        small = ops.image.resize(inputs, (OVERVIEW, OVERVIEW), "bilinear", antialias=True)
        whole = ops.flip(self.network(ops.flip(small, axis=2), training=training), axis=2)
        side, larger = whole.shape[1], ops.shape(outputs)[1]  # the second is not known before it runs
        places = (ops.cast(ops.arange(larger), "float32") + 0.5) * (side / ops.cast(larger, "float32")) - 0.5
        shares = ops.relu(1 - ops.abs(ops.clip(places, 0, side - 1)[:, None] - ops.arange(side, dtype="float32")))
        return ops.concatenate([outputs, ops.einsum("pi,qj,nijc->npqc", shares, shares, whole)], axis=-1)


def color_loss(model: FittedModel, balances: Sequence[float], prices: Sequence[float], weight: float) -> Any:
    """Return the loss of a model's head plus ``weight`` times the loss of decoded colors.

    With an overview the output is that of :class:`WithOverview`: both count for the loss of the head, and colors are
    mixed as in predictions.

    That is minus the PSNR of each picture, in decibels, minus its colorfulness times a price: so many decibels a point
    of colorfulness may cost. Half of each batch is decoded with the first of ``balances`` as its rebalancing, for the
    first of ``prices``, and half with the second: cautious and vivid colors, for which a point may cost more. A head
    without bins has no balance, and one price. Targets are L, ab, and, if there is a teacher, its ab, all of them
    scaled: then the mean of the PSNR from both counts.
    """
    head, codec = model.head, model.codec
    trained = keras.losses.get(head.loss(codec))
    decoders = [decoder(model, rebalancing=balance) for balance in balances] or [decoder(model)]
    shares = [1 - model.overview, model.overview] if model.overview else [1.0]

    def loss(targets: Any, output: Any) -> Any:
        views = ops.split(ops.cast(output, "float32"), len(shares), axis=-1)
        small = ops.average_pool(targets, head.stride, head.stride, data_format="channels_last")
        lightness, colors = small[..., :1] * codec.l_scale + codec.l_center, small[..., 1:] * codec.ab_scale
        losses = []
        for part, (decode, price) in enumerate(zip(decoders, prices, strict=True)):
            mine = slice(part, None, len(decoders))
            ab = sum(share * decode(view[mine]) for share, view in zip(shares, views, strict=True))
            given = to_rgb(lightness[mine], ab)
            known = [to_rgb(lightness[mine], colors[mine, ..., at : at + 2]) for at in range(0, colors.shape[-1], 2)]
            errors = [ops.mean((given - rgb) ** 2, axis=(1, 2, 3)) for rgb in known]
            decibels = sum(10 * ops.log10(error + 1e-4) for error in errors) / len(known)  # no gain beyond 40 dB
            losses.append(ops.mean(decibels - price * colorfulness(given)))
        entropy = sum(ops.mean(trained(targets[..., 1:3], view)) for view in views) / len(views)
        return entropy + weight * sum(losses) / len(losses)

    return loss


def square(picture: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """Return a square of a picture, (H, W, 3) uint8, mirrored with probability 0.5, resized to ``size``."""
    side = largest = min(picture.shape[:2])
    if random.random() > WHOLE:
        side = int(random.integers(largest * 3 // 4, largest + 1))
    part = random_crop(picture, side, random)
    return np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize((size, size), Image.Resampling.BICUBIC))


def sharpened(lightness: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return scaled lightness, (H, W), sharpened at random: an enlarged picture gets the spectrum of a reduced one.

    The filter is that of the finest detail only: a wider one would make what is coarser too strong.
    """
    detail = lightness - ndimage.gaussian_filter(lightness, 0.8)
    detail -= ndimage.gaussian_filter(detail, 0.8)
    return np.clip(lightness + random.uniform(0, 3) * detail, -1, 1)


def batches(
    sets: Sequence[Sequence[np.ndarray]], model: FittedModel, arguments: argparse.Namespace
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return scaled L as the network sees it, (N, S, S, 1), and scaled Lab as it is, (N, S, S, 3), without end."""
    sizes = [size for size in SIZES if size <= model.working_size]
    lengths = np.array([len(pictures) for pictures in sets])
    shares = lengths * np.minimum((lengths / MEDIUM) ** -arguments.level, MOST)

    def make(step: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng((arguments.seed, step))
        size = int(random.choice(sizes))
        chosen = random.choice(len(sets), arguments.batch_size, p=shares / shares.sum())
        pictures = [sets[index].draw(random.integers(lengths[index])) for index in chosen]
        lightness, ab = model.codec.encode(np.stack([square(picture, size, random) for picture in pictures]))
        lab = np.concatenate([lightness, ab], axis=-1)
        for picture in lightness:
            if size > SHORT_SIDE and random.random() < 0.85:
                picture[..., 0] = sharpened(picture[..., 0], random)
            if random.random() < 0.5:
                power = math.exp(random.uniform(-arguments.contrast, arguments.contrast))
                picture[:] = 2 * np.maximum((picture + 1) / 2, 0) ** power - 1
            if random.random() < arguments.film_aging:
                picture[:] = age(picture, random)
        return lightness, lab

    return prefetched(make, ((step,) for step in itertools.count()))


def taught(
    pairs: Iterator[tuple[np.ndarray, np.ndarray]], teacher: FittedModel, codec: LabCodec, precision: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the same, and a teacher's scaled ab after Lab: (N, S, S, 5). The teacher sees L as it is."""
    network = built(teacher, precision)
    decoded = decoder(teacher)(network.output)
    enlarged = keras.layers.UpSampling2D(teacher.head.stride, interpolation="bilinear", dtype="float32")(decoded)
    answers = keras.Model(network.input, enlarged)
    for lightness, lab in pairs:
        ab = ops.convert_to_numpy(answers.predict_on_batch(lab[..., :1])) / np.float32(codec.ab_scale)
        yield lightness, np.concatenate([lab, ab], axis=-1)


def compute_statistics(network: keras.Model, inputs: Iterator[np.ndarray]) -> None:
    """Set the statistics of batch normalization to their means over batches: those of averaged weights are stale."""
    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in layers:
        layer.momentum = 0.0  # what a batch has replaces what there was
    seen = []
    for batch in inputs:
        network(batch, training=True)
        seen.append([ops.convert_to_numpy(x) for layer in layers for x in (layer.moving_mean, layer.moving_variance)])
    means = [np.mean(values, axis=0) for values in zip(*seen, strict=True)]
    for layer, mean, variance in zip(layers, means[::2], means[1::2], strict=True):
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)


def add_color_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a training of decoded colors."""
    parser.add_argument("--weight", type=float, default=1.0, help="of the loss of decoded colors")
    parser.add_argument(
        "--balances", type=float, nargs="*", default=[0.22, 0.78], help="rebalancing to decode with; none without bins"
    )
    parser.add_argument(
        "--prices", type=float, nargs="+", default=[0.028, 0.112], help="decibels for a point of color, of each balance"
    )
    parser.add_argument("--level", type=float, default=0.5, help="how much less often photographs of large sets occur")
    parser.add_argument("--contrast", type=float, default=0.35, help="largest logarithm of a power of lightness")


def sets_of(folders: Sequence[str]) -> list[Sequence[np.ndarray]]:
    """Return the photographs to train on, of each set: each folder within the given ones."""
    sets = [
        training_pictures(list(files), SHORT_SIDE, least=SIDE, memory=MEMORY)
        for _, files in itertools.groupby(training_paths(folders), key=attrgetter("parent"))
    ]
    print(f"{sum(map(len, sets))} photographs to train on", flush=True)
    return sets


def train_colors(
    network: keras.Model,
    model: FittedModel,
    feed: Iterator[tuple[np.ndarray, np.ndarray]],
    arguments: argparse.Namespace,
    save: Callable[[list[Any], list[float], int], None],
) -> None:
    """Train a network whose output is that of a model, by :func:`color_loss`."""
    optimizer = keras.optimizers.AdamW(arguments.learning_rate, weight_decay=0.01, global_clipnorm=4.0)
    optimizer.exclude_from_weight_decay([variable for variable in network.trainable_variables if variable.ndim < 4])
    trained = WithOverview(network) if model.overview else network
    compile_network(trained, optimizer, color_loss(model, arguments.balances, arguments.prices, arguments.weight))

    def rate_at(step: int) -> float:
        share = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * step / arguments.steps))
        return float(arguments.learning_rate * share * min(1, (step + 1) / WARM_UP))

    train_averaged(
        trained,
        itertools.islice(feed, arguments.steps),
        rate_at,
        save,
        every=AVERAGE_EVERY,
        lag=40,
        most=0.99,
        minutes=arguments.minutes,
    )


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser, learning_rate=5e-4, film_aging=0.12, minutes=5)
    add_color_options(parser)
    parser.add_argument("--teacher", help="a model file whose colors are learned beside the true ones")
    parser.add_argument("--overview", type=float, help="share of its colors; by default that of the start")
    parser.add_argument("--temperature", type=float, help="to decode with; by default that of the start")
    parser.add_argument("--working-size", type=int, help="of the finished model; by default that of the start")
    parser.add_argument("--share", type=float, default=0.7, help="of the way from the start to the trained weights")
    arguments = parser.parse_args()

    start = Colorizer.load(arguments.start).model_
    changes = {name: getattr(arguments, name) for name in ("working_size", "overview")}
    start = replace(start, **{name: value for name, value in changes.items() if value is not None})
    if arguments.temperature is not None:
        if not isinstance(start.head, BinsHead):
            parser.error("--temperature: only a model that chooses among bins is decoded with one.")
        start = replace(start, head=replace(start.head, temperature=arguments.temperature))

    sets = sets_of(arguments.folders)
    network = built(start, arguments.precision)
    feed = batches(sets, start, arguments)
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers):
        compute_statistics(network, (lightness for lightness, _ in itertools.islice(feed, STATISTICS)))
    if arguments.teacher:
        feed = taught(feed, Colorizer.load(arguments.teacher).model_, start.codec, arguments.precision)
    for layer in network.layers:
        if layer.name.startswith("encoder_") or isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False

    finished = start.training.get("finished", [])
    first = [ops.convert_to_numpy(weight).astype(np.float32) for weight in network.weights]

    def save(average: list[Any], losses: list[float], steps: int) -> None:
        this = {"photographs": sum(map(len, sets)), "steps": steps, "options": vars(arguments)}
        training = {**start.training, "finished": [*finished, this]}
        colorizer = Colorizer(network=start.architecture, working_size=start.working_size)
        mixed = [old + np.float32(arguments.share) * (new - old) for old, new in zip(first, average, strict=True)]
        colorizer.model_ = replace(start, weights=tuple(mixed), training=training, onnx_form=None)
        colorizer.save(arguments.output)

    train_colors(network, start, feed, arguments, save)


if __name__ == "__main__":
    main()

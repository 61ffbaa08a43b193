"""The parameters of a training, with their defaults and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, get_args, runtime_checkable

from labcolor.base.choices import Precision
from labcolor.base.validation import Check, instance_of, integer, number, one_of, optional
from labcolor.color.codec import LabCodec
from labcolor.training.seeds import RANDOM_STATE, RandomState

if TYPE_CHECKING:
    import keras

__all__ = ["COUNT", "Configured", "Recipe"]

COUNT = integer(1, most=1_000_000)
_RATE = number(1e-9, 10)


@runtime_checkable
class Configured(Protocol):
    """An object with a configuration, such as a schedule of Keras."""

    def get_config(self) -> dict[str, Any]:
        """Return the configuration."""


@dataclass(eq=False, repr=False, kw_only=True)
class Recipe:
    """How a network is trained. Every :class:`labcolor.Colorizer` takes these parameters.

    Parameters
    ----------
    crop_size : int, default 128
        Side of the square training crops, in pixels: a multiple of 32, at most 4096.
    epochs : int, default 20
        Passes over the training pictures.
    batch_size : int, default 32
        Crops in a training step.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule, optional
        Peak of the learning rate, which rises in the first steps and then falls along a cosine; or a schedule. The
        default is 1e-3, or 2e-4 with a start.
    optimizer : str or keras.optimizers.Optimizer, default "adam"
        Name of a Keras optimizer, which then averages the weights of the last steps; or an optimizer, whose settings
        each training copies.
    encoder_rate : float, optional
        Factor of the learning rate for a pretrained encoder, from 0 (frozen) to 1. The default is 1, or 0 with a start,
        because few pictures would ruin the encoder. The layers of an encoder have names that begin with ``encoder_``.
    patience : int, optional
        Number of epochs without a lower held-out loss after which a training with ``validation`` ends.
    film_aging : float, default 0
        Share of training crops, from 0 to 1, whose L is faded, softened and grained like that of an old film.
    precision : {"float32", "mixed_bfloat16"}
        Arithmetic of the training. Predictions always use float32.
    codec : LabCodec, optional
        Scales L and ab. The default is ``LabCodec()``, or the codec of the start.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Seed of initial weights, order, crops and mirroring, from 0 to 2**32 - 1; or a generator, from which each
        training draws a seed. ``model_.training["seed"]`` records the seed.
    verbose : {0, 1, 2}, default 0
        Output of a training: none, a progress bar, or a line for each epoch.
    """

    parameter_checks: ClassVar[Mapping[str, Check]] = {
        "crop_size": integer(32, multiple=32, most=4096),
        "epochs": COUNT,
        "batch_size": COUNT,
        "learning_rate": Check(
            f"None, {_RATE.expected} or a schedule of Keras",
            (*_RATE.kinds, type(None), Configured),
            lambda value: not isinstance(value, _RATE.kinds) or _RATE.fits(value),
        ),
        "optimizer": Check(
            "the name of a Keras optimizer, or an optimizer",
            (object,),
            lambda value: isinstance(value, str) or hasattr(value, "apply_gradients"),
        ),
        "encoder_rate": optional(number(0, 1)),
        "patience": optional(COUNT),
        "film_aging": number(0, 1),
        "precision": one_of(*get_args(Precision)),
        "codec": optional(instance_of(LabCodec)),
        "random_state": RANDOM_STATE,
        "verbose": one_of(0, 1, 2, False, True),
    }

    crop_size: int = 128
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule | None = None
    optimizer: str | keras.optimizers.Optimizer = "adam"
    encoder_rate: float | None = None
    patience: int | None = None
    film_aging: float = 0.0
    precision: Precision = "float32"
    codec: LabCodec | None = None
    random_state: RandomState = None
    verbose: Literal[0, 1, 2] = 0

    @property
    def short_side(self) -> int:
        """Short side of the pictures from which crops are taken: 136 for crops of 128."""
        return round(self.crop_size * 17 / 16)

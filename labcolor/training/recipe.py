"""The parameters of a training, with their defaults and checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, get_args, runtime_checkable

import numpy as np

from labcolor.base.choices import Precision
from labcolor.base.validation import Check, instance_of, integer, number, one_of, optional
from labcolor.color.codec import LabCodec

if TYPE_CHECKING:
    import keras

_T = TypeVar("_T")
_RandomState: TypeAlias = int | np.random.Generator | np.random.RandomState | None
COUNT = integer(1, most=1_000_000)
_RATE = number(1e-9, 10)
_SEED = integer(0, most=2**32 - 1)


@runtime_checkable
class Configured(Protocol):
    """An object with a configuration, such as a schedule of Keras."""

    def get_config(self) -> dict[str, Any]:
        """Return the configuration."""


_LEARNING_RATE = Check(
    f"None, {_RATE.expected} or a schedule of Keras",
    (*_RATE.kinds, type(None), Configured),
    lambda value: not isinstance(value, _RATE.kinds) or _RATE.fits(value),
)
_OPTIMIZER = Check(
    "the name of a Keras optimizer, or an optimizer",
    (object,),
    lambda value: isinstance(value, str) or hasattr(value, "apply_gradients"),
)
_RANDOM_STATE = Check(
    f"None, {_SEED.expected}, a numpy.random.Generator or a numpy.random.RandomState",
    (*_SEED.kinds, type(None), np.random.Generator, np.random.RandomState),
    lambda value: not isinstance(value, _SEED.kinds) or _SEED.fits(value),
)


def checked(default: _T, check: Check) -> _T:
    """Return the dataclass field of a parameter, with the check that :meth:`Colorizer.check_params` applies."""
    field_: _T = field(default=default, metadata={"check": check})
    return field_


@dataclass(eq=False, repr=False, kw_only=True)
class Recipe:
    """Parameters of a training. :class:`labcolor.Colorizer` has and documents them."""

    crop_size: int = checked(128, integer(32, multiple=32, most=4096))
    epochs: int = checked(20, COUNT)
    batch_size: int = checked(32, COUNT)
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule | None = checked(None, _LEARNING_RATE)
    optimizer: str | keras.optimizers.Optimizer = checked("adam", _OPTIMIZER)
    encoder_rate: float | None = checked(None, optional(number(0, 1)))
    patience: int | None = checked(None, optional(COUNT))
    film_aging: float = checked(0.0, number(0, 1))
    precision: Precision = checked("float32", one_of(*get_args(Precision)))
    codec: LabCodec | None = checked(None, optional(instance_of(LabCodec)))
    random_state: _RandomState = checked(None, _RANDOM_STATE)
    verbose: Literal[0, 1, 2] = checked(0, one_of(0, 1, 2, False, True))

    @property
    def short_side(self) -> int:
        """Short side of the pictures from which crops are taken, 136 for crops of 128."""
        return round(self.crop_size * 17 / 16)


def as_seed(random_state: _RandomState) -> int:
    """Return a seed: the given number, a number drawn from a generator, or for None one of the system's entropy."""
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(1 << 31, dtype=np.int64))
    if random_state is None or isinstance(random_state, np.random.Generator):
        return int(np.random.default_rng(random_state).integers(1 << 31))
    return int(random_state)

"""Seeds of a training."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from labcolor.base.validation import Check, integer, optional

__all__ = ["RANDOM_STATE", "RandomState", "as_seed"]

RandomState: TypeAlias = int | np.random.Generator | np.random.RandomState | None
_SEED = integer(0, most=2**32 - 1)
RANDOM_STATE = optional(
    Check(
        f"{_SEED.expected}, a numpy.random.Generator or a numpy.random.RandomState",
        (*_SEED.kinds, np.random.Generator, np.random.RandomState),
        lambda value: not isinstance(value, _SEED.kinds) or _SEED.fits(value),
    )
)


def as_seed(random_state: RandomState) -> int:
    """Return a seed: the given number, or a number drawn from a generator.

    Parameters
    ----------
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None
        Source of the seed. None uses the entropy of the system.

    Returns
    -------
    int
        The seed, from 0 to 2**32 - 1.

    Examples
    --------
    >>> from labcolor.training.seeds import as_seed
    >>> as_seed(5)
    5
    """
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(1 << 31, dtype=np.int64))
    if random_state is None or isinstance(random_state, np.random.Generator):
        return int(np.random.default_rng(random_state).integers(1 << 31))
    return int(random_state)

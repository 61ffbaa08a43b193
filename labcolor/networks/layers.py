"""What the builders of networks share: seeds and names of layers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

__all__ = ["names", "seeds"]


def seeds(seed: int | None) -> Iterator[int | None]:
    """Yield one seed for each layer, or None for each."""
    return itertools.repeat(None) if seed is None else itertools.count(seed)


def names(kind: str) -> Iterator[str]:
    """Yield the same names in each network: TensorFlow keeps some 40 kB for each name that a variable ever had."""
    return (f"{kind}_{number}" for number in itertools.count(1))

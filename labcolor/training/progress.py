"""How a training shows itself while it runs: a bar, or a line for each epoch."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

__all__ = ["Progress"]

_SHOWN = {"loss": "loss", "val_loss": "held-out loss", "val_psnr": "PSNR", "val_colorfulness": "colorfulness"}


class Progress:
    """Bar in a terminal or notebook, with loss, PSNR, pictures per second and the time that is left.

    Parameters
    ----------
    verbose : {0, 1, 2}
        Nothing, a bar, or a line for each epoch.
    epochs, steps, batch_size : int
        Length of the training.
    first : int
        Number of steps that are done already.
    """

    def __init__(self, verbose: int, *, epochs: int, steps: int, batch_size: int, first: int) -> None:
        self._epochs, self._batch_size, self._verbose = epochs, batch_size, verbose
        self._held_out: dict[str, str] = {}
        self._bar: Any = None
        if verbose:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                total=epochs * steps * batch_size,
                initial=first * batch_size,
                unit="picture",
                disable=verbose != 1,
                file=sys.stderr,
            )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()

    def step(self, epoch: int, loss: float) -> None:
        """Show a step: its epoch, counted from 0, and the mean loss of the epoch so far."""
        if self._verbose == 1:
            self._bar.set_description(f"epoch {epoch + 1}/{self._epochs}", refresh=False)
            self._bar.set_postfix({"loss": f"{loss:.4g}", **self._held_out}, refresh=False)
            self._bar.update(self._batch_size)

    def epoch(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Show the figures of a finished epoch."""
        shown = {text: f"{figures[name]:.4g}" for name, text in _SHOWN.items() if name in figures}
        self._held_out = {text: value for text, value in shown.items() if text != "loss"}
        if self._verbose == 2:
            line = ", ".join(f"{text} {value}" for text, value in shown.items())
            self._bar.write(f"epoch {epoch + 1}/{self._epochs}: {line}", file=sys.stderr)

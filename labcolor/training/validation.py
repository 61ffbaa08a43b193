"""Figures of a network in training, on pictures that it is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.color.chroma import Chroma
from labcolor.color.codec import LabCodec
from labcolor.metrics import ciede2000, colorfulness, psnr
from labcolor.networks.heads import Head
from labcolor.pictures.picture import as_picture

__all__ = ["Validation"]

_BATCH = 32


class Validation:
    """Held-out crops, on which a network is measured again and again.

    Parameters
    ----------
    crops : sequence of ndarray, each (S, S, 3), uint8
        Color pictures of one size.
    head : Head
        What the output of the network means.
    codec : LabCodec
        Scales L and ab.
    loss : callable
        Loss of scaled ab and the output: a number, or an array whose mean counts.
    """

    def __init__(self, crops: Sequence[Array], head: Head, codec: LabCodec, loss: Callable[[Any, Any], Any]) -> None:
        self._crops = crops
        self._head, self._codec, self._loss = head, codec, loss

    def __call__(self, predict: Callable[[Array], Any]) -> dict[str, float]:
        """Measure a network.

        Parameters
        ----------
        predict : callable
            Function from scaled L, (N, S, S, 1), to the output of the network.

        Returns
        -------
        dict
            Means over the crops: "loss", and "psnr", "ciede2000" and "colorfulness" of the colored crops.
        """
        sums = {"loss": 0.0, "psnr": 0.0, "ciede2000": 0.0, "colorfulness": 0.0}
        for crops, ab, outputs in self._outputs(self._crops, predict):
            sums["loss"] += float(np.mean(np.asarray(self._loss(ab, outputs)))) * len(crops)
            for crop, colored in zip(crops, self._colored(crops, outputs), strict=True):
                sums["psnr"] += psnr(colored, crop)
                sums["ciede2000"] += ciede2000(colored, crop)
                sums["colorfulness"] += colorfulness(colored)
        return {name: value / len(self._crops) for name, value in sums.items()}

    def color(self, crops: Sequence[Array], predict: Callable[[Array], Any]) -> list[Array]:
        """Return crops with the colors that a network gives them."""
        return [one for part, _, outputs in self._outputs(crops, predict) for one in self._colored(part, outputs)]

    def _outputs(
        self, crops: Sequence[Array], predict: Callable[[Array], Any]
    ) -> Iterator[tuple[Sequence[Array], Array, Array]]:
        """Yield portions of the crops with their scaled ab and the outputs of a network."""
        size = min(_BATCH, len(self._crops))
        for start in range(0, len(crops), size):
            part = crops[start : start + size]
            # filled up, since a network is compiled anew for another size
            lightness, ab = self._codec.encode(np.resize(np.stack(part), (size, *part[0].shape)))
            yield part, ab[: len(part)], np.asarray(predict(lightness), np.float32)[: len(part)]

    def _colored(self, crops: Iterable[Array], outputs: Array) -> list[Array]:
        """Return crops with the colors that the outputs of a network mean."""
        ab = self._head.decode(outputs, self._codec, 1.0)
        return [
            as_picture(crop, "crop").colored(
                Chroma(
                    small,
                    (small.shape[0] / crop.shape[0], small.shape[1] / crop.shape[1]),
                    (slice(0, crop.shape[0]), slice(0, crop.shape[1])),
                )
            )
            for crop, small in zip(crops, ab, strict=True)
        ]

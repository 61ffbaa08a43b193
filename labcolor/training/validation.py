"""Figures of a network in training, on pictures that it is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from labcolor._typing import Array
from labcolor.color.codec import LabCodec
from labcolor.metrics import ciede2000, colorfulness, psnr
from labcolor.networks.heads import Head
from labcolor.pictures.picture import as_picture

__all__ = ["Validation", "center_crop"]

_BATCH = 32


def center_crop(picture: Array, size: int) -> Array:
    """Return the ``size`` x ``size`` square in the middle of a picture."""
    top, left = ((side - size) // 2 for side in picture.shape[:2])
    return picture[top : top + size, left : left + size]


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
        Loss of scaled ab and the output.
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
        size = min(_BATCH, len(self._crops))
        sums = {"loss": 0.0, "psnr": 0.0, "ciede2000": 0.0, "colorfulness": 0.0}
        for start in range(0, len(self._crops), size):
            crops = np.stack(self._crops[start : start + size])
            # filled up, since a network is compiled anew for another size
            lightness, ab = self._codec.encode(np.resize(crops, (size, *crops.shape[1:])))
            outputs = np.asarray(predict(lightness))[: len(crops)]
            sums["loss"] += float(self._loss(ab[: len(crops)], outputs)) * len(crops)
            for crop, colored in zip(crops, self.color(crops, outputs), strict=True):
                sums["psnr"] += psnr(colored, crop)
                sums["ciede2000"] += ciede2000(colored, crop)
                sums["colorfulness"] += colorfulness(colored)
        return {name: value / len(self._crops) for name, value in sums.items()}

    def color(self, crops: Iterable[Array], outputs: Array) -> list[Array]:
        """Return crops with the colors that the output of a network means."""
        ab = self._head.decode(np.asarray(outputs, np.float32), self._codec, 1.0)
        return [
            as_picture(crop, "crop").colored(
                small,
                (small.shape[0] / crop.shape[0], small.shape[1] / crop.shape[1]),
                (slice(0, crop.shape[0]), slice(0, crop.shape[1])),
            )
            for crop, small in zip(crops, ab, strict=True)
        ]

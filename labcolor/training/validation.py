"""Figures of a network in training, on pictures that it is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        size = min(_BATCH, len(self._crops))
        for start in range(0, len(self._crops), size):
            crops = self._crops[start : start + size]
            # filled up, since a network is compiled anew for another size
            lightness, ab = self._codec.encode(np.resize(np.stack(crops), (size, *crops[0].shape)))
            outputs = np.asarray(predict(lightness), np.float32)[: len(crops)]
            sums["loss"] += float(np.mean(np.asarray(self._loss(ab[: len(crops)], outputs)))) * len(crops)
            for crop, small in zip(crops, self._head.decode(outputs, self._codec, 1.0), strict=True):
                height, width = crop.shape[:2]
                scale = small.shape[0] / height, small.shape[1] / width
                chroma = Chroma(small, scale, (slice(0, height), slice(0, width)))
                colored = as_picture(crop, "crop").colored(chroma)
                sums["psnr"] += psnr(colored, crop)
                sums["ciede2000"] += ciede2000(colored, crop)
                sums["colorfulness"] += colorfulness(colored)
        return {name: value / len(self._crops) for name, value in sums.items()}

"""Codec between pictures and the input and output of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labcolor.base.typing import Array
from labcolor.base.validation import as_array, number, require
from labcolor.color.lab import lab_to_rgb, rgb_to_lab
from labcolor.errors import InputError

_LARGEST = 1e6  # number of a codec


@dataclass(frozen=True)
class LabCodec:
    """Scaling of lightness and chroma for a network.

    The network's input is ``(L - l_center) / l_scale``. Its output is ``ab / ab_scale``. With the defaults both lie in
    [-1, 1]. A codec is immutable, compares by value, and is saved in the model file.

    Parameters
    ----------
    l_center, l_scale : float, default 50
        The L that maps to 0, and the difference from it that maps to 1.
    ab_scale : float, default 128
        The value of a or b that maps to 1.

    Raises
    ------
    InputError
        A scale is not between 1e-6 and 1e6, or the center is not between -1e6 and 1e6.

    Examples
    --------
    >>> import numpy as np
    >>> from labcolor import LabCodec
    >>> picture = np.full((2, 2, 3), 255, np.uint8)
    >>> l, ab = LabCodec().encode(picture)
    >>> l.shape, ab.shape, float(l.max())
    ((2, 2, 1), (2, 2, 2), 1.0)
    """

    l_center: float = 50.0
    l_scale: float = 50.0
    ab_scale: float = 128.0

    def __post_init__(self) -> None:
        """Check the numbers, and keep them as floats."""
        for name, lowest in (("l_center", -_LARGEST), ("l_scale", 1 / _LARGEST), ("ab_scale", 1 / _LARGEST)):
            require(name, getattr(self, name), number(lowest, _LARGEST))
            object.__setattr__(self, name, float(getattr(self, name)))

    def encode(self, rgb: npt.ArrayLike) -> tuple[Array, Array]:
        """Convert a picture to the input and the target of a network.

        Parameters
        ----------
        rgb : array_like, shape (..., 3)
            As for :func:`rgb_to_lab`.

        Returns
        -------
        l : ndarray, shape (..., 1)
            Scaled lightness, in [-1, 1] with the defaults.
        ab : ndarray, shape (..., 2)
            Scaled chroma.

        Raises
        ------
        InputError, InputTypeError
            As for :func:`rgb_to_lab`.

        Examples
        --------
        See the class.
        """
        lab = rgb_to_lab(rgb)
        return (lab[..., :1] - self.l_center) / self.l_scale, lab[..., 1:] / self.ab_scale

    def decode(self, l: npt.ArrayLike, ab: npt.ArrayLike, *, dtype: npt.DTypeLike | None = None) -> Array:  # noqa: E741
        """Convert scaled lightness and chroma to a picture.

        Parameters
        ----------
        l : array_like, shape (..., 1)
            Scaled lightness, as from :meth:`encode`.
        ab : array_like, shape (..., 2)
            Scaled chroma, with the same leading shape.
        dtype : dtype, optional
            As for :func:`lab_to_rgb`.

        Returns
        -------
        ndarray, shape (..., 3)
            sRGB, as from :func:`lab_to_rgb`.

        Raises
        ------
        InputError
            The shapes do not match.

        Examples
        --------
        >>> from labcolor import LabCodec
        >>> LabCodec().decode([1.0], [0.0, 0.0], dtype="uint8")
        array([255, 255, 255], dtype=uint8)
        """
        lightness, chroma = as_array("l", l), as_array("ab", ab)
        if lightness.shape[-1:] != (1,) or chroma.shape[-1:] != (2,) or lightness.shape[:-1] != chroma.shape[:-1]:
            raise InputError(
                f"expected l of shape (..., 1) and ab of shape (..., 2) with the same leading shape, "
                f"got {lightness.shape} and {chroma.shape}."
            )
        lab = np.concatenate([lightness * self.l_scale + self.l_center, chroma * self.ab_scale], axis=-1)
        return lab_to_rgb(lab, dtype=dtype)

    def get_config(self) -> dict[str, float]:
        """Return the parameters. ``LabCodec(**config)`` makes an equal codec.

        Returns
        -------
        dict
            The parameters by name.

        Examples
        --------
        >>> from labcolor import LabCodec
        >>> LabCodec().get_config()
        {'l_center': 50.0, 'l_scale': 50.0, 'ab_scale': 128.0}
        """
        return {"l_center": self.l_center, "l_scale": self.l_scale, "ab_scale": self.ab_scale}

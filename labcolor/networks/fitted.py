"""A trained model as one immutable value: what a fit makes, and what is saved, pickled, copied and predicted with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from labcolor._typing import Array
from labcolor._validation import require, whole
from labcolor._version import __version__
from labcolor.color.codec import LabCodec
from labcolor.errors import ModelFileError
from labcolor.networks.files import decode_model, encode_model
from labcolor.networks.heads import Head
from labcolor.networks.hint_spreader import HintSpreader
from labcolor.networks.registry import Architecture, get_architecture

if TYPE_CHECKING:
    import keras

__all__ = ["FittedModel"]

WORKING_SIZE = whole(8)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A trained network and all that prediction needs beside it.

    Parameters
    ----------
    architecture : Architecture
        What the network is.
    weights : tuple of ndarray
        Of the network, float32, in Keras's order.
    codec : LabCodec
        How its input and output are scaled.
    head : Head
        What its output means, with what it knows of the training pictures.
    working_size : int
        Short side, in pixels, of the picture that the network is best shown.
    hints : tuple of ndarray
        Weights of the layer that spreads hints; empty if it was not trained.
    history : mapping
        The loss of each epoch.
    training : mapping
        What it was trained on, and with which parameters; numbers and texts.
    """

    architecture: Architecture
    weights: tuple[Array, ...]
    codec: LabCodec
    head: Head
    working_size: int
    hints: tuple[Array, ...] = ()
    history: Mapping[str, list[float]] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def network(self) -> keras.Model:
        """The Keras network with the weights, float32. Changing it does not change the model."""
        network = self.architecture.network(seed=0)  # without a seed Keras would draw one from the global random state
        network.set_weights(self.weights)
        return network

    @cached_property
    def hint_spreader(self) -> HintSpreader | None:
        """The layer that spreads hints, or None."""
        return HintSpreader.with_weights(self.hints) if self.hints else None

    def to_bytes(self, *, half: bool = False) -> bytes:
        """Pack the model: the content of a ``.labcolor`` file.

        Parameters
        ----------
        half : bool, default False
            Whether to keep the network's weights in float16.

        Returns
        -------
        bytes
            The same for the same model.
        """
        about = {
            "labcolor": __version__,
            "architecture": {
                "name": self.architecture.name,
                "options": dict(self.architecture.options),
                "multiple": self.architecture.multiple,
            },
            "codec": self.codec.get_config(),
            "head": self.head.get_config(),
            "working_size": self.working_size,
            "history": dict(self.history),
            "training": dict(self.training),
        }
        kept = [weight.astype(np.float16) if half else weight for weight in self.weights]
        arrays = {f"weight{index:03d}": weight for index, weight in enumerate(kept)}
        arrays |= {f"hints{index}": weight for index, weight in enumerate(self.hints)}
        arrays |= {f"head/{name}": array for name, array in self.head.get_arrays().items()}
        return encode_model(about, arrays)

    @classmethod
    def from_bytes(cls, content: bytes, where: str) -> FittedModel:
        """Unpack a model, of this version or of an older one.

        Parameters
        ----------
        content : bytes
            What :meth:`to_bytes` packed.
        where : str
            What to call it in errors.

        Returns
        -------
        FittedModel

        Raises
        ------
        ModelFileError
            The bytes are no model, are damaged, come from a newer version, or need an architecture that is not
            registered.
        """
        about, arrays = decode_model(content, where)
        try:
            if about["format"] == 1:
                about, arrays = _from_format_1(about, arrays)
            wanted = about["architecture"]
            architecture = get_architecture(wanted["name"])
            if wanted["options"] or wanted["multiple"] != architecture.multiple:
                multiple = int(wanted["multiple"])
                options = {str(name): value for name, value in wanted["options"].items()}
                architecture = Architecture(architecture.name, architecture.build, architecture.head, multiple, options)
            working_size = about["working_size"]
            require("working_size", working_size, WORKING_SIZE)
            named = {key: value for key, value in arrays.items() if key.startswith("head/")}
            model = cls(
                architecture=architecture,
                weights=tuple(arrays[key].astype(np.float32) for key in sorted(arrays) if key.startswith("weight")),
                codec=LabCodec(**about["codec"]),
                head=architecture.head.restored(
                    about["head"], {key.removeprefix("head/"): value for key, value in named.items()}
                ),
                working_size=working_size,
                hints=tuple(arrays[key].astype(np.float32) for key in sorted(arrays) if key.startswith("hints")),
                history={str(key): [float(value) for value in values] for key, values in about["history"].items()},
                training=dict(about["training"]),
            )
            model._check_arrays()
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ModelFileError(f"{where}: not a model that this version can use: {error}") from error
        return model

    def _check_arrays(self) -> None:
        """Raise a ValueError unless the arrays are those of the architecture."""
        if not all(np.isfinite(array).all() for array in (*self.weights, *self.hints)):
            raise ValueError("a weight is not finite. The file is damaged: copy it again.")
        if len(self.hints) not in (0, 3):
            raise ValueError(f"expected no or three arrays for hints, got {len(self.hints)}.")
        _ = self.network, self.hint_spreader  # Keras checks numbers and shapes


def _from_format_1(about: dict[str, Any], arrays: dict[str, Array]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Bring what labcolor 0.1 saved to today's form."""
    architecture = get_architecture(about["network"])
    log_weights = arrays.pop("log_weights")
    head = architecture.head
    codec = {"l_center" if name == "l_centre" else name: value for name, value in about["codec"].items()}
    # a pickle of 0.1 has its parameters beside the packed model, not in it
    params = dict(about["params"])
    about = {
        "architecture": {"name": architecture.name, "options": {}, "multiple": architecture.multiple},
        "codec": codec,
        "head": head.get_config(),
        "working_size": params.get("working_size", 136),
        "history": about["history"],
        "training": params,
    }
    if "log_weights" in head.get_arrays():
        arrays["head/log_weights"] = log_weights
    return about, arrays

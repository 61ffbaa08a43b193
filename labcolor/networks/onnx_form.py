"""The ONNX form of a model, which ONNX Runtime runs without Keras and TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.base.validation import instance_of, integer, require, require_names
from labcolor.networks.model_file import MOST_ARRAYS, WEIGHT, numbered
from labcolor.networks.onnx_check import check_graph

__all__ = ["OnnxForm", "digest"]

_GRAPHS = "light/graph", "light/int8"
_MOST_SIDE = 1 << 20
_MOST_SIDES = 4  # of a convolution's weights


@dataclass(frozen=True, eq=False)
class OnnxForm:
    """A network as ONNX graphs: in float32 without its weights, which the model has, and in int8 with them.

    Parameters
    ----------
    graph : bytes
        ONNX graph from "l", (N, H, W, 1) float32, to "outputs" and "features", channels last. Its weights are those of
        the model, in Keras's layout, named as the arrays of a model file.
    shapes : tuple of tuple of int
        Shapes of these weights.
    features : int
        Channels of "features".
    int8 : bytes
        The same with weights and activations in int8; empty for none.
    sha256 : str
        Digest of the model's weights, from :func:`digest`.
    """

    graph: bytes = field(repr=False)
    shapes: tuple[tuple[int, ...], ...]
    features: int
    int8: bytes = field(repr=False)
    sha256: str

    def get_config(self) -> dict[str, Any]:
        """Return the configuration as values of JSON, with the sizes of the graphs."""
        return {
            "shapes": [list(shape) for shape in self.shapes],
            "features": self.features,
            "sizes": [len(self.graph), len(self.int8)],
            "sha256": self.sha256,
        }

    def get_arrays(self) -> dict[str, Array]:
        """Return the graphs, as arrays of bytes by the names that they have in a file."""
        graphs = zip(_GRAPHS, (self.graph, self.int8), strict=True)
        return {name: np.frombuffer(graph, np.uint8) for name, graph in graphs}

    @classmethod
    def shapes_of(cls, config: Any) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of the weights in a configuration that a file holds.

        Raises
        ------
        InputError, InputTypeError
            The configuration is invalid.
        """
        require_names("light", config, ("shapes", "features", "sizes", "sha256"))
        require("light features", config["features"], integer(1, most=_MOST_SIDE))
        require("light sha256", config["sha256"], instance_of(str))
        for name, most in (("shapes", MOST_ARRAYS), ("sizes", 2)):
            require(f"light {name}", config[name], instance_of(list))
            require(f"number of light {name}", len(config[name]), integer(1, most=most))
        for shape in config["shapes"]:
            require("light shape", shape, instance_of(list))
            require("number of sides of a weight", len(shape), integer(0, most=_MOST_SIDES))
            for side in shape:
                require("side of a weight", side, integer(0, most=_MOST_SIDE))
        return tuple(tuple(shape) for shape in config["shapes"])

    @classmethod
    def sizes_of(cls, config: Any) -> dict[str, int]:
        """Return the sizes of the graphs in a configuration, by the names that they have in a file.

        Raises
        ------
        InputError, InputTypeError
            The configuration is invalid.
        """
        for size in config["sizes"]:
            require("size of a graph", size, integer(0, most=1 << 30))
        return dict(zip(_GRAPHS, config["sizes"], strict=True))

    @classmethod
    def restored(cls, config: Any, graphs: Mapping[str, Array]) -> OnnxForm:
        """Return the ONNX form of a file after checking its graphs.

        Raises
        ------
        InputError, InputTypeError
            A graph has an operation that networks do not have, or refers to weights in other files.
        """
        shapes = cls.shapes_of(config)
        graph, int8 = (graphs[name].tobytes() for name in _GRAPHS)
        check_graph(graph, frozenset(numbered(WEIGHT, shapes)))
        check_graph(int8, frozenset())
        return cls(graph, shapes, config["features"], int8, config["sha256"])


def digest(weights: Sequence[Array]) -> str:
    """Return the SHA-256 of the bytes of all weights, float32."""
    result = hashlib.sha256()
    for weight in weights:
        result.update(weight.tobytes())
    return result.hexdigest()

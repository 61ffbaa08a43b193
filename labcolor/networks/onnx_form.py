"""The ONNX form of a model, which ONNX Runtime runs without Keras, and checks of untrusted graphs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from labcolor.base.typing import Array
from labcolor.base.validation import instance_of, integer, require, require_names, shortened
from labcolor.errors import InputError

GRAPHS = "light/graph", "light/int8"  # names of arrays in a model file
_MOST_FEATURES = 1 << 20

_CONFIG = "features", "sha256", "shapes", "sizes"  # the last two, of arrays, are only in the packaged models

# The operations that are allowed. None of them reads a file or runs a subgraph.
_OPERATIONS = {
    *("Add", "BatchNormalization", "Clip", "Concat", "Conv", "DequantizeLinear", "GlobalAveragePool", "Identity"),
    *("MatMul", "Mul", "QuantizeLinear", "Relu", "Reshape", "Resize", "Sigmoid", "Squeeze", "Tanh", "Transpose"),
}

# Numbers of fields in ONNX's messages: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_GRAPH, _FUNCTIONS = 7, 25  # of ModelProto
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15  # of GraphProto
_OPERATION, _ATTRIBUTE, _DOMAIN = 4, 5, 7  # of NodeProto
_SUBGRAPHS = {6, 11}  # of AttributeProto
_NAME, _ELSEWHERE = 8, 13  # of TensorProto


@dataclass(frozen=True, eq=False)
class OnnxForm:
    """A network as ONNX graphs: in float32 without weights, which the model contains, and in int8 with weights.

    Parameters
    ----------
    graph : bytes
        ONNX graph from "l", (N, H, W, 1) float32, to "outputs" and "features", channels last. It refers to the weights
        of the model, in Keras's layout, by their names in a model file.
    features : int
        Channels of "features".
    int8 : bytes
        The graph with weights and activations in int8, or empty.
    sha256 : str
        Digest of the model's weights, from :func:`digest`.
    """

    graph: bytes = field(repr=False)
    features: int
    int8: bytes = field(repr=False)
    sha256: str

    def get_config(self) -> dict[str, Any]:
        """Return the configuration as values of JSON."""
        return {"features": self.features, "sha256": self.sha256}

    def get_arrays(self) -> dict[str, Array]:
        """Return the graphs as arrays of bytes, by their names in a model file."""
        graphs = zip(GRAPHS, (self.graph, self.int8), strict=True)
        return {name: np.frombuffer(graph, np.uint8) for name, graph in graphs}

    @classmethod
    def restored(cls, config: Any, arrays: Mapping[str, Array], weights: Iterable[str]) -> OnnxForm:
        """Restore the ONNX form of a file.

        Parameters
        ----------
        config : dict
            Untrusted configuration from :meth:`get_config`.
        arrays : mapping of str to ndarray
            The arrays of the file.
        weights : iterable of str
            Names of the weights that the file contains.

        Raises
        ------
        InputError
            The configuration is invalid, or a graph is not that of a network.
        """
        require_names("light", {"shapes": [], "sizes": [], **config}, _CONFIG)
        require("light features", config["features"], integer(1, most=_MOST_FEATURES))
        require("light sha256", config["sha256"], instance_of(str))
        graph, int8 = (arrays[name].tobytes() for name in GRAPHS)
        _check_graph(graph, frozenset(weights))
        _check_graph(int8, frozenset())
        return cls(graph, config["features"], int8, config["sha256"])


def digest(weights: Sequence[Array]) -> str:
    """Return the SHA-256 of the bytes of all weights, float32."""
    result = hashlib.sha256()
    for weight in weights:
        result.update(weight.tobytes())
    return result.hexdigest()


def _check_graph(model: bytes, given: frozenset[str]) -> None:
    """Raise an InputError for an ONNX model with other operations than networks have, or with references to files.

    Parameters
    ----------
    model : bytes
        The model, in Protocol Buffers' encoding.
    given : frozenset of str
        Names of the weights that the model file contains instead of the graph.
    """
    for number, graph in _fields(model):
        if number == _FUNCTIONS:
            raise InputError("ONNX form: expected a graph without functions, got a graph with functions.")
        for part, content in _fields(graph) if number == _GRAPH else ():
            if part == _NODE:
                _check_node(content)
            elif part == _SPARSE:
                raise InputError("ONNX form: expected dense weights, got sparse ones.")
            elif part == _INITIALIZER:
                fields = _fields(content)
                name = _text(fields, _NAME)
                if any(field == _ELSEWHERE for field, _ in fields) and name not in given:
                    raise InputError(f"ONNX form: expected weight {shortened(name)} within the file, got a reference.")


def _check_node(node: bytes) -> None:
    """Raise an InputError for a node with another operation or with a subgraph."""
    fields = _fields(node)
    operation = _text(fields, _OPERATION)
    attributes = (value for field, value in fields if field == _ATTRIBUTE)
    subgraph = any(field in _SUBGRAPHS for attribute in attributes for field, _ in _fields(attribute))
    if operation not in _OPERATIONS or _text(fields, _DOMAIN) or subgraph:
        raise InputError(
            f"ONNX form: expected operations that networks have, got {shortened(operation)}. Export the model again."
        )


def _text(fields: list[tuple[int, bytes]], number: int) -> str:
    """Return a text field of a message. Bytes that are not UTF-8 are replaced."""
    return b"".join(value for field, value in fields if field == number).decode("utf-8", errors="replace")


def _fields(message: bytes) -> list[tuple[int, bytes]]:
    """Return the number and content of each field of a message. The content of numbers is empty.

    Raises
    ------
    InputError
        The message is damaged.
    """
    parsed = Empty()
    try:
        parsed.ParseFromString(message)
    except DecodeError as error:
        raise InputError("ONNX form: damaged.") from error
    found = ((part.field_number, part.data) for part in UnknownFieldSet(parsed))
    return [(number, data if isinstance(data, bytes) else b"") for number, data in found]

"""The ONNX form of a model: what ONNX Runtime needs to run its network, without Keras and TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.base.validation import instance_of, integer, require, require_names, shortened
from labcolor.errors import InputError

__all__ = ["OPERATIONS", "SATURATION", "OnnxForm", "digest"]

# What a graph may do. None of these reads a file, or runs a graph within the graph.
OPERATIONS = {
    *("Add", "BatchNormalization", "Clip", "Concat", "Conv", "DequantizeLinear", "GlobalAveragePool", "Identity"),
    *("MatMul", "Mul", "QuantizeLinear", "Relu", "Reshape", "Resize", "Sigmoid", "Squeeze", "Tanh", "Transpose"),
}
_GRAPHS = "light/graph", "light/int8"
_MOST_WEIGHTS = 10_000
_MOST_SIDE = 1 << 20

# A graph of one MatMulInteger of x, (1, 4) uint8, with four times 127: it shows whether sums of products saturate.
SATURATION = bytes.fromhex(
    "080812003a580a180a01780a0177120179220d4d61744d756c496e74656765721201672a0f0804080110034201774a047f7f7f7f5a130a0178"
    "120e0a0c080212080a0208010a02080462130a0179120e0a0c080612080a0208010a02080142040a001011"
)


@dataclass(frozen=True, eq=False)
class OnnxForm:
    """A network as ONNX graphs: in float32 without its weights, which the model has, and in int8 with them.

    Parameters
    ----------
    graph : bytes
        ONNX graph from "l", (N, H, W, 1) float32, to "outputs" and "features", channels last. Its weights are those of
        the model, in Keras's layout, by the names of :meth:`names`.
    shapes : tuple of tuple of int
        Shapes of these weights.
    features : int
        Channels of "features".
    int8 : bytes
        The same with weights and activations in int8; empty if there is none.
    sha256 : str
        What :func:`digest` returns for the model's weights.
    """

    graph: bytes = field(repr=False)
    shapes: tuple[tuple[int, ...], ...]
    features: int
    int8: bytes = field(repr=False)
    sha256: str

    @staticmethod
    def names(count: int) -> list[str]:
        """Return the names of a number of weights in the graph."""
        return [f"weight{index:03d}" for index in range(count)]

    @classmethod
    def named(cls, weights: Sequence[Array]) -> dict[str, Array]:
        """Return weights by the names that they have in the graph."""
        return dict(zip(cls.names(len(weights)), weights, strict=True))

    def get_config(self) -> dict[str, Any]:
        """Return what JSON can hold: all but the graphs, of which it has the sizes."""
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
            It is none.
        """
        require_names("light", config, ("shapes", "features", "sizes", "sha256"))
        require("light features", config["features"], integer(1, most=_MOST_SIDE))
        require("light sha256", config["sha256"], instance_of(str))
        for name, most in (("shapes", _MOST_WEIGHTS), ("sizes", 2)):
            require(f"light {name}", config[name], instance_of(list))
            require(f"number of light {name}", len(config[name]), integer(1, most=most))
        for shape in config["shapes"]:
            require("light shape", shape, instance_of(list))
            for side in (len(shape), *shape):
                require("side of a weight", side, integer(0, most=_MOST_SIDE))
        return tuple(tuple(shape) for shape in config["shapes"])

    @classmethod
    def sizes_of(cls, config: Any) -> dict[str, int]:
        """Return the sizes of the graphs in a configuration, by the names that they have in a file.

        Raises
        ------
        InputError, InputTypeError
            It is none.
        """
        for size in config["sizes"]:
            require("size of a graph", size, integer(0, most=1 << 30))
        return dict(zip(_GRAPHS, config["sizes"], strict=True))

    @classmethod
    def restored(cls, config: Any, graphs: Mapping[str, Array]) -> OnnxForm:
        """Return the ONNX form that a file holds, checked: its graphs do only what networks do.

        Raises
        ------
        InputError, InputTypeError
            A graph has an operation that is not in :data:`OPERATIONS`, or weights that lie elsewhere.
        """
        shapes = cls.shapes_of(config)
        graph, int8 = (graphs[name].tobytes() for name in _GRAPHS)
        _check_graph(graph, frozenset(cls.names(len(shapes))))
        _check_graph(int8, frozenset())
        return cls(graph, shapes, config["features"], int8, config["sha256"])


def digest(weights: Sequence[Array]) -> str:
    """Return the SHA-256 of weights: of their bytes, float32, one after the other."""
    result = hashlib.sha256()
    for weight in weights:
        result.update(weight.tobytes())
    return result.hexdigest()


# Numbers of fields in ONNX's messages: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_GRAPH, _FUNCTIONS = 7, 25  # of ModelProto
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15  # of GraphProto
_OPERATION, _ATTRIBUTE, _DOMAIN = 4, 5, 7  # of NodeProto
_WITHIN = {6, 11}  # of AttributeProto: graphs within the graph
_NAME, _ELSEWHERE = 8, 13  # of TensorProto


def _check_graph(model: bytes, given: frozenset[str]) -> None:
    """Raise an InputError for an ONNX model that does more than networks do, or reads weights from files.

    Parameters
    ----------
    model : bytes
        The model, in Protocol Buffers' encoding.
    given : frozenset of str
        Names of the weights that lie elsewhere, because they are given to the session.
    """
    for number, graph in _fields(model):
        if number == _FUNCTIONS:
            raise InputError("ONNX form: expected a graph without functions, got one with them.")
        for part, content in _fields(graph) if number == _GRAPH else ():
            if part == _NODE:
                fields = list(_fields(content))
                operation = "".join(_text(value) for field, value in fields if field == _OPERATION)
                domain = "".join(_text(value) for field, value in fields if field == _DOMAIN)
                within = any(
                    field == _ATTRIBUTE and any(inner in _WITHIN for inner, _ in _fields(value))
                    for field, value in fields
                )
                if operation not in OPERATIONS or domain or within:
                    raise InputError(
                        f"ONNX form: expected operations that networks have, got {shortened(operation)}. Export the "
                        f"model again."
                    )
            elif part == _SPARSE:
                raise InputError("ONNX form: expected dense weights, got sparse ones.")
            elif part == _INITIALIZER:
                fields = list(_fields(content))
                name = "".join(_text(value) for field, value in fields if field == _NAME)
                if any(field == _ELSEWHERE for field, _ in fields) and name not in given:
                    raise InputError(f"ONNX form: expected weight {shortened(name)} within the file, got a reference.")


def _text(value: bytes) -> str:
    """Return a text field, whatever it holds."""
    return value.decode("utf-8", errors="replace")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and content of each field of a message in Protocol Buffers' encoding; numbers have no content.

    Raises
    ------
    InputError
        The message is damaged.
    """
    position = 0

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            if position >= len(message) or shift > 63:
                raise InputError("ONNX form: damaged.")
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while position < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            varint()
            yield key >> 3, b""
            continue
        if kind not in (1, 2, 5):
            raise InputError("ONNX form: damaged.")
        size = {1: 8, 5: 4}.get(kind)
        length = varint() if size is None else size
        if length > len(message) - position:
            raise InputError("ONNX form: damaged.")
        yield key >> 3, message[position : position + length]
        position += length

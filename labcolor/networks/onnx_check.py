"""Checks of untrusted ONNX graphs: their operations, and no reference to other files."""

from __future__ import annotations

from collections.abc import Iterator

from labcolor.base.validation import shortened
from labcolor.errors import InputError

__all__ = ["OPERATIONS", "check_graph"]

# The operations that are allowed. None of these reads a file, or runs a graph within the graph.
OPERATIONS = {
    *("Add", "BatchNormalization", "Clip", "Concat", "Conv", "DequantizeLinear", "GlobalAveragePool", "Identity"),
    *("MatMul", "Mul", "QuantizeLinear", "Relu", "Reshape", "Resize", "Sigmoid", "Squeeze", "Tanh", "Transpose"),
}

# Numbers of fields in ONNX's messages: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_GRAPH, _FUNCTIONS = 7, 25  # of ModelProto
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15  # of GraphProto
_OPERATION, _ATTRIBUTE, _DOMAIN = 4, 5, 7  # of NodeProto
_WITHIN = {6, 11}  # of AttributeProto: graphs within the graph
_NAME, _ELSEWHERE = 8, 13  # of TensorProto


def check_graph(model: bytes, given: frozenset[str]) -> None:
    """Raise an InputError for an ONNX model that does more than networks do, or reads weights from files.

    Parameters
    ----------
    model : bytes
        The model, in Protocol Buffers' encoding.
    given : frozenset of str
        Names of the weights that come from the model file rather than the graph.
    """
    for number, graph in _fields(model):
        if number == _FUNCTIONS:
            raise InputError("ONNX form: expected a graph without functions, got one with them.")
        for part, content in _fields(graph) if number == _GRAPH else ():
            if part == _NODE:
                _check_node(content)
            elif part == _SPARSE:
                raise InputError("ONNX form: expected dense weights, got sparse ones.")
            elif part == _INITIALIZER:
                name = _text(content, _NAME)
                if any(field == _ELSEWHERE for field, _ in _fields(content)) and name not in given:
                    raise InputError(f"ONNX form: expected weight {shortened(name)} within the file, got a reference.")


def _check_node(node: bytes) -> None:
    """Raise an InputError for a node that is not one of the operations, or has a graph within."""
    operation = _text(node, _OPERATION)
    attributes = (value for field, value in _fields(node) if field == _ATTRIBUTE)
    within = any(field in _WITHIN for attribute in attributes for field, _ in _fields(attribute))
    if operation not in OPERATIONS or _text(node, _DOMAIN) or within:
        raise InputError(
            f"ONNX form: expected operations that networks have, got {shortened(operation)}. Export the model again."
        )


def _text(message: bytes, number: int) -> str:
    """Return a text field of a message; bytes that are not UTF-8 are replaced."""
    return b"".join(value for field, value in _fields(message) if field == number).decode("utf-8", errors="replace")


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

"""ONNX graphs, built by calls of operations and arithmetic on their outputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from labcolor.base.extras import importing

FLOAT, INT64, BOOL = 1, 7, 9  # ONNX's numbers of types
_OPSET, _IR = 17, 8  # ONNX 1.12 of 2022, which current runtimes support
_START = np.array([-1 << 62])  # of a slice


def import_onnx() -> Any:
    """Import the onnx package, or raise a LabcolorError with the command that installs it."""
    with importing("export"):
        import onnx
    return onnx


class Graph:
    """Nodes and constants of a graph while it is built.

    Attributes
    ----------
    nodes, constants : list
        The nodes and the initializers, as messages of ONNX.
    """

    def __init__(self) -> None:
        self.onnx = import_onnx()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._numbers = itertools.count()

    def __call__(self, operation: str, *inputs: Any, prefix: str = "", name: str = "", **attributes: Any) -> Value:
        """Add a node and return its output. Numbers and arrays become constants, floats in float32.

        The name of the node begins with ``prefix``. ``name`` names its output.
        """
        names = [one.name if isinstance(one, Value) else self.constant(one).name for one in inputs]
        own = f"{operation.lower()}_{next(self._numbers)}"
        node = prefix + (name or own)
        self.nodes.append(self.onnx.helper.make_node(operation, names, [name or node], name=node, **attributes))
        return Value(self, name or node)

    def constant(self, value: Any) -> Value:
        """Add a constant."""
        result = Value(self, f"constant_{len(self.constants)}")
        array = np.asarray(value, np.float32 if type(value) is float else None)
        self.constants.append(self.onnx.numpy_helper.from_array(array, result.name))
        return result

    def loop(self, count: Value, body: Callable[[Value], Value]) -> Value:
        """Add a loop over the numbers from 0 to ``count`` - 1, and return the stacked results of ``body``."""
        helper, outside = self.onnx.helper, self.nodes
        self.nodes = []
        number, proceed = (Value(self, f"{kind}_{next(self._numbers)}") for kind in ("number", "proceed"))
        outputs = [self("Identity", proceed), body(number)]
        infos = [
            helper.make_tensor_value_info(value.name, kind, [])
            for value, kind in ((number, INT64), (proceed, BOOL), (outputs[0], BOOL))
        ]
        infos.append(helper.make_empty_tensor_value_info(outputs[1].name))
        inner = helper.make_graph(self.nodes, f"{outputs[1].name}_loop", infos[:2], infos[2:])
        self.nodes = outside
        return self("Loop", count.scalar(), np.array(True), body=inner)

    def encoded(
        self, inputs: Sequence[tuple[str, int, list[Any]]], outputs: Sequence[tuple[str, int, list[Any]]]
    ) -> bytes:
        """Return the model. Inputs and outputs have a name, a type and a shape."""
        helper = self.onnx.helper
        infos = ([helper.make_tensor_value_info(*one) for one in ends] for ends in (inputs, outputs))
        graph = helper.make_graph(self.nodes, "labcolor", *infos, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        return bytes(model.SerializeToString(deterministic=True))


def _operator(operation: str, *, swapped: bool = False) -> Callable[[Value, Any], Value]:
    """Return the method that adds a node of a value and another one, which comes first if they are swapped."""

    def method(self: Value, other: Any) -> Value:
        return self.graph(operation, other, self) if swapped else self.graph(operation, self, other)

    return method


class Value:
    """The output of a node; operators add nodes."""

    __array_ufunc__ = None  # an array on the left leaves the operation to this class

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    __add__, __sub__, __rsub__ = _operator("Add"), _operator("Sub"), _operator("Sub", swapped=True)
    __mul__, __truediv__ = _operator("Mul"), _operator("Div")
    __matmul__, __rmatmul__ = _operator("MatMul"), _operator("MatMul", swapped=True)
    __gt__, at_least, at_most = _operator("Greater"), _operator("Max"), _operator("Min")

    def __getitem__(self, index: int) -> Value:
        """Return one entry of a vector, as a vector."""
        return self.graph("Gather", self, np.array([index]))

    def slice(self, start: Any, stop: Any, axis: int, step: int = 1) -> Value:
        """Return a part along an axis; bounds are vectors of one number."""
        return self.graph("Slice", self, start, stop, np.array([axis]), np.array([step]))

    def mirrored(self, axis: int) -> Value:
        """Reverse an axis."""
        return self.slice(np.array([-1]), _START, axis, -1)

    def where(self, positive: Any, negative: Any) -> Value:
        """Return one value where this condition holds, and the other elsewhere."""
        return self.graph("Where", self, positive, negative)

    def power(self, exponent: float) -> Value:
        """Return a power of positive numbers; exp and log are vector code, ONNX's Pow is not."""
        return self.graph("Exp", self.graph("Log", self) * exponent)

    def cast(self, kind: int) -> Value:
        """Convert to another type, by ONNX's number."""
        return self.graph("Cast", self, to=kind)

    def scalar(self) -> Value:
        """Return a vector of one number as a scalar."""
        return self.graph("Squeeze", self)

    def transposed(self) -> Value:
        """Return a transposed matrix."""
        return self.graph("Transpose", self, perm=[1, 0])

    def reshaped(self, *shape: Any) -> Value:
        """Change the shape."""
        return self.graph("Reshape", self, self.graph("Concat", *shape, axis=0))

    def range(self) -> Value:
        """Return the whole numbers below a number."""
        return self.graph("Range", 0, self.scalar(), 1)

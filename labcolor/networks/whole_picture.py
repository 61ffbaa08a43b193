"""A whole picture in one ONNX graph: from its pixels to colored pixels, with the network and all arithmetic inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from labcolor.base.typing import Array
from labcolor.color import kernels
from labcolor.color.lab import linear_light_table
from labcolor.errors import InputError
from labcolor.networks.bins import ab_bins
from labcolor.networks.heads import BinsHead, RegressionHead
from labcolor.networks.model import FittedModel
from labcolor.networks.model_file import WEIGHT, numbered
from labcolor.networks.onnx_graph import IR, OPSET, import_onnx
from labcolor.networks.views import COARSE, DETAIL, OVERVIEW, QUIETEST, SLOPE

__all__ = ["build_whole"]

_STRIP = 1 << 16  # pixels that are colored together; memory does not grow with the picture
_FLOAT, _UINT8, _INT32, _INT64, _BOOL, _DOUBLE = 1, 2, 6, 7, 9, 11  # ONNX's numbers of types
_ONE = np.float64(1)  # sizes and filters are computed in float64
_END, _START = np.array([1 << 62]), np.array([-1 << 62])  # of a slice
_AB_TO_F = np.array([[1 / 500, 0], [0, 0], [0, -1 / 200]], np.float32)  # what a and b add to f of X, Y and Z
_LEAST_F = np.array([[-np.inf], [-np.inf], [0]], np.float32)


def build_whole(model: FittedModel) -> bytes:
    """Write a model as an ONNX graph that colors a whole picture.

    Parameters
    ----------
    model : FittedModel
        A model that has an ONNX form.

    Returns
    -------
    bytes
        From "picture", (H, W, C) uint8, and "saturation", (1,) float32, to "colored", (H, W, 3 or 4) uint8. Weights
        are stored in float16 if that loses nothing.

    Raises
    ------
    InputError
        The model's head is not one of labcolor's.
    LabcolorError
        The package onnx is not installed.
    """
    graph = _Graph()
    whole = _Whole(graph, model)
    whole.colored(whole.chroma())
    return graph.encoded(
        inputs=[("picture", _UINT8, ["H", "W", "C"]), ("saturation", _FLOAT, [1])],
        output=("colored", _UINT8, ["H", "W", "D"]),
    )


class _Graph:
    """Nodes and constants of a graph while it is built."""

    def __init__(self) -> None:
        self.onnx = import_onnx()
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._names = 0

    def _name(self) -> str:
        """Return a new name."""
        self._names += 1
        return f"v{self._names}"

    def __call__(self, operation: str, *inputs: Any, name: str = "", **attributes: Any) -> _Value:
        """Add a node and return its output. Numbers and arrays become constants, floats in float32."""
        result = _Value(self, name or self._name())
        names = [one.name if isinstance(one, _Value) else self.constant(one).name for one in inputs]
        self._nodes.append(self.onnx.helper.make_node(operation, names, [result.name], **attributes))
        return result

    def constant(self, value: Any) -> _Value:
        """Add a constant."""
        array = np.asarray(value, np.float32 if type(value) is float else None)
        result = _Value(self, self._name())
        self._constants.append(self.onnx.numpy_helper.from_array(array, result.name))
        return result

    def loop(self, count: _Value, body: Callable[[_Value], _Value]) -> _Value:
        """Add a loop over the numbers from 0 to ``count`` - 1, and return what ``body`` makes of them, stacked."""
        helper, outside = self.onnx.helper, self._nodes
        self._nodes = []
        number, proceed = _Value(self, self._name()), _Value(self, self._name())
        outputs = [self("Identity", proceed), body(number)]
        infos = [
            helper.make_tensor_value_info(value.name, kind, [])
            for value, kind in ((number, _INT64), (proceed, _BOOL), (outputs[0], _BOOL))
        ]
        infos.append(helper.make_empty_tensor_value_info(outputs[1].name))
        inner = helper.make_graph(self._nodes, f"{outputs[1].name}_loop", infos[:2], infos[2:])
        self._nodes = outside
        return self("Loop", count.scalar(), np.array(True), body=inner)

    def weights(self, form: Any, weights: tuple[Array, ...]) -> dict[str, _Value]:
        """Add the constants of an ONNX form, and return them by its names."""
        named = numbered(WEIGHT, weights)
        values = {}
        for tensor in form.initializer:
            if tensor.name not in named:
                values[tensor.name] = self.constant(self.onnx.numpy_helper.to_array(tensor))
                continue
            weight = named[tensor.name]
            with np.errstate(over="ignore"):
                half = weight.astype(np.float16)
            lossless = np.array_equal(half, weight)
            values[tensor.name] = self.constant(half).cast(_FLOAT) if lossless else self.constant(weight)
        return values

    def network(self, form: Any, shared: dict[str, _Value], entry: _Value) -> _Value:
        """Add the nodes of an ONNX form and return its output. Nodes of weights alone are added once, to ``shared``."""
        values = {"l": entry}
        for node in form.node:
            (output,) = node.output
            if output in shared or output == "features":
                continue
            copy = type(node)()
            copy.CopyFrom(node)
            result = _Value(self, self._name())
            copy.name, copy.output[:] = "", [result.name]
            copy.input[:] = [name and (values.get(name) or shared[name]).name for name in node.input]
            (shared if values.keys().isdisjoint(node.input) else values)[output] = result
            self._nodes.append(copy)
        return values["outputs"]

    def encoded(self, inputs: list[tuple[str, int, list[Any]]], output: tuple[str, int, list[Any]]) -> bytes:
        """Return the model."""
        helper = self.onnx.helper
        infos = [helper.make_tensor_value_info(*one) for one in (*inputs, output)]
        graph = helper.make_graph(self._nodes, "labcolor", infos[:-1], infos[-1:], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        return bytes(model.SerializeToString(deterministic=True))


class _Value:
    """The output of a node; operators add nodes."""

    __array_ufunc__ = None  # an array on the left leaves the operation to this class

    def __init__(self, graph: _Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def __add__(self, other: Any) -> _Value:
        return self.graph("Add", self, other)

    def __sub__(self, other: Any) -> _Value:
        return self.graph("Sub", self, other)

    def __rsub__(self, other: Any) -> _Value:
        return self.graph("Sub", other, self)

    def __mul__(self, other: Any) -> _Value:
        return self.graph("Mul", self, other)

    def __truediv__(self, other: Any) -> _Value:
        return self.graph("Div", self, other)

    def __matmul__(self, other: Any) -> _Value:
        return self.graph("MatMul", self, other)

    def __rmatmul__(self, other: Any) -> _Value:
        return self.graph("MatMul", other, self)

    def __gt__(self, other: Any) -> _Value:
        return self.graph("Greater", self, other)

    def __getitem__(self, index: int) -> _Value:
        """Return one entry of a vector, as a vector."""
        return self.graph("Gather", self, np.array([index]))

    def slice(self, start: Any, stop: Any, axis: int, step: int = 1) -> _Value:
        """Return a part along an axis; bounds are vectors of one number."""
        return self.graph("Slice", self, start, stop, np.array([axis]), np.array([step]))

    def mirrored(self, axis: int) -> _Value:
        """Return it with an axis reversed."""
        return self.slice(np.array([-1]), _START, axis, -1)

    def at_least(self, bound: Any) -> _Value:
        """Return the larger of both."""
        return self.graph("Max", self, bound)

    def at_most(self, bound: Any) -> _Value:
        """Return the smaller of both."""
        return self.graph("Min", self, bound)

    def where(self, positive: Any, negative: Any) -> _Value:
        """Return one value where this condition holds, and the other elsewhere."""
        return self.graph("Where", self, positive, negative)

    def power(self, exponent: float) -> _Value:
        """Return a power of positive numbers; exp and log are vector code, ONNX's Pow is not."""
        return self.graph("Exp", self.graph("Log", self) * exponent)

    def cast(self, kind: int) -> _Value:
        """Return it in another type."""
        return self.graph("Cast", self, to=kind)

    def scalar(self) -> _Value:
        """Return a vector of one number as a scalar."""
        return self.graph("Squeeze", self)

    def transposed(self) -> _Value:
        """Return a transposed matrix."""
        return self.graph("Transpose", self, perm=[1, 0])

    def reshaped(self, *shape: Any) -> _Value:
        """Return it in another shape."""
        return self.graph("Reshape", self, self.graph("Concat", *shape, axis=0))

    def range(self) -> _Value:
        """Return the whole numbers below a number."""
        return self.graph("Range", 0, self.scalar(), 1)


class _Whole:
    """The steps of a prediction as nodes: those of :class:`labcolor.inference.pipeline.Pipeline`, without bars.

    Matrices of ab have the shape (2, h, w), and colors (3, N).
    """

    def __init__(self, graph: _Graph, model: FittedModel) -> None:
        assert model.onnx_form is not None
        self._graph, self._model = graph, model
        self._form = graph.onnx.load_model_from_string(model.onnx_form.graph).graph
        self._weights = graph.weights(self._form, model.weights)
        self._picture, self._saturation = _Value(graph, "picture"), _Value(graph, "saturation")
        self._shape = graph("Shape", self._picture, end=2)
        self._small = _working_shape(self._shape, model.working_size)

    def chroma(self) -> _Value:
        """Return the ab of the picture: the overview mixed in, and less color where the network knows little."""
        lightness, share, small, quiet = self._lightness(), self._model.overview, self._small, self._model.quiet
        ab, moments = self._predicted(lightness, small)
        variance = _mean(moments, 2) if quiet else None
        if share and self._model.working_size > OVERVIEW:
            less = _working_shape(small, OVERVIEW)
            reduced = _resampled(lightness, *(_reduction(small[axis], less[axis], _triangle) for axis in (0, 1)))
            whole, expected = self._predicted(reduced.mirrored(1), less)
            shape, wanted = self._chroma_shape(less), self._chroma_shape(small)
            grid = _working_shape(wanted, COARSE)
            # what reaches beyond the mirrored picture is on the left
            left = shape[1].cast(_DOUBLE) - less[1].cast(_DOUBLE) / np.float64(self._model.head.stride)
            scale = less.cast(_DOUBLE) / small.cast(_DOUBLE) * wanted.cast(_DOUBLE) / grid.cast(_DOUBLE)
            width = scale.at_least(_ONE)
            rows = _weights(_centers(grid[0].range(), scale[0]), shape[0] + 1, _hamming, width[0])
            columns = _weights(_centers(grid[1].range(), scale[1]) + left, shape[1] + 1, _hamming, width[1])
            down = [_reduction(wanted[axis], grid[axis], _hamming) for axis in (0, 1)]
            up = [_reduction(grid[axis], wanted[axis], _triangle) for axis in (0, 1)]
            low, whole = _resampled(ab, *down), _resampled(_mirrored(whole, shape), rows, columns)
            details = (ab - _resampled(low, *up)) * DETAIL
            ab = _resampled(low + (whole - low) * share, *up) + details
            if variance:
                apart = _resampled(moments, *down) - _resampled(_mirrored(expected, shape), rows, columns)
                apart = _mean(apart * apart, 0) + _mean(apart * apart, 1)
                variance = (variance + _mean(expected, 2)) * 0.5 + apart * 0.25
        if not variance:
            return ab
        confidence = self._graph("Sigmoid", (1.0 - variance / float(quiet)) * SLOPE)
        return ab * (confidence * (1 - QUIETEST) + QUIETEST)

    def colored(self, ab: _Value) -> None:
        """Join the picture's L with small ab, strip by strip, as the output "colored"."""
        graph, stride = self._graph, np.float64(self._model.head.stride)
        shape = graph("Shape", ab, start=1)
        scale = self._small.cast(_DOUBLE) / (self._shape.cast(_DOUBLE) * stride)
        across = _weights(_centers(self._shape[1].range(), scale[1]), shape[1], _triangle).transposed()

        def strip(pixels: _Value, rows: _Value) -> _Value:
            down = _weights(_centers(rows, scale[0]), shape[0], _triangle)
            linear = _joined(_lightness_of(pixels).reshaped([1], [-1]), (down @ ab @ across).reshaped([2], [-1]))
            rgb = _encoded(linear).transposed().reshaped(graph("Shape", pixels, end=2), [3])
            alpha = pixels.slice([3], _END, 2)
            return graph("Concat", rgb, alpha, axis=2)

        self._in_strips(strip, name="colored")

    def _in_strips(self, strip: Callable[[_Value, _Value], _Value], name: str = "") -> _Value:
        """Return what ``strip`` makes of the picture's pixels and their row numbers, some rows at a time."""
        graph, height = self._graph, self._shape[0]
        count = (graph.constant(np.array([_STRIP])) / self._shape[1]).at_least(1)

        def body(number: _Value) -> _Value:
            rows = (count.range() + number * count).at_most(height - 1)  # the last strip repeats the last row
            return strip(graph("Gather", self._picture, rows), rows)

        stacked = graph.loop((height + count - 1) / count, body)
        rows = stacked.reshaped([-1], graph("Shape", stacked, start=2))
        return graph("Slice", rows, [0], height, [0], name=name)

    def _lightness(self) -> _Value:
        """Return the small L, (h, w)."""
        rows, columns = (_reduction(self._shape[axis], self._small[axis], _catmull_rom) for axis in (0, 1))
        across = columns.transposed()
        return rows @ self._in_strips(lambda pixels, _: _lightness_of(pixels) @ across)

    def _chroma_shape(self, small: _Value) -> _Value:
        """Return the size of the chroma of small L, rounded up."""
        stride = self._model.head.stride
        return (small + (stride - 1)) / stride

    def _predicted(self, lightness: _Value, small: _Value) -> tuple[_Value, _Value]:
        """Return the ab, (2, h, w), that the network and its head make of small L, and the moments, (3, h, w)."""
        graph, codec, multiple = self._graph, self._model.codec, self._model.architecture.multiple
        shape = self._chroma_shape(small)
        for axis in (0, 1):  # extended by reflection to multiples of a number
            side = small[axis]
            place = ((side + (multiple - 1)) / multiple * multiple).range()
            place = graph("Mod", place, side * 2)
            lightness = graph("Gather", lightness, place.at_most(side * 2 - 1 - place), axis=axis)
        entry = graph("Unsqueeze", (lightness - codec.l_center) / codec.l_scale, np.array([0, 3]))
        outputs = graph.network(self._form, self._weights, entry)
        values = [self._decoded(outputs), self._moments(outputs)] if self._model.quiet else [self._decoded(outputs)]
        planes = [graph("Transpose", graph("Squeeze", one, [0]), perm=[2, 0, 1]) for one in values]
        cropped = [one.slice([0], shape[0], 1).slice([0], shape[1], 2) for one in planes]
        return cropped[0], cropped[-1]

    def _decoded(self, outputs: _Value) -> _Value:
        """Decode the network's output to ab, as the head does."""
        graph, head, saturation = self._graph, self._model.head, self._saturation
        if type(head) is RegressionHead:
            return outputs * (saturation * (self._model.codec.ab_scale * head.chroma))
        if type(head) is not BinsHead:  # a subclass may decode in another way
            raise InputError(f"whole: expected a BinsHead or a RegressionHead, got {head!r}. Export without whole.")
        vivid = (saturation - 1.0).at_least(0.0).at_most(1.0)
        balance = vivid * (1 - head.rebalancing) + (head.rebalancing - head.training)
        scores = (outputs + balance * head.log_weights) * (1 / head.temperature)
        ab = graph("Softmax", scores, axis=-1) @ ab_bins()
        ab = ab * (saturation * 0.5).at_least(1.0).at_most(saturation)
        mean = graph("ReduceMean", ab, axes=[1, 2])
        return ab + (mean - ab) * np.asarray(head.shrinkage, np.float32)

    def _moments(self, outputs: _Value) -> _Value:
        """Return the mean color and the variance, as the head does."""
        head, bins = self._model.head, ab_bins()
        assert isinstance(head, BinsHead)
        shares = self._graph("Softmax", outputs + -head.training * head.log_weights, axis=-1)
        mean = shares @ bins
        squares = shares @ np.square(bins).sum(axis=1, keepdims=True)
        return self._graph("Concat", mean, squares - self._graph("ReduceSum", mean * mean, [3]), axis=3)


def _mean(values: _Value, channel: int) -> _Value:
    """Return the mean of one channel of a map, (C, h, w)."""
    return values.graph("ReduceMean", values.graph("Gather", values, channel), keepdims=0)


def _mirrored(values: _Value, shape: _Value) -> _Value:
    """Mirror a map, (C, h, w), and extend it by its last row and column."""
    for axis in (0, 1):
        index = (shape[axis] + 1).range().at_most(shape[axis] - 1)
        values = values.graph("Gather", values.mirrored(2) if axis == 0 else values, index, axis=axis + 1)
    return values


def _working_shape(shape: _Value, size: int) -> _Value:
    """Return the size at which the network sees a picture; see :func:`labcolor.pictures.picture.working_shape`."""
    graph, sides = shape.graph, shape.cast(_DOUBLE)
    short, long = graph("ReduceMin", sides), graph("ReduceMax", sides)
    factor = graph("Div", np.float64(size), short).at_most(graph("Div", np.float64(8 * size), long))
    return graph("Round", sides * factor).cast(_INT64).at_least(1)


def _centers(numbers: _Value, scale: _Value) -> _Value:
    """Return where the centers of pixels lie on a map on which they are ``scale`` wide."""
    return (numbers.cast(_DOUBLE) + 0.5 * _ONE) * scale


def _reduction(old: _Value, new: _Value, kernel: Callable[[_Value], _Value]) -> _Value:
    """Return the weights, (new, old), that reduce or enlarge a side; the filter widens where it shrinks."""
    scale = old.cast(_DOUBLE) / new.cast(_DOUBLE)
    return _weights(_centers(new.range(), scale), old, kernel, scale.at_least(_ONE))


def _weights(centers: _Value, side: _Value, kernel: Callable[[_Value], _Value], width: Any = _ONE) -> _Value:
    """Return the weights, (centers, side), of the pixels around each center."""
    graph = centers.graph
    pixels = _centers(side.range(), graph.constant(_ONE))
    weights = kernel(graph("Abs", pixels - graph("Unsqueeze", centers, [1])) / width)
    return (weights / graph("ReduceSum", weights, [1])).cast(_FLOAT)


def _triangle(distance: _Value) -> _Value:
    """Return the weights of linear interpolation."""
    return (_ONE - distance).at_least(0 * _ONE)


def _catmull_rom(distance: _Value) -> _Value:
    """Return the weights of the cubic of Catmull and Rom."""
    near = (distance * (1.5 * _ONE) - 2.5 * _ONE) * distance * distance + _ONE
    far = ((distance * (-0.5 * _ONE) + 2.5 * _ONE) * distance - 4 * _ONE) * distance + 2 * _ONE
    return (distance > _ONE).where((distance > 2 * _ONE).where(0 * _ONE, far), near)


def _hamming(distance: _Value) -> _Value:
    """Return the weights of a sinc in a Hamming window, as Pillow has them."""
    turn = (distance * (np.pi * _ONE)).at_least(1e-9 * _ONE)
    window = distance.graph("Cos", turn) * (0.46 * _ONE) + 0.54 * _ONE
    return (distance > _ONE).where(0 * _ONE, distance.graph("Sin", turn) / turn * window)


def _resampled(values: _Value, rows: _Value, columns: _Value) -> _Value:
    """Resample a matrix by the weights of its rows and columns."""
    return rows @ values @ columns.transposed()


# What follows is the arithmetic of labcolor.color.kernels.


def _lightness_of(pixels: _Value) -> _Value:
    """Return L, (h, w), of grey or RGB pixels, (h, w, C)."""
    graph = pixels.graph
    linear = graph("Gather", linear_light_table(np.dtype(np.uint8)), pixels.slice([0], [3], 2).cast(_INT32))
    # one channel, of grey, is repeated; a MatMul by a vector takes four times as long
    y = graph("ReduceSum", linear * np.asarray(kernels.TO_RELATIVE_XYZ[1], np.float32), [2], keepdims=0)
    root = y.at_least(0.008856).power(1 / 3)
    return (y > 0.008856).where(root, y * 7.787 + 16 / 116) * 116.0 - 16.0


def _linear(lightness: _Value, ab: _Value) -> _Value:
    """Return linear RGB, (3, N), of L, (1, N), and ab, (2, N)."""
    f = ((lightness + 16.0) * (1 / 116) + _AB_TO_F @ ab).at_least(_LEAST_F)
    xyz = (f > 0.2068966).where(f * f * f, (f - 16 / 116) / 7.787)
    return np.asarray(kernels.FROM_RELATIVE_XYZ, np.float32) @ xyz


def _excess(linear: _Value, highest: float) -> _Value:
    """Return by how much the channels of a color leave the gamut, (1, N); it is not positive inside."""
    return linear.graph("ReduceMax", (linear - highest).at_least(-kernels.UNDER - linear), axes=[0])


def _joined(lightness: _Value, ab: _Value) -> _Value:
    """Return linear RGB of L and ab. Where a color lies outside the sRGB gamut, its chroma is lowered until it fits."""
    graph, highest, lab = lightness.graph, 1 + kernels.OVER, _linear(lightness, ab)
    outside = graph("Squeeze", graph("NonZero", graph("Squeeze", _excess(lab, highest) > 0.0, [0])), [0])
    lightness, ab = (graph("Gather", values, outside, axis=1) for values in (lightness, ab))
    asked = graph("ReduceL2", ab, axes=[0]).at_least(1e-6)
    hue = ab / asked
    chroma = _most_chroma(lightness, hue, highest)
    # close to pure yellow a channel exceeds 1 a little and returns
    unbounded = _most_chroma(lightness, hue, np.inf)
    fits = graph("Max", _excess(_linear(lightness, hue * unbounded), highest), unbounded - asked) > 0.0
    lowered = _linear(lightness, hue * fits.where(chroma, unbounded).at_most(asked))
    places = graph("Expand", outside, graph("Shape", lowered))
    return graph("ScatterElements", lab, places, lowered, axis=1)


def _most_chroma(lightness: _Value, hue: _Value, highest: float) -> _Value:
    """Return the largest chroma, (1, N), at which no channel of linear light lies below 0 or above ``highest``."""
    chroma, step = lightness * 0.0, kernels.MOST_CHROMA
    for _ in range(kernels.HALVINGS):
        step /= 2
        more = chroma + step
        chroma = (_excess(_linear(lightness, hue * more), highest) > 0.0).where(chroma, more)
    return chroma


def _encoded(linear: _Value) -> _Value:
    """Encode linear light as sRGB from 0 to 255, uint8."""
    linear = linear.at_least(0.0).at_most(1.0)
    curve = linear.at_least(1e-9).power(1 / 2.4) * 1.055 - 0.055
    levels = (linear > 0.0031308).where(curve.at_most(1.0), linear * 12.92) * 255.0 + 0.5
    return levels.cast(_UINT8)

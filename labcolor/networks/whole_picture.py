"""A whole picture in one ONNX graph: from its pixels to colored pixels, with the network and all arithmetic inside."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable
from typing import Any

import numpy as np

from labcolor.color import kernels
from labcolor.color.lab import linear_light_table
from labcolor.errors import InputError
from labcolor.networks.bins import ab_bins
from labcolor.networks.heads import BinsHead, RegressionHead
from labcolor.networks.model import FittedModel
from labcolor.networks.model_file import WEIGHT, compact, numbered
from labcolor.networks.onnx_values import FLOAT, INT64, Graph, Value
from labcolor.networks.views import COARSE, DETAIL, OVERVIEW, QUIETEST, SLOPE

_STRIP = 1 << 16  # pixels that are colored together; memory does not grow with the picture
_UINT8, _INT32, _DOUBLE = 2, 6, 11  # ONNX's numbers of types
_ONE = np.float64(1)  # sizes and filters are computed in float64
_END = np.array([1 << 62])  # of a slice
_AB_TO_F = np.array([[1 / 500, 0], [0, 0], [0, -1 / 200]], np.float32)  # contributions of a and b to f of X, Y and Z
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
    graph = Graph()
    whole = _PictureGraph(graph, model)
    whole.colored(whole.chroma())
    return graph.encoded(
        inputs=[("picture", _UINT8, ["H", "W", "C"]), ("saturation", FLOAT, [1])],
        outputs=[("colored", _UINT8, ["H", "W", "D"])],
    )


class _PictureGraph:
    """The steps of a prediction as nodes: those of :class:`labcolor.inference.pipeline.Pipeline`, without bars.

    Matrices of ab have the shape (2, h, w), and colors (3, N).
    """

    def __init__(self, graph: Graph, model: FittedModel) -> None:
        assert model.onnx_form is not None
        self._graph, self._model = graph, model
        self._form = graph.onnx.load_model_from_string(model.onnx_form.graph).graph
        self._shared = {tensor.name: self._constant(tensor) for tensor in self._form.initializer}
        self._picture, self._saturation = Value(graph, "picture"), Value(graph, "saturation")
        self._shape = graph("Shape", self._picture, end=2)
        self._small = _working_shape(self._shape, model.working_size)

    def chroma(self) -> Value:
        """Return the ab of the picture: with the overview mixed in, and reduced if the variance is large."""
        lightness, share, small, quiet = self._lightness(), self._model.overview, self._small, self._model.quiet
        ab, moments = self._predicted(lightness, small)
        variance = _mean(moments, 2) if quiet else None
        if share and self._model.working_size > OVERVIEW:
            less = _working_shape(small, OVERVIEW)
            reduced = _resampled(lightness, *(_reduction(small[axis], less[axis], _triangle) for axis in (0, 1)))
            whole, expected = self._predicted(reduced.mirrored(1), less)
            shape, wanted = self._chroma_shape(less), self._chroma_shape(small)
            grid = _working_shape(wanted, COARSE)
            # the part beyond the mirrored picture is on the left
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

    def colored(self, ab: Value) -> None:
        """Join the picture's L with small ab, strip by strip, as the output "colored"."""
        graph, stride = self._graph, np.float64(self._model.head.stride)
        shape = graph("Shape", ab, start=1)
        scale = self._small.cast(_DOUBLE) / (self._shape.cast(_DOUBLE) * stride)
        across = _weights(_centers(self._shape[1].range(), scale[1]), shape[1], _triangle).transposed()

        def strip(pixels: Value, rows: Value) -> Value:
            down = _weights(_centers(rows, scale[0]), shape[0], _triangle)
            linear = _joined(_lightness_of(pixels).reshaped([1], [-1]), (down @ ab @ across).reshaped([2], [-1]))
            rgb = _encoded(linear).transposed().reshaped(graph("Shape", pixels, end=2), [3])
            alpha = pixels.slice([3], _END, 2)
            return graph("Concat", rgb, alpha, axis=2)

        self._in_strips(strip, name="colored")

    def _in_strips(self, strip: Callable[[Value, Value], Value], name: str = "") -> Value:
        """Apply ``strip`` to the picture's pixels and their row numbers, some rows at a time."""
        graph, height = self._graph, self._shape[0]
        count = (graph.constant(np.array([_STRIP])) / self._shape[1]).at_least(1)

        def body(number: Value) -> Value:
            rows = (count.range() + number * count).at_most(height - 1)  # the last strip repeats the last row
            return strip(graph("Gather", self._picture, rows), rows)

        stacked = graph.loop((height + count - 1) / count, body)
        rows = stacked.reshaped([-1], graph("Shape", stacked, start=2))
        return graph("Slice", rows, [0], height, [0], name=name)

    def _lightness(self) -> Value:
        """Return the small L, (h, w)."""
        rows, columns = (_reduction(self._shape[axis], self._small[axis], _catmull_rom) for axis in (0, 1))
        across = columns.transposed()
        return rows @ self._in_strips(lambda pixels, _: _lightness_of(pixels) @ across)

    def _chroma_shape(self, small: Value) -> Value:
        """Return the size of the chroma of small L, rounded up."""
        stride = self._model.head.stride
        return (small + (stride - 1)) / stride

    def _predicted(self, lightness: Value, small: Value) -> tuple[Value, Value]:
        """Predict ab, (2, h, w), and the moments, (3, h, w), from small L by the network and its head."""
        graph, codec, multiple = self._graph, self._model.codec, self._model.architecture.multiple
        shape = self._chroma_shape(small)
        for axis in (0, 1):  # extended by reflection to multiples of a number
            side = small[axis]
            place = ((side + (multiple - 1)) / multiple * multiple).range()
            place = graph("Mod", place, side * 2)
            lightness = graph("Gather", lightness, place.at_most(side * 2 - 1 - place), axis=axis)
        entry = graph("Unsqueeze", (lightness - codec.l_center) / codec.l_scale, np.array([0, 3]))
        outputs = self._network(entry)
        values = [self._decoded(outputs), self._moments(outputs)] if self._model.quiet else [self._decoded(outputs)]
        planes = [graph("Transpose", graph("Squeeze", one, [0]), perm=[2, 0, 1]) for one in values]
        cropped = [one.slice([0], shape[0], 1).slice([0], shape[1], 2) for one in planes]
        return cropped[0], cropped[-1]

    def _constant(self, tensor: Any) -> Value:
        """Add a constant or a weight of the ONNX form. Weights are stored in float16 if that is lossless."""
        weight = numbered(WEIGHT, self._model.weights).get(tensor.name)
        if weight is None:
            return self._graph.constant(self._graph.onnx.numpy_helper.to_array(tensor))
        return self._graph.constant(compact(weight)).cast(FLOAT)

    def _network(self, entry: Value) -> Value:
        """Add the nodes of the ONNX form and return its output. Those of weights alone are added once, and shared."""
        own = {"l": entry}
        known = ChainMap(own, self._shared, {"": Value(self._graph, "")})
        for node in self._form.node:
            (output,) = node.output
            if output in self._shared or output == "features":
                continue
            place = self._shared if own.keys().isdisjoint(node.input) else own
            place[output] = self._graph(node.op_type, *(known[name] for name in node.input))
            self._graph.nodes[-1].attribute.extend(node.attribute)
        return own["outputs"]

    def _decoded(self, outputs: Value) -> Value:
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

    def _moments(self, outputs: Value) -> Value:
        """Return the mean color and the variance, as the head does."""
        head, bins = self._model.head, ab_bins()
        assert isinstance(head, BinsHead)
        shares = self._graph("Softmax", outputs + -head.training * head.log_weights, axis=-1)
        mean = shares @ bins
        squares = shares @ np.square(bins).sum(axis=1, keepdims=True)
        return self._graph("Concat", mean, squares - self._graph("ReduceSum", mean * mean, [3]), axis=3)


def _mean(values: Value, channel: int) -> Value:
    """Return the mean of one channel of a map, (C, h, w)."""
    return values.graph("ReduceMean", values.graph("Gather", values, channel), keepdims=0)


def _mirrored(values: Value, shape: Value) -> Value:
    """Mirror a map, (C, h, w), and extend it by its last row and column."""
    for axis in (0, 1):
        index = (shape[axis] + 1).range().at_most(shape[axis] - 1)
        values = values.graph("Gather", values.mirrored(2) if axis == 0 else values, index, axis=axis + 1)
    return values


def _working_shape(shape: Value, size: int) -> Value:
    """Return the size of the network's input for a picture; see :func:`labcolor.pictures.picture.working_shape`."""
    graph, sides = shape.graph, shape.cast(_DOUBLE)
    short, long = graph("ReduceMin", sides), graph("ReduceMax", sides)
    factor = graph("Div", np.float64(size), short).at_most(graph("Div", np.float64(8 * size), long))
    return graph("Round", sides * factor).cast(INT64).at_least(1)


def _centers(numbers: Value, scale: Value) -> Value:
    """Return the positions of pixel centers on a map on which a pixel is ``scale`` wide."""
    return (numbers.cast(_DOUBLE) + 0.5 * _ONE) * scale


def _reduction(old: Value, new: Value, kernel: Callable[[Value], Value]) -> Value:
    """Return the weights, (new, old), that reduce or enlarge a side; the filter widens where it shrinks."""
    scale = old.cast(_DOUBLE) / new.cast(_DOUBLE)
    return _weights(_centers(new.range(), scale), old, kernel, scale.at_least(_ONE))


def _weights(centers: Value, side: Value, kernel: Callable[[Value], Value], width: Any = _ONE) -> Value:
    """Return the weights, (centers, side), of the pixels around each center."""
    graph = centers.graph
    pixels = _centers(side.range(), graph.constant(_ONE))
    weights = kernel(graph("Abs", pixels - graph("Unsqueeze", centers, [1])) / width)
    return (weights / graph("ReduceSum", weights, [1])).cast(FLOAT)


def _triangle(distance: Value) -> Value:
    """Return the weights of linear interpolation."""
    return (_ONE - distance).at_least(0 * _ONE)


def _catmull_rom(distance: Value) -> Value:
    """Return the weights of the cubic of Catmull and Rom."""
    near = (distance * (1.5 * _ONE) - 2.5 * _ONE) * distance * distance + _ONE
    far = ((distance * (-0.5 * _ONE) + 2.5 * _ONE) * distance - 4 * _ONE) * distance + 2 * _ONE
    return (distance > _ONE).where((distance > 2 * _ONE).where(0 * _ONE, far), near)


def _hamming(distance: Value) -> Value:
    """Return the weights of a sinc in a Hamming window, as Pillow has them."""
    turn = (distance * (np.pi * _ONE)).at_least(1e-9 * _ONE)
    window = distance.graph("Cos", turn) * (0.46 * _ONE) + 0.54 * _ONE
    return (distance > _ONE).where(0 * _ONE, distance.graph("Sin", turn) / turn * window)


def _resampled(values: Value, rows: Value, columns: Value) -> Value:
    """Resample a matrix by the weights of its rows and columns."""
    return rows @ values @ columns.transposed()


# What follows is the arithmetic of labcolor.color.kernels.


def _lightness_of(pixels: Value) -> Value:
    """Return L, (h, w), of grey or RGB pixels, (h, w, C)."""
    graph = pixels.graph
    linear = graph("Gather", linear_light_table(np.dtype(np.uint8)), pixels.slice([0], [3], 2).cast(_INT32))
    # one channel, of grey, is repeated; a MatMul by a vector takes four times as long
    y = graph("ReduceSum", linear * np.asarray(kernels.TO_RELATIVE_XYZ[1], np.float32), [2], keepdims=0)
    root = y.at_least(0.008856).power(1 / 3)
    return (y > 0.008856).where(root, y * 7.787 + 16 / 116) * 116.0 - 16.0


def _linear(lightness: Value, ab: Value) -> Value:
    """Return linear RGB, (3, N), of L, (1, N), and ab, (2, N)."""
    f = ((lightness + 16.0) * (1 / 116) + _AB_TO_F @ ab).at_least(_LEAST_F)
    xyz = (f > 0.2068966).where(f * f * f, (f - 16 / 116) / 7.787)
    return np.asarray(kernels.FROM_RELATIVE_XYZ, np.float32) @ xyz


def _excess(linear: Value, highest: float) -> Value:
    """Return the largest excess of a color's channels beyond the gamut, (1, N); not positive inside the gamut."""
    return linear.graph("ReduceMax", (linear - highest).at_least(-kernels.UNDER - linear), axes=[0])


def _joined(lightness: Value, ab: Value) -> Value:
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


def _most_chroma(lightness: Value, hue: Value, highest: float) -> Value:
    """Return the largest chroma, (1, N), at which no channel of linear light lies below 0 or above ``highest``."""
    chroma, step = lightness * 0.0, kernels.MOST_CHROMA
    for _ in range(kernels.HALVINGS):
        step /= 2
        more = chroma + step
        chroma = (_excess(_linear(lightness, hue * more), highest) > 0.0).where(chroma, more)
    return chroma


def _encoded(linear: Value) -> Value:
    """Encode linear light as sRGB from 0 to 255, uint8."""
    linear = linear.at_least(0.0).at_most(1.0)
    curve = linear.at_least(1e-9).power(1 / 2.4) * 1.055 - 0.055
    levels = (linear > 0.0031308).where(curve.at_most(1.0), linear * 12.92) * 255.0 + 0.5
    return levels.cast(_UINT8)

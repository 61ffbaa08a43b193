"""Conversion of a Keras network to an ONNX graph, layer by layer."""

from __future__ import annotations

from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from labcolor.errors import InputError
from labcolor.networks.layers import last_convolution
from labcolor.networks.model_file import WEIGHT, numbered
from labcolor.networks.onnx_values import FLOAT, Graph, Value

if TYPE_CHECKING:
    import keras

_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}


def build_graph(network: keras.Model, *, without_values: bool) -> bytes:
    """Convert a network to an ONNX model.

    Parameters
    ----------
    network : keras.Model
        Network from (N, H, W, 1) to one output, with the kinds of layers of labcolor's own networks.
    without_values : bool
        Whether the graph is for a :class:`labcolor.networks.onnx_form.OnnxForm`: it contains only the names and shapes
        of the weights, and has a second output "features", the input of the last convolution, (N, h, w, F).

    Returns
    -------
    bytes
        Model from "l", (N, H, W, 1) float32, to "outputs", (N, h, w, C). The names of nodes at the end of the network,
        which stay in float32 when the rest is quantized to int8, begin with "end".

    Raises
    ------
    InputError
        The network has an unknown layer.
    LabcolorError
        The package onnx is not installed.
    """
    converter = _Converter(network, with_values=not without_values)
    outputs = [("outputs", network.output)]
    if without_values:
        outputs.append(("features", last_convolution(network).input))
    for name, tensor in outputs:
        converter.graph("Identity", converter.channels_last(tensor), prefix="end_", name=name)
    return converter.graph.encoded(
        inputs=[("l", FLOAT, ["N", "H", "W", 1])],
        outputs=[(name, FLOAT, ["N", "h", "w", tensor.shape[-1]]) for name, tensor in outputs],
    )


class _Converter:
    """Conversion of a network. Channels come first, as usual in ONNX, except at the end of the network."""

    def __init__(self, network: keras.Model, *, with_values: bool) -> None:
        self.graph = Graph()
        self._end = _end_of(network)
        self._values: dict[int, Value] = {}  # of weights and tensors, by the identity of Keras's objects
        for name, weight in numbered(WEIGHT, network.weights).items():
            self._values[id(weight)] = self._add_weight(name, weight, with_values=with_values)
        for layer in network.layers:
            self._values[id(layer.output)] = self._add_layer(layer)

    def channels_last(self, tensor: Any) -> Value:
        """Return the value of a Keras tensor with channels last, as at the end of the network."""
        value = self._values[id(tensor)]
        if any(tensor is layer.output for layer in self._end):
            return value
        return self.graph("Transpose", value, prefix="end_", perm=[0, 2, 3, 1])

    def _add_weight(self, name: str, weight: Any, *, with_values: bool) -> Value:
        """Add a weight as a constant in Keras's layout, or as a reference."""
        onnx = self.graph.onnx
        if with_values:
            constant = onnx.numpy_helper.from_array(np.asarray(weight, order="C"), name)
        else:
            constant = onnx.TensorProto(name=name, dims=tuple(weight.shape), data_type=FLOAT)
            constant.data_location = onnx.TensorProto.EXTERNAL
            constant.external_data.add(key="location", value="the model")
        self.graph.constants.append(constant)
        return Value(self.graph, name)

    def _activated(self, value: Value, layer: Any) -> Value:
        """Apply the activation function of a layer."""
        name, at_end = layer.activation.__name__, layer in self._end
        if name == "linear":
            return value
        if name == "softmax" and at_end:  # elsewhere channels are not the last axis
            return self.graph("Softmax", value, prefix="end_", axis=-1)
        if name not in _ACTIVATIONS:
            raise _unknown(layer, f"the activation {name}")
        return self.graph(_ACTIVATIONS[name], value, prefix="end_" if at_end else "")

    def _add_end(self, layer: Any) -> Value:
        """Add the nodes of a layer at the end of the network, and return its output."""
        from labcolor.backends.keras import layers

        add = partial(self.graph, prefix="end_")
        if isinstance(layer, layers.Add):
            return add("Add", *map(self.channels_last, layer.input))
        value = self.channels_last(layer.input)
        if isinstance(layer, layers.GlobalAveragePooling2D):
            return add("ReduceMean", value, axes=[1, 2], keepdims=1)
        if isinstance(layer, layers.Rescaling):
            scaled = add("Mul", value, np.asarray(layer.scale, np.float32))
            return add("Add", scaled, np.asarray(layer.offset, np.float32))
        if isinstance(layer, layers.Conv2D):
            matrix = add("Squeeze", self._values[id(layer.kernel)], np.array([0, 1]))
            value = add("MatMul", value, matrix)
            if layer.use_bias:
                value = add("Add", value, self._values[id(layer.bias)])
        return self._activated(value, layer)

    def _add_layer(self, layer: Any) -> Value:
        """Add the nodes of a layer, and return its output."""
        from labcolor.backends.keras import layers

        if isinstance(layer, layers.InputLayer):
            return self.graph("Transpose", Value(self.graph, "l"), perm=[0, 3, 1, 2])
        if layer in self._end:
            return self._add_end(layer)
        inputs = [self._values[id(tensor)] for tensor in _inputs_of(layer)]
        if isinstance(layer, layers.DepthwiseConv2D | layers.Conv2D):
            return self._add_convolution(layer, inputs[0])
        if isinstance(layer, layers.ReLU | layers.Activation):
            return self._add_activation(layer, inputs[0])
        if isinstance(layer, layers.BatchNormalization) and layer.center and layer.scale:
            weights = layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance
            values = [self._values[id(weight)] for weight in weights]
            return self.graph("BatchNormalization", *inputs, *values, epsilon=layer.epsilon)
        if isinstance(layer, layers.Add | layers.Multiply):
            return reduce(partial(self.graph, "Add" if isinstance(layer, layers.Add) else "Mul"), inputs)
        if isinstance(layer, layers.Concatenate) and layer.axis == -1:
            return self.graph("Concat", *inputs, axis=1)
        if isinstance(layer, layers.GlobalAveragePooling2D) and layer.keepdims:
            return self.graph("GlobalAveragePool", *inputs)
        if isinstance(layer, layers.UpSampling2D) and layer.interpolation == "nearest":
            scales = np.array([1, 1, *layer.size], np.float32)
            nearest = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
            return self.graph("Resize", inputs[0], Value(self.graph, ""), scales, **nearest)
        raise _unknown(layer, f"a {type(layer).__name__} with these settings")

    def _add_activation(self, layer: Any, value: Value) -> Value:
        """Add the nodes of an activation layer."""
        from labcolor.backends.keras import layers

        if isinstance(layer, layers.Activation):
            return self._activated(value, layer)
        if layer.negative_slope or layer.threshold:
            raise _unknown(layer, "a ReLU with these settings")
        if layer.max_value is None:
            return self.graph("Relu", value)
        return self.graph("Clip", value, 0.0, float(layer.max_value))

    def _add_convolution(self, layer: Any, value: Value) -> Value:
        """Add a convolution with its activation."""
        from labcolor.backends.keras import layers

        depthwise = isinstance(layer, layers.DepthwiseConv2D)
        padded = layer.padding == "same" or set(layer.kernel_size) == {1}  # 1x1 needs no padding
        plain = padded and set(layer.dilation_rate) == {1} and layer.data_format == "channels_last"
        if not plain or (layer.depth_multiplier if depthwise else layer.groups) != 1:
            raise _unknown(layer, "a convolution with these settings")
        bias = [self._values[id(layer.bias)]] if layer.use_bias else []
        kernel = self.graph(
            "Transpose", self._values[id(layer.kernel)], perm=[2, 3, 0, 1] if depthwise else [3, 2, 0, 1]
        )
        result = self.graph(
            "Conv",
            value,
            kernel,
            *bias,
            kernel_shape=list(layer.kernel_size),
            strides=list(layer.strides),
            auto_pad="SAME_UPPER",
            group=layer.input.shape[-1] if depthwise else 1,
        )
        return self._activated(result, layer)


def _inputs_of(layer: Any) -> list[Any]:
    """Return the input tensors of a layer as a list."""
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _end_of(network: keras.Model) -> list[Any]:
    """Return the last layers of a network that compute each position separately, or add the mean of the picture.

    Convolutions of 1x1 become matrix products with channels last, whose results stay in float32 when the rest is
    quantized to int8.
    """
    from labcolor.backends.keras import layers

    end: list[Any] = []
    tensors = [network.output]
    for layer in reversed(network.layers):
        single = isinstance(layer, layers.Conv2D) and {*layer.kernel_size, *layer.strides, layer.groups} == {1}
        mean = isinstance(layer, layers.GlobalAveragePooling2D) and layer.keepdims
        inputs = _inputs_of(layer)
        shifted = isinstance(layer, layers.Add) and [tensor.shape[1:3] for tensor in inputs][1:] == [(1, 1)]
        known = single or mean or shifted or isinstance(layer, layers.Activation | layers.Rescaling)
        if not known or not any(layer.output is tensor for tensor in tensors):
            break
        end.append(layer)
        tensors += inputs
    return end


def _unknown(layer: Any, found: str) -> InputError:
    """Return the error for a layer that this conversion does not support."""
    return InputError(
        f"network: expected layers that can be converted to ONNX, got {found} in {layer.name!r}. Export the model as "
        f"a SavedModel or as .tflite."
    )

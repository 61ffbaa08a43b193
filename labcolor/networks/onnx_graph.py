"""Conversion of a Keras network to an ONNX graph, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from labcolor.base.extras import missing_package
from labcolor.base.typing import Array
from labcolor.errors import InputError
from labcolor.networks.layers import last_convolution
from labcolor.networks.model_file import WEIGHT, numbered

if TYPE_CHECKING:
    import keras

__all__ = ["IR", "OPSET", "build_graph", "import_onnx"]

OPSET, IR = 17, 8  # ONNX 1.12 of 2022, which current runtimes support
_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}


def import_onnx() -> Any:
    """Import the onnx package, or raise a LabcolorError with the command that installs it."""
    try:
        import onnx
    except ImportError as error:
        raise missing_package("export", error) from error
    return onnx


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
    return _Graph(network, without_values=without_values).encoded()


class _Graph:
    """Builder of a graph. Channels come first, as usual in ONNX."""

    def __init__(self, network: keras.Model, *, without_values: bool) -> None:
        self._onnx = import_onnx()
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._tensors: dict[int, str] = {}  # names, by the identity of Keras's tensors
        self._names = {id(weight): name for name, weight in numbered(WEIGHT, network.weights).items()}
        for weight in network.weights:
            self._constants.append(self._weight(weight, with_values=not without_values))
        self._end = _end_of(network)
        for layer in network.layers:
            self._tensors[id(layer.output)] = self._add_layer(layer)
        self._outputs = [("outputs", network.output)] + [("features", last_convolution(network).input)] * without_values

    def encoded(self) -> bytes:
        """Return the model."""
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        for name, tensor in self._outputs:
            last = self._channels_last(tensor)
            self._nodes.append(helper.make_node("Identity", [last], [name], name=f"end_{name}"))
        graph = helper.make_graph(
            self._nodes,
            "labcolor",
            [helper.make_tensor_value_info("l", kind, ["N", "H", "W", 1])],
            [helper.make_tensor_value_info(name, kind, ["N", "h", "w", of.shape[-1]]) for name, of in self._outputs],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        return bytes(model.SerializeToString(deterministic=True))

    def _channels_last(self, tensor: Any) -> str:
        """Return the name of a Keras tensor's values with channels last, as at the end of the network."""
        name = self._tensors[id(tensor)]
        if any(tensor is layer.output for layer in self._end):
            return name
        return self._node("Transpose", name, prefix="end_", perm=[0, 2, 3, 1])

    def _weight(self, weight: Any, *, with_values: bool) -> Any:
        """Return a weight as a constant in Keras's layout, or as a reference."""
        name = self._names[id(weight)]
        if with_values:
            return self._onnx.numpy_helper.from_array(np.asarray(weight, order="C"), name)
        constant = self._onnx.TensorProto(
            name=name,
            dims=tuple(weight.shape),
            data_type=self._onnx.TensorProto.FLOAT,
            data_location=self._onnx.TensorProto.EXTERNAL,
        )
        constant.external_data.add(key="location", value="the model")
        return constant

    def _constant(self, value: Array) -> str:
        """Add a constant, and return its name, which is the same in all graphs of a network."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(value, name))
        return name

    def _node(self, operation: str, *inputs: str, prefix: str = "", **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        name = f"{prefix}{operation.lower()}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operation, inputs, [name], name=name, **attributes))
        return name

    def _activated(self, tensor: str, activation: Any, layer: Any) -> str:
        """Add an activation function to a tensor."""
        name = activation.__name__
        if name == "linear":
            return tensor
        prefix = "end_" if layer in self._end else ""
        if name == "softmax" and prefix:  # elsewhere channels are not the last axis
            return self._node("Softmax", tensor, prefix=prefix, axis=-1)
        if name not in _ACTIVATIONS:
            raise _unknown(layer, f"the activation {name}")
        return self._node(_ACTIVATIONS[name], tensor, prefix=prefix)

    def _add_end(self, layer: Any) -> str:
        """Add the nodes of a layer at the end of the network, and return the name of its output."""
        from labcolor.backends.keras import layers

        if isinstance(layer, layers.Add):
            return self._node("Add", *map(self._channels_last, layer.input), prefix="end_")
        tensor = self._channels_last(layer.input)
        if isinstance(layer, layers.GlobalAveragePooling2D):
            return self._node("ReduceMean", tensor, prefix="end_", axes=[1, 2], keepdims=1)
        if isinstance(layer, layers.Rescaling):
            for operation, value in (("Mul", layer.scale), ("Add", layer.offset)):
                constant = self._constant(np.asarray(value, np.float32))
                tensor = self._node(operation, tensor, constant, prefix="end_")
            return tensor
        if isinstance(layer, layers.Conv2D):
            axes = self._constant(np.array([0, 1], np.int64))
            matrix = self._node("Squeeze", self._names[id(layer.kernel)], axes, prefix="end_")
            tensor = self._node("MatMul", tensor, matrix, prefix="end_")
            if layer.use_bias:
                tensor = self._node("Add", tensor, self._names[id(layer.bias)], prefix="end_")
        return self._activated(tensor, layer.activation, layer)

    def _add_layer(self, layer: Any) -> str:
        """Add the nodes of a layer, and return the name of its output."""
        from labcolor.backends.keras import layers

        if isinstance(layer, layers.InputLayer):
            return self._node("Transpose", "l", perm=[0, 3, 1, 2])
        if layer in self._end:
            return self._add_end(layer)
        inputs = [self._tensors[id(tensor)] for tensor in _inputs_of(layer)]
        if isinstance(layer, layers.DepthwiseConv2D | layers.Conv2D):
            return self._add_convolution(layer, inputs[0])
        if isinstance(layer, layers.ReLU | layers.Activation):
            return self._add_activation(layer, inputs[0])
        if isinstance(layer, layers.BatchNormalization) and layer.center and layer.scale:
            weights = layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance
            names = [self._names[id(weight)] for weight in weights]
            return self._node("BatchNormalization", *inputs, *names, epsilon=layer.epsilon)
        if isinstance(layer, layers.Add | layers.Multiply):
            first, *others = inputs
            for other in others:
                first = self._node("Add" if isinstance(layer, layers.Add) else "Mul", first, other)
            return first
        if isinstance(layer, layers.Concatenate) and layer.axis == -1:
            return self._node("Concat", *inputs, axis=1)
        if isinstance(layer, layers.GlobalAveragePooling2D) and layer.keepdims:
            return self._node("GlobalAveragePool", *inputs)
        if isinstance(layer, layers.UpSampling2D) and layer.interpolation == "nearest":
            scales = self._constant(np.array([1, 1, *layer.size], np.float32))
            nearest = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
            return self._node("Resize", inputs[0], "", scales, **nearest)
        raise _unknown(layer, f"a {type(layer).__name__} with these settings")

    def _add_activation(self, layer: Any, tensor: str) -> str:
        """Add the nodes of an activation layer."""
        from labcolor.backends.keras import layers

        if isinstance(layer, layers.Activation):
            return self._activated(tensor, layer.activation, layer)
        if layer.negative_slope or layer.threshold:
            raise _unknown(layer, "a ReLU with these settings")
        if layer.max_value is None:
            return self._node("Relu", tensor)
        bounds = [self._constant(np.array(end, np.float32)) for end in (0.0, layer.max_value)]
        return self._node("Clip", tensor, *bounds)

    def _add_convolution(self, layer: Any, tensor: str) -> str:
        """Add a convolution with its activation."""
        from labcolor.backends.keras import layers

        depthwise = isinstance(layer, layers.DepthwiseConv2D)
        padded = layer.padding == "same" or set(layer.kernel_size) == {1}  # 1x1 needs no padding
        plain = padded and set(layer.dilation_rate) == {1} and layer.data_format == "channels_last"
        if not plain or (layer.depth_multiplier if depthwise else layer.groups) != 1:
            raise _unknown(layer, "a convolution with these settings")
        bias = [self._names[id(layer.bias)]] if layer.use_bias else []
        kernel = self._names[id(layer.kernel)]
        result = self._node(
            "Conv",
            tensor,
            self._node("Transpose", kernel, perm=[2, 3, 0, 1] if depthwise else [3, 2, 0, 1]),
            *bias,
            kernel_shape=list(layer.kernel_size),
            strides=list(layer.strides),
            auto_pad="SAME_UPPER",
            group=layer.input.shape[-1] if depthwise else 1,
        )
        return self._activated(result, layer.activation, layer)


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

"""Quantization of ONNX models to int8, except the part of a network that stays in float32."""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labcolor.backends.onnxruntime import load_session
from labcolor.base.typing import Array
from labcolor.networks.onnx_values import import_onnx

if TYPE_CHECKING:
    import keras

# With 12 convolutions of the packaged model in float32, its int8 colors measure like those of float32 (docs/engine.md).
_SHARE_IN_FLOAT = 0.005


def kept_in_float(network: keras.Model) -> int:
    """Return the number of first convolutions that stay in float32 when the others are quantized to int8.

    Together they contain at most half a percent of the weights of all convolutions. The rounding errors of convolutions
    with few weights per channel, such as depthwise ones, do not average out.
    """
    sizes: list[int] = [math.prod(weight.shape) for weight in network.weights if len(weight.shape) == 4]
    return max(1, sum(size <= _SHARE_IN_FLOAT * sum(sizes) for size in itertools.accumulate(sizes)))


def quantize(content: bytes, calibration: Sequence[Array], in_float: int) -> bytes:
    """Quantize an ONNX model to int8, weights by channel and activations by their ranges in pictures.

    The first convolutions, all convolutions of L, the product at the end and the operations after it stay in float32.
    The biases of the other convolutions compensate the mean error from the rounding of their weights.

    Parameters
    ----------
    content : bytes
        The model in float32, with folded constants and the node names of
        :func:`labcolor.networks.onnx_graph.build_graph`.
    calibration : sequence of ndarray, each (1, H, W, 1), float32
        Scaled L of at least one picture.
    in_float : int
        Number of first convolutions that stay in float32.

    Returns
    -------
    bytes

    Raises
    ------
    LabcolorError
        A package that this needs is not installed.
    """
    model = import_onnx().load_model_from_string(content)
    from onnxruntime import quantization

    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")  # avoids a warning
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    convolutions.sort(key=lambda node: int(node.name.rpartition("_")[2]))  # ONNX Runtime orders them differently
    in_int8 = [node for node in convolutions[in_float:] if node.input[0] != convolutions[0].input[0]]
    if in_int8:
        _correct_biases(model, in_int8, calibration)
    excluded = {node.name for node in convolutions} - {node.name for node in in_int8}
    end = [node for node in model.graph.node if node.name.startswith("end")]
    product = next((node.name for node in end if node.op_type == "MatMul"), None)
    pictures = iter(calibration)

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Array] | None:
            picture = next(pictures, None)
            return None if picture is None else {"l": picture}

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            model,
            path,
            Reader(),
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=[*excluded, *(node.name for node in end if node.name != product)],
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
        )
        return path.read_bytes()


def _correct_biases(model: Any, convolutions: Sequence[Any], calibration: Sequence[Array]) -> None:
    """Correct the biases of convolutions for the mean error from the rounding of their weights.

    The error is the change of the weights, summed over the window, times the mean of the input channels: Nagel et al.,
    "Data-Free Quantization Through Weight Equalization and Bias Correction" (ICCV 2019), section 4.2. The means are
    measured with equal weight for each picture, and neglect the zeros of the padding.
    """
    from onnx import helper, numpy_helper

    means = _means(model, sorted({node.input[0] for node in convolutions}), calibration)
    initial = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in convolutions:
        weights = numpy_helper.to_array(initial[node.input[1]])
        step = np.abs(weights).max((1, 2, 3), keepdims=True) / 127
        change = (np.rint(weights / np.where(step > 0, step, 1)) * step - weights).sum((2, 3))
        by_group = change.reshape(helper.get_node_attr_value(node, "group"), -1, change.shape[1])
        shift = np.einsum("goi,gi->go", by_group, means[node.input[0]].reshape(len(by_group), -1)).ravel()
        bias = numpy_helper.to_array(initial[node.input[2]]) if len(node.input) > 2 else 0
        name = f"{node.name}_bias"
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(bias - shift, np.float32), name))
        node.input[2:] = [name]
    used = {name for node in model.graph.node for name in node.input}
    constants = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(constants)  # ONNX Runtime warns of unused constants


def _means(model: Any, names: Sequence[str], calibration: Sequence[Array]) -> dict[str, Array]:
    """Return the mean of each channel of named tensors of an ONNX model, (N, channels, H, W), over pictures."""
    from onnx import helper

    shown = type(model)()
    shown.CopyFrom(model)
    del shown.graph.output[:]
    shown.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = load_session(shown.SerializeToString(), {}, optimize="ORT_ENABLE_BASIC")
    sums = [np.zeros(1)] * len(names)
    for picture in calibration:
        sums = [
            total + value.mean((0, 2, 3)) for total, value in zip(sums, session.run(None, {"l": picture}), strict=True)
        ]
    return {name: total / len(calibration) for name, total in zip(names, sums, strict=True)}

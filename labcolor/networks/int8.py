"""Networks in int8: what of them stays in float32, and ONNX models."""

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
from labcolor.networks.onnx_graph import import_onnx

if TYPE_CHECKING:
    import keras

__all__ = ["kept_in_float", "quantize"]

_SHARE_IN_FLOAT = (
    0.005  # with 12 convolutions of the packaged model its int8 colors measure as in float32 (docs/engine.md)
)


def kept_in_float(network: keras.Model) -> int:
    """Return how many convolutions of a network, the first ones, stay in float32 when the rest is in int8.

    They are the first, and those after it as long as all of them together hold at most half a percent of the weights of
    convolutions. Where a convolution has few weights for a channel, as depthwise ones do, their rounding errors do not
    average out.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    int
    """
    sizes: list[int] = [math.prod(weight.shape) for weight in network.weights if len(weight.shape) == 4]
    return max(1, sum(size <= _SHARE_IN_FLOAT * sum(sizes) for size in itertools.accumulate(sizes)))


def quantize(content: bytes, calibration: Sequence[Array], in_float: int) -> bytes:
    """Return an ONNX model in int8: weights by channel, activations by the ranges that they have in pictures.

    The first convolutions, all that see L itself, the result of the product at the end, and what follows it stay in
    float32. What the rounding of the other convolutions' weights changes on average, their biases take back.

    Parameters
    ----------
    content : bytes
        The model in float32, as :func:`labcolor.networks.onnx_graph.build_graph` names its nodes, its constants
        computed.
    calibration : sequence of ndarray, each (1, H, W, 1), float32
        Scaled L of pictures, one at least.
    in_float : int
        How many convolutions, the first ones, stay in float32.

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

    model.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")  # or it warns
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    convolutions.sort(key=lambda node: int(node.name.rpartition("_")[2]))  # ONNX Runtime has another order
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
    """Take back, in the biases of convolutions, what the rounding of their weights to int8 changes on average.

    That is the change of the weights, summed up over the window, times the mean of the channels that they see: Nagel et
    al., "Data-Free Quantization Through Weight Equalization and Bias Correction" (ICCV 2019), section 4.2. Here the
    means are measured, each picture counting the same; that windows see zeros beyond the border is left aside.
    """
    from onnx import numpy_helper

    means = _means(model, sorted({node.input[0] for node in convolutions}), calibration)
    initial = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in convolutions:
        weights = numpy_helper.to_array(initial[node.input[1]])
        step = np.abs(weights).max((1, 2, 3), keepdims=True) / 127
        change = (np.rint(weights / np.where(step > 0, step, 1)) * step - weights).sum((2, 3))
        by_group = change.reshape(_groups(node), -1, change.shape[1])
        shift = np.einsum("goi,gi->go", by_group, means[node.input[0]].reshape(len(by_group), -1)).ravel()
        bias = numpy_helper.to_array(initial[node.input[2]]) if len(node.input) > 2 else 0
        name = f"{node.name}_bias"
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(bias - shift, np.float32), name))
        node.input[2:] = [name]
    used = {name for node in model.graph.node for name in node.input}
    constants = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(constants)  # or ONNX Runtime warns of the others


def _means(model: Any, names: Sequence[str], calibration: Sequence[Array]) -> dict[str, Array]:
    """Return the mean of each channel, in pictures, of what has these names in an ONNX model: (N, channels, H, W)."""
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


def _groups(convolution: Any) -> int:
    """Return in how many groups a convolution of an ONNX graph treats its channels."""
    return next((int(attribute.i) for attribute in convolution.attribute if attribute.name == "group"), 1)

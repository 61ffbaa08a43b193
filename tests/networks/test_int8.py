"""Networks in int8: what stays in float32, and that rounding does not move the results on average."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from labcolor import Colorizer
from labcolor.networks.int8 import kept_in_float, quantize

RANDOM = np.random.default_rng(0)
PICTURES = [RANDOM.uniform(0, 1, (1, *shape, 1)).astype(np.float32) for shape in ((24, 32), (32, 32), (40, 24))]


def network(*layers):
    """An ONNX model of convolutions of one size, each the next of (weights, biases or None), ReLU between them."""
    nodes, constants, name = [helper.make_node("Transpose", ["l"], ["x"], "to_channels", perm=[0, 3, 1, 2])], [], "x"
    for index, (weights, biases) in enumerate(layers):
        entries = [name, f"weights{index}"] + [f"biases{index}"] * (biases is not None)
        constants.append(numpy_helper.from_array(np.float32(weights), entries[1]))
        if biases is not None:
            constants.append(numpy_helper.from_array(np.float32(biases), entries[2]))
        channels = layers[index - 1][0].shape[0] if index else 1
        groups = channels // weights.shape[1]
        shape = {"kernel_shape": weights.shape[2:], "pads": [side // 2 for side in weights.shape[2:] * 2]}
        nodes.append(helper.make_node("Conv", entries, [f"sum{index}"], f"conv{index}", group=groups, **shape))
        nodes.append(helper.make_node("Relu", [f"sum{index}"], [f"relu{index}"], f"relu{index}"))
        name = f"relu{index}"
    nodes.append(helper.make_node("Transpose", [f"sum{index}"], ["outputs"], "end", perm=[0, 2, 3, 1]))
    entry, result = (helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["N", "H", "W", c])
                     for n, c in (("l", 1), ("outputs", layers[-1][0].shape[0])))  # fmt: skip
    graph = helper.make_graph(nodes, "network", [entry], [result], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def weights(channels, of_group, side):
    """Random weights of a convolution."""
    return RANDOM.normal(0, 0.3, (channels, of_group, side, side))


def run(content, picture):
    """What ONNX Runtime makes of a picture, without what saturates on some processors."""
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(content, settings).run(None, {"l": picture})[0]


def in_float(content):
    """For each convolution, in the order of their numbers, whether its weights are in float32."""
    graph = onnx.load_model_from_string(content).graph
    rounded = {name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    convolutions = {
        int(node.name.removeprefix("conv").lstrip("_")): node for node in graph.node if node.op_type == "Conv"
    }
    return [node.input[1] not in rounded for _, node in sorted(convolutions.items())]


def test_the_packaged_models():
    """Of the default the first twelve convolutions stay in float32, of the reference network the first."""
    assert in_float(Colorizer.from_pretrained("efficientnet").model_.light.int8) == [True] * 12 + [False] * 48
    assert in_float(Colorizer.from_pretrained("reference").model_.light.int8) == [True] + [False] * 7


def test_the_first_depthwise_convolutions_stay_in_float():
    """With what is before, between and right after the first four of them, or all of fewer; without them the first."""
    import keras

    def kept(kinds):
        entry = x = keras.Input((None, None, 1))
        for kind in kinds:
            layer = (
                keras.layers.DepthwiseConv2D(3) if kind == "d" else keras.layers.Conv2D(4, 1, groups=1 + (kind == "g"))
            )
            x = keras.layers.ReLU()(layer(x))
        return kept_in_float(keras.Model(entry, x))

    assert kept("c" + "cdc" * 5) == 13
    assert kept("cdccdccc") == 6
    assert kept("cccc") == kept("cgg") == 1


def test_what_sees_l_stays_in_float():
    """Convolutions beyond the first, as many as asked for, are in int8."""
    content = network(*[(weights(4, channels, 1), None) for channels in (1, 4, 2, 4)])
    assert in_float(quantize(content, PICTURES, 2)) == [True, True, False, False]
    assert in_float(quantize(content, PICTURES, 4)) == [True] * 4
    second = onnx.load_model_from_string(content)
    second.graph.node[3].input[0] = "x"  # it sees L, too
    second.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.float32(weights(4, 1, 1)), "weights1"))
    assert in_float(quantize(second.SerializeToString(), PICTURES, 1)) == [True, True, False, False]


@pytest.mark.parametrize("biases", [None, np.array([0.5, -0.2, 0, 0.1])])
@pytest.mark.parametrize("groups", [1, 2])
def test_biases_take_back_what_rounding_changes(biases, groups):
    """Weights of a third of a step round to zero; their sum is not lost, but the mean of their results."""
    large = np.full((4, 8 // groups, 3, 3), 1 / 3 / 127)
    large[:, 0, 1, 1] = 1
    first = (np.abs(weights(8, 1, 3)), None)
    content = network(first, (large, biases))
    rounded = quantize(content, PICTURES, 1)
    exact, found = ([run(model, picture)[:, 1:-1, 1:-1] for picture in PICTURES] for model in (content, rounded))
    lost = (large.sum() / 4 - 1) * np.mean([run(network(first), picture).mean() for picture in PICTURES])
    difference = np.mean([(f - e).mean((0, 1, 2)) for f, e in zip(found, exact, strict=True)], axis=0)
    assert lost > 0.05
    assert np.abs(difference).max() < lost / 5
    onnx.checker.check_model(onnx.load_model_from_string(rounded), full_check=True)


def test_channels_of_zeros_and_what_nothing_uses():
    """A channel whose weights are all zero gives its bias, and no constant is left that no operation needs."""
    last = weights(4, 8, 1)
    last[1] = 0
    content = quantize(network((weights(8, 1, 3), np.zeros(8)), (last, np.array([0, 0.5, 0, 0]))), PICTURES, 1)
    np.testing.assert_allclose(run(content, PICTURES[0])[..., 1], 0.5, atol=0.02)
    graph = onnx.load_model_from_string(content).graph
    assert {tensor.name for tensor in graph.initializer} <= {name for node in graph.node for name in node.input}

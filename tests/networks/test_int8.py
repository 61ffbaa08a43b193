"""Networks in int8: what stays in float32, and that rounding does not move the results on average."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from labcolor import Colorizer
from labcolor.networks.int8 import kept_in_float, quantize

SHAPES = (24, 32), (32, 32), (40, 24)
PICTURES = [np.random.default_rng(0).uniform(0, 1, (1, *shape, 1)).astype(np.float32) for shape in SHAPES]


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
        nodes.append(helper.make_node("Conv", entries, [f"sum{index}"], f"conv_{index}", group=groups, **shape))
        nodes.append(helper.make_node("Relu", [f"sum{index}"], [f"relu{index}"], f"relu{index}"))
        name = f"relu{index}"
    nodes.append(helper.make_node("Transpose", [f"sum{index}"], ["outputs"], "end", perm=[0, 2, 3, 1]))
    entry, result = (helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["N", "H", "W", c])
                     for n, c in (("l", 1), ("outputs", layers[-1][0].shape[0])))  # fmt: skip
    graph = helper.make_graph(nodes, "network", [entry], [result], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def weights(channels, of_group, side):
    """Random weights of a convolution."""
    return np.random.default_rng(channels + of_group).normal(0, 0.3, (channels, of_group, side, side))


def run(content, picture):
    """What ONNX Runtime makes of a picture, without what saturates on some processors."""
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(content, settings).run(None, {"l": picture})[0]


def in_float(content):
    """For each convolution, in the order of their numbers, whether its weights are in float32."""
    graph = onnx.load_model_from_string(content).graph
    rounded = {name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    convolutions = {node.name.rpartition("_")[2]: node for node in graph.node if node.op_type == "Conv"}
    return [convolutions[number].input[1] not in rounded for number in sorted(convolutions, key=int)]


def test_the_packaged_models():
    """Of the default the first twelve convolutions stay in float32, of the reference network the first."""
    assert in_float(Colorizer.from_pretrained("efficientnet").model_.onnx_form.int8) == [True] * 12 + [False] * 48
    assert in_float(Colorizer.from_pretrained("reference").model_.onnx_form.int8) == [True] + [False] * 7


def test_the_first_convolutions_stay_in_float():
    """As many as hold half a percent of all weights together, and one at least, whatever the others are."""
    import keras

    def kept(*kinds):
        entry = x = keras.Input((None, None, 1))
        for kind in kinds:
            x = keras.layers.DepthwiseConv2D(3)(x) if kind == "depthwise" else keras.layers.Conv2D(*kind)(x)
        return kept_in_float(keras.Model(entry, x))

    small = (4, 3), "depthwise", (4, 1)  # 36, 36 and 16 weights
    assert kept(*small, (38, 3), (38, 3)) == 2  # of 14,452
    assert kept(*small, (256, 3), (256, 1)) == 3  # of 74,840
    assert kept((8, 3), (8, 3), "depthwise", (8, 3)) == 1
    assert kept((8, 3)) == 1


def test_the_first_are_those_of_the_lowest_numbers():
    """ONNX Runtime sorts operations in its own way."""
    content = onnx.load_model_from_string(network(*[(weights(4, channels, 1), None) for channels in (1, 4, 4, 4)]))
    for node in content.graph.node:
        node.name = {"conv_1": "conv_12", "conv_2": "conv_3", "conv_3": "conv_4"}.get(node.name, node.name)
    assert in_float(quantize(content.SerializeToString(), PICTURES, 2)) == [True, True, False, False]


def test_what_sees_l_stays_in_float():
    """So do the first, as many as asked for, and all others are in int8."""
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
    """Weights of a third of a step round to zero, each channel by its own step; the mean of the sums is not lost."""
    first = np.abs(weights(8, 1, 3)) * np.repeat([1, 5], 4)[:, None, None, None]
    second = np.full((4, 8 // groups, 3, 3), 1 / 3 / 127)
    second[:, 0, 1, 1] = 1
    second *= np.array([1, 2, 4, 8])[:, None, None, None]
    content = network((first, None), (second, biases))
    rounded = quantize(content, PICTURES, 1)
    seen = np.mean([run(network((first, None)), picture)[0].mean((0, 1)) for picture in PICTURES], axis=0)
    small = np.where(second > second.max((1, 2, 3), keepdims=True) / 2, 0, second).sum((2, 3))
    lost = np.sum(small * (seen if groups == 1 else np.repeat(seen.reshape(2, 4), 2, axis=0)), axis=1)
    exact, found = ([run(model, picture)[0, 1:-1, 1:-1] for picture in PICTURES] for model in (content, rounded))
    difference = np.mean([(f - e).mean((0, 1)) for f, e in zip(found, exact, strict=True)], axis=0)
    assert (np.abs(difference) < lost / 15).all()
    onnx.checker.check_model(onnx.load_model_from_string(rounded), full_check=True)


def test_a_channel_of_zeros(capfd):
    """A channel whose weights are all zero gives its bias; nothing is written to the terminal."""
    last = weights(4, 8, 1)
    last[1] = 0
    content = quantize(network((weights(8, 1, 3), np.zeros(8)), (last, np.array([0, 0.5, 0, 0]))), PICTURES, 1)
    np.testing.assert_allclose(run(content, PICTURES[0])[..., 1], 0.5, atol=0.02)
    assert capfd.readouterr().err == ""

"""Models in other forms compute what the Colorizer computes, and bad requests and files end in one clear error."""

import io
import json
import re
import subprocess
import sys
import zipfile
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from labcolor import Colorizer, build_autoencoder
from labcolor.colorizer import pipeline_of
from labcolor.errors import InputError, LabcolorError, ModelFileError, NotFittedError
from labcolor.networks import Architecture, RegressionHead, get_architecture
from labcolor.networks.export import with_onnx_form
from labcolor.networks.model import FittedModel
from labcolor.networks.onnx_graph import build_graph

BATCH = np.random.default_rng(0).uniform(-1, 1, (1, 64, 96, 1)).astype(np.float32)


@pytest.fixture(scope="module", params=["efficientnet", "reference"])
def colorizer(request):
    """Both packaged models."""
    return Colorizer.from_pretrained(request.param).set_params(engine="onnxruntime")


def expected(colorizer):
    """Unscaled ab of the batch."""
    return pipeline_of(colorizer).with_features(BATCH)[0]


def run_onnx(path):
    """What ONNX Runtime makes of the batch."""
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"l": BATCH})[0]


@pytest.fixture(scope="module")
def exported(colorizer, tmp_path_factory):
    """The network as an ONNX file."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    colorizer.export(path)
    return path


def test_onnx(colorizer, exported):
    """The exported network gives the same ab within 1e-3, and other programs accept it."""
    onnx.checker.check_model(exported, full_check=True)
    np.testing.assert_allclose(run_onnx(exported), expected(colorizer), atol=1e-3)


def test_onnx_in_int8(colorizer, exported, photographs, tmp_path):
    """In int8 a file is less than a third as large, and ab differs by less than 1 on average, with two photographs."""
    colorizer.export(tmp_path / "int8.onnx", int8=photographs[:2])
    assert (tmp_path / "int8.onnx").stat().st_size * 3 < exported.stat().st_size
    lightness, _ = colorizer.codec_.encode(photographs[0][None, :160, :160])
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # or some products saturate
    exact, rounded = (
        onnxruntime.InferenceSession(path, settings).run(None, {"l": lightness.astype(np.float32)})[0]
        for path in (exported, tmp_path / "int8.onnx")
    )
    assert 0 < np.abs(exact - rounded).mean() < 1


@pytest.mark.slow
def test_tflite(colorizer, photographs, tmp_path):
    """LiteRT gives the same ab within 1e-3; in int8 it differs by less than 1, the first convolutions in float32."""
    import tensorflow as tf

    def run_tflite(path, batch):
        with pytest.warns(UserWarning, match="deprecated"):
            interpreter = tf.lite.Interpreter(str(path))
        entry, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
        interpreter.resize_tensor_input(entry, batch.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(entry, batch)
        interpreter.invoke()
        return interpreter.get_tensor(result)

    colorizer.export(tmp_path / "model.tflite")
    np.testing.assert_allclose(run_tflite(tmp_path / "model.tflite", BATCH), expected(colorizer), atol=1e-3)
    colorizer.export(tmp_path / "int8.tflite", int8=photographs)
    batch = colorizer.codec_.encode(photographs[0][None, :160, :160])[0].astype(np.float32)
    exact, rounded = (run_tflite(tmp_path / name, batch) for name in ("model.tflite", "int8.tflite"))
    assert 0 < np.abs(exact - rounded).mean() < 1
    with redirect_stdout(io.StringIO()) as printed:
        tf.lite.experimental.Analyzer.analyze(model_path=str(tmp_path / "int8.tflite"))
    kernels = re.findall(r"CONV_2D\(T#\d+, T#(\d+)", printed.getvalue())
    kinds = dict(re.findall(r"T#(\d+)\(.*\) shape:.*, type:(\w+)", printed.getvalue()))
    first = 12 if colorizer.network == "efficientnet" else 1
    assert [kinds[kernel] for kernel in kernels] == ["FLOAT32"] * first + ["INT8"] * (len(kernels) - first)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_tflite_in_int8_of_few_convolutions(count, photographs, tmp_path):
    """A network of one convolution, which would stay in float32, is quantized; of three the first stays."""
    import keras

    def build(*, seed=None, dtype="float32"):
        entry = x = keras.Input((None, None, 1))
        for channels in (64, 64, 2)[3 - count :]:
            x = keras.layers.Conv2D(channels, 3, padding="same", activation="tanh")(x)
        return keras.Model(entry, x)

    architecture = Architecture("few", build, RegressionHead())
    codec = Colorizer.from_pretrained("reference").codec_
    weights = tuple(architecture.network(seed=0).get_weights())
    colorizer = Colorizer(architecture, working_size=32)
    colorizer.model_ = FittedModel(architecture, weights, codec, RegressionHead(), 32)
    colorizer.export(tmp_path / "float.tflite")
    colorizer.export(tmp_path / "int8.tflite", int8=photographs)
    exact, rounded = ((tmp_path / name).read_bytes() for name in ("float.tflite", "int8.tflite"))
    assert rounded != exact
    assert count == 1 or len(rounded) < len(exact) / 2


@pytest.mark.slow
def test_keras_and_savedmodel(colorizer, tmp_path):
    """A Keras file needs Keras only, and a SavedModel TensorFlow only; each gives the same ab within 1e-3."""
    import keras
    import tensorflow as tf

    colorizer.export(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(BATCH), expected(colorizer), atol=1e-3)
    colorizer.export(tmp_path / "saved")
    served = tf.saved_model.load(str(tmp_path / "saved"))
    np.testing.assert_allclose(served.serve(BATCH), expected(colorizer), atol=1e-3)
    with pytest.raises(ModelFileError, match="exists already"):
        colorizer.export(tmp_path / "saved")
    assert {path.name for path in tmp_path.iterdir()} == {"model.keras", "saved"}


def test_the_example_colors_a_picture(colorizer, exported, photographs, tmp_path):
    """The example, which has ONNX Runtime and numpy only, comes near to what the library makes."""
    grey = Image.fromarray(photographs[1]).convert("L")
    grey.save(tmp_path / "grey.png")
    example = Path(__file__).parents[2] / "examples" / "onnx_runtime.py"
    names = [exported, tmp_path / "grey.png", tmp_path / "colored.png"]
    subprocess.run([sys.executable, example, *names], check=True)
    found = np.asarray(Image.open(tmp_path / "colored.png")).astype(int)
    assert np.abs(found - colorizer.set_params(working_size=192).predict(np.asarray(grey))).mean() < 4


@pytest.mark.parametrize(
    ("name", "int8", "error", "words"),
    [
        ("model.pb", None, InputError, r"\.onnx"),
        ("model.keras", [np.zeros((200, 200, 3), np.uint8)], InputError, "int8"),
        ("none/model.onnx", None, ModelFileError, "no folder"),
        ("model.onnx", [], InputError, "int8"),
    ],
    ids=["another ending", "no int8", "no folder", "no pictures"],
)
def test_bad_requests(reference, tmp_path, name, int8, error, words):
    """Each is one error, and no file."""
    with pytest.raises(error, match=words):
        reference.export(tmp_path / name, int8=int8)
    assert list(tmp_path.iterdir()) == []


def test_a_colorizer_without_a_model_is_not_exported(tmp_path):
    """It is not fitted."""
    with pytest.raises(NotFittedError):
        Colorizer().export(tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_joins_and_weights_features(tmp_path):
    """A U-Net with squeeze-excitation computes as ONNX, and in the ONNX form, what Keras computes."""
    import keras

    def build(*, seed=None, dtype="float32"):
        inputs = keras.Input((None, None, 1))
        first = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
        second = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(first)
        joined = keras.layers.Concatenate()([first, second])
        mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(joined)
        joined = keras.layers.Multiply()([joined, keras.layers.Conv2D(8, 1, activation="sigmoid")(mean)])
        return keras.Model(inputs, keras.layers.Conv2D(2, 1, activation="tanh")(joined))

    architecture = Architecture("joined", build, RegressionHead())
    codec = Colorizer.from_pretrained("reference").codec_
    colorizer = Colorizer(architecture, working_size=32, engine="tensorflow")
    network = architecture.network(seed=0)
    colorizer.model_ = FittedModel(architecture, tuple(network.get_weights()), codec, RegressionHead(), 32)
    colorizer.export(tmp_path / "model.onnx")
    np.testing.assert_allclose(run_onnx(tmp_path / "model.onnx"), expected(colorizer), atol=1e-3)
    keras_ab = expected(colorizer)
    colorizer.model_ = with_onnx_form(colorizer.model_)
    assert b"Concat" in colorizer.model_.onnx_form.graph
    np.testing.assert_allclose(expected(colorizer.set_params(engine="onnxruntime")), keras_ab, atol=1e-3)


def test_layers_that_onnx_does_not_get(tmp_path):
    """A network with another layer cannot be written as ONNX; the error names the layer and another form."""
    import keras

    network = build_autoencoder((4, 4, 4), (4, 4), seed=0)

    def build(*, seed=None, dtype="float32"):
        return keras.Model(network.inputs, keras.layers.GaussianNoise(0.1, name="noisy")(network.output))

    architecture = Architecture("noise", build, RegressionHead())
    model = FittedModel(architecture, tuple(network.get_weights()), Colorizer.from_pretrained("reference").codec_,
                        RegressionHead(), 32)  # fmt: skip
    colorizer = Colorizer(architecture, working_size=32)
    colorizer.model_ = model
    for name in ("model.onnx", "model.labcolor"):
        with pytest.raises(InputError, match=r"'noisy'.*SavedModel"):
            colorizer.export(tmp_path / name)


def test_without_onnx(reference, tmp_path, monkeypatch):
    """The error says how to install the package that exports need."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(LabcolorError, match="pip install onnx"):
        reference.export(tmp_path / "model.onnx")


def test_weights_and_light_form_belong_together(reference, classifier):
    """Other weights with the same ONNX form are refused, in memory and in a file."""
    model = reference.model_
    with pytest.raises(InputError, match="onnx_form=None"):
        replace(model, weights=tuple(weight + 1 for weight in model.weights))
    other = replace(model, weights=tuple(weight + 1 for weight in model.weights), onnx_form=None)
    content = other.to_bytes()
    assert FittedModel.from_bytes(content, "case").onnx_form is None
    forged = replace(
        model,
        onnx_form=replace(
            model.onnx_form, sha256=other.onnx_form.sha256 if other.onnx_form else model.onnx_form.sha256
        ),
    )
    assert forged.onnx_form.sha256 == model.onnx_form.sha256
    assert build_graph(model.network, without_values=True) == model.onnx_form.graph


def graph_of(nodes, constants=(), **parts):
    """A model of some nodes from l to outputs, as bytes."""
    kind, helper = onnx.TensorProto.FLOAT, onnx.helper
    ends = [helper.make_tensor_value_info(name, kind, ["N", "H", "W", 1]) for name in ("l", "outputs")]
    graph = helper.make_graph(nodes, "case", ends[:1], ends[1:], list(constants))
    return helper.make_model(graph, **parts).SerializeToString()


def nested():
    """A graph with a graph within."""
    inner = onnx.helper.make_graph([], "inner", [], [])
    return [onnx.helper.make_node("Add", ["l", "l"], ["outputs"], body=inner)]


def elsewhere():
    """A weight that lies in a file."""
    tensor = onnx.TensorProto(name="secret", dims=[1], data_type=1, data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


PLAIN = [onnx.helper.make_node("Add", ["l", "l"], ["outputs"])]
HOSTILE = {
    "a loop": graph_of([onnx.helper.make_node("Loop", ["l"], ["outputs"])]),
    "a graph within": graph_of(nested()),
    "another domain": graph_of([onnx.helper.make_node("Add", ["l", "l"], ["outputs"], domain="com.evil")]),
    "a weight elsewhere": graph_of(PLAIN, [elsewhere()]),
    "a function": graph_of(
        PLAIN, functions=[onnx.helper.make_function("f", "f", [], [], [], [onnx.helper.make_opsetid("", 17)])]
    ),
    "no message": b"\xff" * 40,
    "cut off": graph_of(PLAIN)[:-3],
}


@pytest.fixture(scope="module")
def tiny(reference):
    """A model of few weights with an ONNX form."""
    architecture = get_architecture("reference").with_options(encoder=(4, 4, 4), decoder=(4, 4))
    weights = tuple(architecture.network(seed=0).get_weights())
    return with_onnx_form(FittedModel(architecture, weights, reference.codec_, RegressionHead(), 32))


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("form", ["graph", "int8"])
def test_a_light_form_from_a_stranger(tiny, case, form):
    """What is no plain network, or reads other files, is refused before ONNX Runtime sees it."""
    model = replace(tiny, onnx_form=replace(tiny.onnx_form, **{form: HOSTILE[case]}))
    with pytest.raises(ModelFileError, match="ONNX form"):
        FittedModel.from_bytes(model.to_bytes(), "case")


@pytest.fixture(scope="module")
def members(tiny):
    """What a model file contains, by name."""
    hints = np.zeros((4, 16), np.float32), np.zeros(8, np.float32)
    with zipfile.ZipFile(io.BytesIO(replace(tiny, hints=hints).to_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    "change",
    [
        {"features": 0},
        {"features": 7},
        {"sha256": 1},
        {"sha256": "0" * 64},
        {"more": 1},
    ],
    ids=str,
)
def test_a_damaged_description_of_a_light_form(members, change):
    """Whatever is wrong in the text, the file is refused with one error."""
    about = json.loads(members["about.json"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in (members | {"about.json": json.dumps(about | {"light": about["light"] | change})}).items():
            archive.writestr(name, member)
    with pytest.raises(ModelFileError):
        FittedModel.from_bytes(content.getvalue(), "case")

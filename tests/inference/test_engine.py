"""The engines: ONNX Runtime gives what TensorFlow gives, without it, and a broken ONNX form is never a wrong color."""

import copy
import logging
import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import labcolor
from labcolor import Colorizer
from labcolor.backends.onnxruntime import multiplies_exactly
from labcolor.colorizer import pipeline_of
from labcolor.errors import InputError, LabcolorError
from labcolor.inference import engine as engines
from labcolor.inference.engine import KerasEngine, OnnxEngine, make_engine
from labcolor.networks import get_architecture
from labcolor.networks.model import FittedModel

RANDOM = np.random.default_rng(0)
ALONE = "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"  # importing them raises ImportError


def run(code, *arguments):
    """Run Python code in a process of its own, and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["efficientnet", "reference"])
def model(request):
    """Both packaged models."""
    return Colorizer.from_pretrained(request.param).model_


@pytest.fixture(scope="module")
def exact(model):
    """Its engines in float32: of ONNX Runtime, and of TensorFlow."""
    return OnnxEngine(model, int8=False), KerasEngine(model)


@pytest.mark.tensorflow
@pytest.mark.parametrize("shape", [(1, 32, 32), (2, 64, 96)])
def test_float32_is_tensorflow(exact, shape):
    """Output and features differ by rounding only, whatever the size."""
    batch = RANDOM.uniform(-1, 1, (*shape, 1)).astype(np.float32)
    found, expected = (engine.run(batch, features=True) for engine in exact)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)
    np.testing.assert_array_equal(exact[0].run(batch)[0], found[0])


@pytest.fixture(scope="module")
def by_engine():
    """The reference model on either engine."""
    return [
        Colorizer.from_pretrained("reference").set_params(engine=engine) for engine in ("onnxruntime", "tensorflow")
    ]


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((1, 1), np.uint8), ((1, 500), np.uint16), ((333, 7), np.float32), ((101, 203), np.float64)],
)
def test_predictions_are_the_same(by_engine, shape, dtype):
    """Pictures of every dtype and of odd sizes get the same colors from both engines."""
    picture = RANDOM.uniform(0, 1, shape)
    picture = (
        picture.astype(dtype) if dtype in (np.float32, np.float64) else (picture * np.iinfo(dtype).max).astype(dtype)
    )
    found, expected = (colorizer.predict(picture) for colorizer in by_engine)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(
        found / np.float64(picture.max() or 1), expected / np.float64(picture.max() or 1), atol=0.01
    )


def test_int8_is_near(model, photographs):
    """In int8, ab of photographs moves by less than 3 on average."""
    colorizer = Colorizer.from_pretrained(model.architecture.name)
    grey = [photo[::2, ::2].mean(-1).astype(np.uint8) for photo in photographs]
    exact, rounded = (
        colorizer.set_params(engine=engine).predict(grey) for engine in ("onnxruntime", "onnxruntime-int8")
    )
    apart = [
        np.abs(labcolor.rgb_to_lab(a) - labcolor.rgb_to_lab(b)).mean() for a, b in zip(exact, rounded, strict=True)
    ]
    assert 0 < np.mean(apart) < 3


def test_tensorflow_and_keras_are_not_imported():
    """All that predicts works where they are not installed: hints, uncertainty, score, saving, pickling, the video."""
    run(
        ALONE
        + """
import copy, io, numpy as np, labcolor
from skimage import data
picture = data.astronaut()[:64, :96]
colorizer = labcolor.Colorizer.from_pretrained("reference")
assert copy.deepcopy(colorizer).predict(picture).shape == picture.shape
assert colorizer.score([picture]) > 5
hints = np.full((64, 96, 2), np.nan)
hints[8:16, 8:16] = 40, 30
colorizer = labcolor.Colorizer.from_pretrained()
colorizer.predict(picture, hints=hints)
colorizer.uncertainty(picture)
assert len(list(labcolor.colorize_frames([picture] * 3, colorizer))) == 3
"""
    )


def test_training_says_what_is_missing():
    """Without TensorFlow and Keras, fit and network_ raise one error with the remedy."""
    printed = run(
        ALONE
        + """
import labcolor
from skimage import data
colorizer = labcolor.Colorizer.from_pretrained("reference")
for use in (lambda: colorizer.fit([data.astronaut()]), lambda: colorizer.network_, labcolor.build_autoencoder):
    try:
        use()
    except labcolor.errors.LabcolorError as error:
        print("pip install" in str(error))
"""
    )
    assert printed.split() == ["True"] * 3


@pytest.mark.tensorflow
def test_a_model_of_ones_own_needs_tensorflow_unless_it_is_exported(small, tmp_path):
    """A saved model has no ONNX form; an exported one predicts the same without TensorFlow."""
    small = copy.copy(small)
    small.model_ = replace(small.model_, onnx_form=None)
    small.save(tmp_path / "saved.labcolor")
    small.export(tmp_path / "exported.labcolor")
    assert pipeline_of(Colorizer.load(tmp_path / "saved.labcolor")).engine.name == "tensorflow"
    grey = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)
    np.save(tmp_path / "grey.npy", grey)
    code = """
import numpy as np, labcolor
folder = sys.argv[1]
colorizer = labcolor.Colorizer.load(folder + "/exported.labcolor")
np.save(folder + "/colored.npy", colorizer.predict(np.load(folder + "/grey.npy")))
"""
    run(ALONE + code, str(tmp_path))
    np.testing.assert_allclose(np.load(tmp_path / "colored.npy"), small.predict(grey).astype(int), atol=1)


def test_threads_share_an_engine(classifier):
    """Many threads at once get what one gets."""
    pictures = [RANDOM.integers(0, 255, (40 + index, 64), np.uint8) for index in range(8)]
    expected = [classifier.predict(picture) for picture in pictures]
    with ThreadPoolExecutor(6) as pool:
        for found, one in zip(pool.map(classifier.predict, pictures), expected, strict=True):
            np.testing.assert_array_equal(found, one)


def test_a_forked_process_predicts():
    """A process that predicted can be forked, if TensorFlow is not loaded: the child makes a session of its own."""
    printed = run(
        """
import multiprocessing, numpy as np, labcolor
colorizer = labcolor.Colorizer.from_pretrained()
picture = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
expected = colorizer.predict(picture)
def work(index):
    return bool((colorizer.predict(picture) == expected).all())
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map_async(work, range(4)).get(60))
"""
    )
    assert printed.strip() == "[True, True, True, True]"


def test_int8_is_near_where_its_products_saturate(classifier, photographs, monkeypatch):
    """There ONNX Runtime computes what int8 stands for: ab of the default model moves by less than 1 on average."""
    monkeypatch.setattr(engines, "multiplies_exactly", lambda: False)
    colorizer = pickle.loads(pickle.dumps(classifier))
    exact, rounded = (
        colorizer.set_params(engine=engine).predict([photo[::2, ::2] for photo in photographs])
        for engine in ("onnxruntime", "onnxruntime-int8")
    )
    apart = [
        np.abs(labcolor.rgb_to_lab(a) - labcolor.rgb_to_lab(b)).mean() for a, b in zip(exact, rounded, strict=True)
    ]
    assert 0 < np.mean(apart) < 1


@pytest.mark.tensorflow
def test_the_choice_by_processor(reference, monkeypatch):
    """Where products of int8 saturate, float32 is used; "auto" never asks for what the model has not."""
    model = reference.model_
    assert make_engine(model, "auto").name == ("onnxruntime-int8" if multiplies_exactly() else "onnxruntime")
    monkeypatch.setattr(engines, "multiplies_exactly", lambda: False)
    assert make_engine(model, "auto").name == "onnxruntime"
    only_float = replace(model, onnx_form=replace(model.onnx_form, int8=b""))
    assert make_engine(only_float, "auto").name == "onnxruntime"
    with pytest.raises(InputError, match="onnxruntime-int8"):
        make_engine(only_float, "onnxruntime-int8")
    with pytest.raises(InputError, match="ONNX form"):
        make_engine(replace(model, onnx_form=None), "onnxruntime")
    assert make_engine(replace(model, onnx_form=None), "auto").name == "tensorflow"


@pytest.mark.tensorflow
def test_a_light_form_that_cannot_run(reference, caplog):
    """Left to choose, the library says so and uses TensorFlow; who asks for ONNX Runtime gets an error."""
    model = reference.model_
    broken = replace(model, onnx_form=replace(model.onnx_form, graph=b"", int8=b""))
    with caplog.at_level(logging.WARNING):
        assert make_engine(broken, "auto").name == "tensorflow"
    assert "ONNX Runtime cannot" in caplog.text
    with pytest.raises(LabcolorError, match="cannot load the ONNX form"):
        make_engine(broken, "onnxruntime")


def test_a_light_form_of_another_stride_is_refused(reference):
    """Its output would be stretched to a wrong picture."""
    other = replace(reference.model_, head=replace(reference.model_.head, stride=2))
    with pytest.raises(LabcolorError, match="Export it again"):
        OnnxEngine(other, int8=False).run(np.zeros((1, 64, 64, 1), np.float32))


@pytest.mark.tensorflow
def test_without_onnxruntime(reference, monkeypatch):
    """Left to choose, the library takes TensorFlow; who asks for ONNX Runtime is told how to install it."""
    model = reference.model_
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert make_engine(model, "auto").name == "tensorflow"
    with pytest.raises(LabcolorError, match="pip install onnxruntime"):
        make_engine(model, "onnxruntime")


@pytest.mark.tensorflow
def test_the_engine_is_a_parameter(reference):
    """It is shown, checked, copied, and followed at the next call."""
    colorizer = Colorizer.from_pretrained("reference").set_params(engine="tensorflow")
    assert "engine='tensorflow'" in repr(colorizer)
    assert pipeline_of(colorizer).engine.name == "tensorflow"
    assert pickle.loads(pickle.dumps(colorizer)).engine == "tensorflow"
    assert pipeline_of(colorizer.set_params(engine="onnxruntime")).engine.name == "onnxruntime"
    with pytest.raises(InputError, match="engine"):
        colorizer.set_params(engine="torch").predict(np.zeros((8, 8), np.uint8))


def test_sessions_follow_the_number_of_threads(reference):
    """set_threads holds for an engine that is there already, and does not change what it gives."""
    batch = RANDOM.uniform(-1, 1, (1, 64, 64, 1)).astype(np.float32)
    engine = OnnxEngine(reference.model_, int8=False)
    expected = engine.run(batch)
    try:
        labcolor.set_threads(1)
        np.testing.assert_allclose(engine.run(batch), expected, atol=1e-5)
    finally:
        labcolor.set_threads(None)


def test_memory_is_flat():
    """Pictures of many sizes leave nothing behind: 20 more sizes after 20 add less than 10 MB."""
    printed = run(
        """
import ctypes, numpy as np, psutil, labcolor
colorizer, random, memory = labcolor.Colorizer.from_pretrained(), np.random.default_rng(0), []
for _ in range(2):
    for _ in range(20):
        colorizer.predict(random.integers(0, 255, random.integers(30, 200, 2), np.uint8))
    if hasattr(ctypes.CDLL(None), "malloc_trim"):  # else glibc keeps pieces that are free
        ctypes.CDLL(None).malloc_trim(0)
    memory.append(psutil.Process().memory_info().rss >> 20)
print(memory[1] - memory[0])
"""
    )
    assert int(printed) < 10


@pytest.mark.slow
def test_spawned_processes_predict(classifier):
    """A pickled Colorizer gives the same in a process that begins anew."""
    picture = RANDOM.integers(0, 255, (48, 64), np.uint8)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(classifier.predict, (picture,)), classifier.predict(picture))


@pytest.mark.tensorflow
def test_the_packaged_light_forms_belong_to_their_models(model):
    """The graph is the network's, and the int8 form has its size and its outputs."""
    from labcolor.networks.export import with_onnx_form

    made = with_onnx_form(replace(model, onnx_form=None))
    assert made.onnx_form.graph == model.onnx_form.graph
    assert made.onnx_form.get_config() == model.onnx_form.get_config()
    assert FittedModel.from_bytes(model.to_bytes(), "again").onnx_form.int8 == model.onnx_form.int8
    shapes = [weight.shape for weight in get_architecture(model.architecture.name).network(seed=0).weights]
    assert [weight.shape for weight in model.weights] == shapes

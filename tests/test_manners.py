"""Manners toward a user's process: nothing printed, nothing changed, nothing taken from Keras's global settings."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from labcolor import Colorizer, lab_to_rgb, rgb_to_lab, rgb_to_lightness
from labcolor.errors import InputError, InputTypeError, NotFittedError

QUIET = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_", "CUDA_"))}
USE = """
import numpy as np
from skimage import data
from labcolor import Colorizer
Colorizer.from_pretrained("reference").predict(np.full((48, 64), 128, np.uint8))
Colorizer(start="reference", epochs=1, crop_size=32, random_state=0).fit([data.coffee()])
"""


def run(code, **environment):
    """Run code in a new process, whose environment sets nothing of TensorFlow's; return what it printed."""
    result = subprocess.run([sys.executable, "-c", code], env=QUIET | environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout, result.stderr


@pytest.mark.parametrize("environment", [{}, {"TF_CPP_MIN_LOG_LEVEL": "3"}])
@pytest.mark.slow
def test_tensorflow_is_silent(environment):
    """Loading, predicting and fitting print nothing, whatever TensorFlow would say while it starts."""
    out, error = run(f"{USE}\nimport os; print(os.environ.get('TF_CPP_MIN_LOG_LEVEL'))", **environment)
    assert error == ""
    assert out.strip() == str(environment.get("TF_CPP_MIN_LOG_LEVEL"))  # as it was before


@pytest.mark.parametrize(
    "before",
    [
        "import os; os.close(2)",
        "import sys; sys.stderr = None",
        "import io, sys; sys.stderr = io.StringIO()",
        "import sys; sys.stderr = type('Stream', (), {'write': lambda *_: None, 'flush': lambda *_: None})()",
    ],
)
@pytest.mark.slow
def test_any_standard_error_will_do(before):
    """It works where standard error is closed, missing, or an object without a file, as in notebooks."""
    out, _ = run(f"{before}\n{USE}\nprint('done')")
    assert out == "done\n"


def test_warnings_and_errors_are_not_swallowed():
    """What Python itself says while TensorFlow starts arrives."""
    code = """
import sys, warnings
from labcolor.backends.tensorflow import quietly
with quietly():
    warnings.warn("heard", stacklevel=1)
    print("seen", file=sys.stderr)
try:
    with quietly():
        raise ValueError("raised")
except ValueError as error:
    print(error)
print("afterwards", file=sys.stderr)
"""
    out, error = run(code)
    assert out == "raised\n"
    for word in ("heard", "seen", "afterwards"):
        assert word in error


def test_a_missing_tensorflow_is_named():
    """Where Keras cannot be imported, the library's own error says what is missing."""
    code = """
import sys
sys.modules["tensorflow"] = None
from labcolor.errors import LabcolorError
try:
    from labcolor import build_autoencoder
    build_autoencoder()
except LabcolorError as error:
    print(error)
"""
    out, _ = run(code)
    assert out.startswith("expected Keras with TensorFlow, which training and this model need")


FINGERPRINT = """
import hashlib, sys
import numpy as np
from skimage import data
import keras
{setting}
settings = keras.config.floatx(), keras.config.image_data_format(), keras.config.dtype_policy().name
from labcolor import Colorizer
photo, other = data.chelsea()[:150, :200], data.coffee()[::4, ::4]
classifier = Colorizer.from_pretrained().set_params(random_state=0, crop_size=32, batch_size=2, working_size=64)
hints = np.full((150, 200, 2), np.nan)
hints[40:50, 60:70] = 40, -30
results = [Colorizer.from_pretrained("reference").predict(photo), classifier.predict(photo, hints=hints)]
results.append(classifier.uncertainty(photo))
fitted = Colorizer(epochs=2, crop_size=32, batch_size=2, random_state=0).fit([photo, other])
results += [*fitted.model_.weights, np.array(fitted.history_["loss"])]
classifier.fit_hints([photo, other], steps=2)
results += [*classifier.model_.hints, np.array(classifier.history_["loss"])]
classifier.set_params(epochs=1).fit([photo, other])
results += [*classifier.model_.weights, np.array(classifier.history_["loss"])]
print(*(hashlib.sha256(np.ascontiguousarray(one).tobytes()).hexdigest()[:8] for one in results))
assert settings == (keras.config.floatx(), keras.config.image_data_format(), keras.config.dtype_policy().name)
"""


@pytest.fixture(scope="module")
def by_default():
    """What Keras's defaults give."""
    return run(FINGERPRINT.format(setting=""))[0]


@pytest.mark.parametrize(
    "setting",
    [
        "set_image_data_format('channels_first')",
        "set_dtype_policy('mixed_bfloat16')",
        "set_dtype_policy('mixed_float16')",
        "set_floatx('float16')",
        "set_floatx('float64')",
    ],
)
@pytest.mark.slow
def test_global_settings_of_keras_change_nothing(setting, by_default):
    """Predictions, hints and trainings are the same to the last bit, and the user's settings stay."""
    assert run(FINGERPRINT.format(setting=f"keras.config.{setting}"))[0] == by_default


@pytest.mark.parametrize(
    "params",
    [
        {name: number}
        for name in ("working_size", "crop_size", "epochs", "batch_size", "learning_rate", "film_aging", "random_state")
        for number in (10**400, -(10**400), 10**5000)
    ]
    + [{"working_size": 1025}, {"learning_rate": 1j}, {"learning_rate": np.complex64(1)}, {"verbose": 10**400}],
    ids=lambda params: next(iter(params)),
)
def test_huge_numbers_are_refused(params):
    """Numbers beyond all use give the library's own error, not Python's."""
    colorizer = Colorizer.from_pretrained("reference").set_params(**params)
    with pytest.raises(InputError, match=next(iter(params))) as caught:
        colorizer.predict(np.zeros((8, 8), np.uint8))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "saturation", [10**400, 10**5000, np.nan, 1j, np.complex128(1)], ids=lambda value: type(value).__name__
)
def test_huge_saturations_are_refused(reference, saturation):
    """The same holds for what predict itself takes."""
    with pytest.raises(InputError, match="saturation"):
        reference.predict(np.zeros((8, 8), np.uint8), saturation=saturation)


def test_a_single_number_is_no_hint(classifier):
    """An array without axes is refused like any other of a wrong shape."""
    with pytest.raises(InputError, match="hints"):
        classifier.predict(np.zeros((8, 8), np.uint8), hints=np.array(1.0))


@pytest.mark.parametrize("make", [np.random.RandomState, np.random.default_rng])
@pytest.mark.slow
def test_a_generator_fixes_a_training(make, batch, tmp_path):
    """A RandomState or a Generator gives seeds, which are kept with the model; copies and pickles work."""
    params = {"epochs": 1, "crop_size": 32, "working_size": 32}
    first, second = (Colorizer("tiny", random_state=make(0), **params).fit(batch) for _ in range(2))
    for one, other in zip(first.model_.weights, second.model_.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    seed = first.model_.training["seed"]
    assert first.fit(batch).model_.training["seed"] != seed
    again = Colorizer("tiny", random_state=seed, **params).fit(batch)
    np.testing.assert_array_equal(again.model_.weights[0], second.model_.weights[0])
    second.save(tmp_path / "model.labcolor")
    assert Colorizer.load(tmp_path / "model.labcolor").model_.training["seed"] == seed
    for copied in (copy.deepcopy(second), pickle.loads(pickle.dumps(second))):
        assert isinstance(copied.random_state, type(make(0)))
        np.testing.assert_array_equal(copied.model_.weights[0], second.model_.weights[0])


def test_a_shallow_copy_shares_the_model(small):
    """A copy has the same parameters and the same model, which is not packed for it; each changes by itself."""
    copied = copy.copy(small)
    assert copied.get_params() == small.get_params()
    assert copied.model_ is small.model_
    copied.set_params(verbose=2)
    assert small.verbose != 2
    assert not hasattr(copy.copy(Colorizer()), "model_")


@pytest.mark.parametrize("random_state", ["seed", 1.5, -1, 2**32, True, np.random])
def test_other_random_states_are_refused(random_state, batch):
    """What is neither a seed nor a generator is refused."""
    with pytest.raises((InputError, InputTypeError), match=r"random_state: expected None.*Generator"):
        Colorizer(random_state=random_state).fit(batch)


class WithGrain(Colorizer):
    """A subclass with one more parameter."""

    def __init__(self, network="reference", *, grain=0.5, **params):
        super().__init__(network, **params)
        self.grain = grain


def test_a_subclass_with_a_parameter_can_be_cloned():
    """scikit-learn clones a subclass with all of its parameters, and a clone says that it is one."""
    base = pytest.importorskip("sklearn.base")
    clone = base.clone(WithGrain(grain=0.2, epochs=3, random_state=np.random.RandomState(0)))
    assert (clone.grain, clone.epochs, clone.get_params()["grain"]) == (0.2, 3, 0.2)
    with pytest.raises(NotFittedError, match="a clone never has one"):
        base.clone(Colorizer.from_pretrained("reference")).predict(np.zeros((8, 8), np.uint8))


@pytest.mark.slow
def test_cross_validation_takes_paths(photographs, tmp_path):
    """cross_val_score trains on files and scores on files."""
    selection = pytest.importorskip("sklearn.model_selection")
    from labcolor import write_picture

    paths = [tmp_path / f"{index}.png" for index in range(4)]
    for path, photo in zip(paths, photographs, strict=False):
        write_picture(path, photo[::4, ::4])
    colorizer = Colorizer(epochs=1, crop_size=32, working_size=32, random_state=0)
    scores = selection.cross_val_score(colorizer, paths, cv=2)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("convert", [rgb_to_lab, rgb_to_lightness, lab_to_rgb])
@pytest.mark.parametrize("dtype", ["f8", "f4", "f2"])
def test_byte_order_changes_nothing(convert, dtype):
    """Big-endian arrays, as FITS and TIFF readers give them, convert like native ones, in the same precision."""
    colors = np.random.default_rng(0).random((5, 7, 3)).astype(f"<{dtype}")
    expected = convert(colors)
    result = convert(colors.astype(f">{dtype}"))
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [1e20, -1e20, 3e38])
def test_colors_far_outside_the_gamut_are_clipped(dtype, far):
    """Finite Lab gives finite RGB within its range, without a warning."""
    lab = np.array([[far, 0, 0], [50, far, 0], [50, 0, far], [far, far, far], [50, 0, 0]], dtype)
    rgb = lab_to_rgb(lab)
    assert np.isfinite(rgb).all()
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    np.testing.assert_allclose(rgb[4], lab_to_rgb(lab[4:])[0], atol=1e-15, rtol=0)  # other colors do not disturb it
    assert far < 0 or lab_to_rgb(lab, dtype=np.uint8)[0].tolist() == [255] * 3

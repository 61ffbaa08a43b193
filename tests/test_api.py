"""The public face: frozen names, documented, typed, quick to import, and without traces elsewhere."""

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import labcolor

PUBLIC = [
    "Colorizer",
    "Decoding",
    "Encoding",
    "Grade",
    "Hint",
    "LabCodec",
    "Look",
    "PictureMetadata",
    "Shot",
    "VideoReport",
    "__version__",
    "build_autoencoder",
    "colorize_frames",
    "colorize_video",
    "compare",
    "errors",
    "find_shots",
    "get_threads",
    "lab_to_rgb",
    "metrics",
    "networks",
    "plot_history",
    "read_metadata",
    "read_picture",
    "read_shots",
    "rgb_to_lab",
    "rgb_to_lightness",
    "set_threads",
    "show",
    "triptych",
    "write_picture",
    "write_shots",
]
MODULES = [module.name for module in pkgutil.walk_packages(labcolor.__path__, "labcolor.")]


def test_public_names_are_frozen():
    """A name is added here on purpose, and removed only after a deprecation."""
    assert labcolor.__all__ == PUBLIC
    assert dir(labcolor) == PUBLIC
    for name in PUBLIC:
        assert getattr(labcolor, name) is not None
    with pytest.raises(AttributeError, match="Coloriser"):
        labcolor.Coloriser  # noqa: B018


TRAINS = {"labcolor.colorizer", "labcolor.video.colorize"}  # whose examples train, or color a video
EXAMPLES = [
    pytest.param(name, marks=pytest.mark.slow if name in TRAINS else ())
    for name in ("labcolor", *MODULES)
    if not name.endswith("__main__")
]


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples_in_docstrings_run(module):
    """Each example in a docstring, of a module in a folder too, gives what it says."""
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_public_docstrings_are_complete():
    """Each public function and method tells its parameters, what it returns, and an example."""
    public = [getattr(labcolor, name) for name in PUBLIC]
    public += [getattr(labcolor.metrics, name) for name in labcolor.metrics.__all__]
    # the members of heads and models are documented once, by their contract
    inner = ("BinsHead", "FittedModel", "Head", "RegressionHead")
    public += [getattr(labcolor.networks, name) for name in labcolor.networks.__all__ if name not in inner]
    functions = [value for value in public if inspect.isfunction(value)]
    for cls in (value for value in public if inspect.isclass(value)):
        assert "Parameters\n---" in inspect.getdoc(cls)
        methods = [getattr(cls, name) for name in vars(cls) if not name.startswith("_")]
        functions += [value for value in methods if inspect.isroutine(value)]
    assert len(functions) > 25
    for function in functions:
        text, names = inspect.getdoc(function), set(inspect.signature(function).parameters) - {"self"}
        sections = {"Parameters"} if names else set()
        if inspect.signature(function).return_annotation not in ("None", None):
            sections.add("Returns")
        for section in sections | {"Examples"}:
            assert f"{section}\n---" in text, f"{function.__qualname__} lacks {section}"
        for name in names:
            assert name in text, f"{function.__qualname__} lacks {name}"


def run(code):
    """Run code in a new process and return its output."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_import_is_light():
    """Importing labcolor loads neither Keras, TensorFlow, numba, numpy nor scikit-image."""
    heavy = "{'keras', 'tensorflow', 'numba', 'numpy', 'skimage'}"
    output = run(f"import sys, labcolor; print({heavy} & set(sys.modules))")
    assert output == "set()\n"


def test_coloring_loads_what_it_needs():
    """A prediction loads no Keras and no TensorFlow, and of SciPy not what only exemplars or compiling need."""
    coloring = (
        "import sys, numpy as np; from labcolor import Colorizer\n"
        "Colorizer.from_pretrained().predict(np.zeros((48, 64), np.uint8))\n"
        "print({'keras', 'tensorflow', 'scipy.ndimage', 'scipy.linalg', 'numba.np.arrayobj'} & set(sys.modules))"
    )
    run(coloring)  # compiles the kernels if this machine has not
    assert run(coloring) == "set()\n"


@pytest.mark.slow
def test_using_the_library_changes_no_global_state():
    """Backend, precision, random states, logging, warnings, environment, folder and collector stay as they were."""
    output = run(
        "import gc, os, random, warnings, logging\n"
        "os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'\n"
        "import numpy as np, keras, tensorflow as tf\n"
        "def state():\n"
        "    return (keras.backend.backend(), keras.config.dtype_policy().name, keras.config.floatx(),\n"
        "            keras.config.image_data_format(), random.getstate(), str(np.random.get_state()),\n"
        "            logging.root.level, list(logging.root.handlers), list(warnings.filters),\n"
        "            dict(os.environ), os.getcwd(), np.geterr(), gc.isenabled(), gc.get_threshold())\n"
        "from skimage import data, color, util, transform, metrics as m\n"
        "import imageio.v3, numba, scipy.ndimage\n"
        "before = state()\n"
        "import labcolor\n"
        "from labcolor import Colorizer\n"
        "c = Colorizer.from_pretrained('reference')\n"
        "c.predict(data.astronaut())\n"
        "Colorizer(epochs=1, crop_size=32).fit([data.astronaut()]).predict(data.camera())\n"
        "labcolor.metrics.ssim(data.coffee(), data.coffee())\n"
        "after = state()\n"
        "print([a == b for a, b in zip(before, after)])"
    )
    assert "False" not in output
    assert "True" in output

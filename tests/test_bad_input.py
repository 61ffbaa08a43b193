"""The table of bad inputs: each row with the error, or the result, that it must give.

The rows for files, models and videos stand beside their subjects (io/test_pictures.py, networks/test_model_file.py,
video/test_colorize.py); here stand arrays and parameters.
"""

from pathlib import Path

import numpy as np
import pytest

from labcolor import (
    Colorizer,
    LabCodec,
    Look,
    colorize_frames,
    colorize_video,
    lab_to_rgb,
    metrics,
    read_picture,
    rgb_to_lab,
    triptych,
    write_picture,
)
from labcolor.errors import InputError, InputTypeError, LabcolorError, PictureFileError

NAN, INF = float("nan"), float("inf")
ADDRESS = "https://example.org/old"
DOWNLOADS = "labcolor downloads nothing and uploads nothing"


def zeros(*shape, dtype=np.uint8):
    """A black picture."""
    return np.zeros(shape, dtype)


class Odd:
    """An object that is no array."""


# (name, what is passed to predict, error, words of its message)
ARRAYS = [
    ("none", None, InputTypeError, "got NoneType"),
    ("an object", Odd(), InputTypeError, "numeric"),
    ("a missing file", "photo.jpg", PictureFileError, "photo.jpg: .* does not exist"),
    ("bytes of no picture", b"photo", PictureFileError, r"X \(bytes\): .* cannot be decoded"),
    ("a dictionary", {"a": 1}, InputTypeError, "numeric"),
    ("a set", {1, 2}, InputTypeError, "numeric"),
    ("a generator", (zeros(4, 4) for _ in range(2)), InputTypeError, "numeric"),
    ("a number", 5, InputError, "expected"),
    ("a float", 0.5, InputError, "expected"),
    ("a numpy number", np.uint8(5), InputError, "expected"),
    ("one axis", zeros(5), InputError, "expected"),
    ("no axis", zeros(), InputError, "expected"),
    ("five axes", zeros(1, 1, 8, 8, 3), InputError, "expected"),
    ("two channels", zeros(8, 8, 2), InputError, "ambiguous"),
    ("five channels", zeros(4, 8, 8, 5), InputError, "channels last"),
    ("channels first, RGB", zeros(3, 20, 30), InputError, "ambiguous"),
    ("channels first, grey", zeros(1, 20, 30), InputError, "ambiguous"),
    ("channels first, RGBA", zeros(4, 20, 30), InputError, "ambiguous"),
    ("a batch, channels first", zeros(2, 3, 20, 30), InputError, "channels last"),
    ("a batch of two channels", zeros(2, 8, 8, 2), InputError, "channels last"),
    ("no rows", zeros(0, 5), InputError, "at least one pixel"),
    ("no columns", zeros(5, 0), InputError, "at least one pixel"),
    ("no rows, RGB", zeros(0, 5, 3), InputError, "at least one pixel"),
    ("a batch of no rows", zeros(2, 0, 5, 3), InputError, "at least one pixel"),
    ("no channels", zeros(5, 5, 0), InputError, "expected"),
    ("nan", np.full((4, 4), NAN), InputError, "nan or inf"),
    ("one nan", np.where(np.eye(9) > 0, NAN, 0.5), InputError, "nan or inf"),
    ("inf", np.full((4, 4), INF), InputError, "nan or inf"),
    ("-inf", np.full((4, 4), -INF), InputError, "nan or inf"),
    ("float16 inf", np.full((4, 4), INF, np.float16), InputError, "nan or inf"),
    ("floats to 255", np.full((4, 4), 200.0), InputError, "Divide"),
    ("floats to 65535", np.full((4, 4, 3), 65535.0, np.float32), InputError, "Divide"),
    ("floats below 0", np.full((4, 4), -0.5), InputError, "Divide"),
    ("floats from -1 to 1", np.linspace(-1, 1, 16).reshape(4, 4), InputError, "Divide"),
    ("a little over 1", np.full((4, 4), 1.01), InputError, "Divide"),
    ("nan in alpha", np.concatenate([np.zeros((4, 4, 3)), np.full((4, 4, 1), NAN)], 2), InputError, "nan or inf"),
    ("alpha to 255", np.concatenate([np.zeros((4, 4, 3)), np.full((4, 4, 1), 255.0)], 2), InputError, "Divide"),
    ("int8", zeros(4, 4, dtype=np.int8), InputTypeError, "int8"),
    ("int16", zeros(4, 4, dtype=np.int16), InputTypeError, "int16"),
    ("int32", zeros(4, 4, dtype=np.int32), InputTypeError, "int32"),
    ("int64 with uint8 values", zeros(4, 4, 3, dtype=np.int64) + 128, InputTypeError, "int64"),
    ("uint32", zeros(4, 4, dtype=np.uint32), InputTypeError, "uint32"),
    ("uint64", zeros(4, 4, dtype=np.uint64), InputTypeError, "uint64"),
    ("long double", zeros(4, 4, dtype=np.longdouble), InputTypeError, "float128|longdouble|float"),
    ("complex", zeros(4, 4, dtype=complex), InputTypeError, "complex"),
    ("objects", np.array([[1, None]], object), InputTypeError, "object"),
    ("texts", np.array([["a", "b"]]), InputTypeError, "<U1"),
    ("dates", np.zeros((4, 4), "datetime64[s]"), InputTypeError, "datetime64"),
    ("records", np.zeros((4, 4), [("r", "u1")]), InputTypeError, r"\('r'"),
    ("nested lists of numbers", [[0, 1], [2, 3]], InputTypeError, "A list holds pictures"),
    ("a list of numbers", [1, 2, 3], InputTypeError, "A list holds pictures"),
    ("a list of missing files", ["a.jpg", "b.jpg"], PictureFileError, "a.jpg: .* does not exist"),
    ("a list with none", [zeros(4, 4), None], InputTypeError, r"X\[1\]"),
    ("a list with a bad dtype", [zeros(4, 4), zeros(4, 4, dtype=int)], InputTypeError, r"X\[1\]"),
    ("a list with a bad shape", [zeros(4, 4), zeros(4, 4, 2)], InputError, r"X\[1\]"),
    ("a list with a batch", [zeros(2, 4, 4, 3)], InputError, r"X\[0\]"),
    ("a list with an empty picture", [zeros(4, 4), zeros(0, 4)], InputError, r"X\[1\]"),
    ("a list with channels first", [zeros(3, 40, 40)], InputError, "moveaxis"),
    ("a list with floats out of range", (np.full((4, 4), 9.0),), InputError, r"X\[0\]"),
]


@pytest.mark.parametrize(("name", "value", "error", "words"), ARRAYS, ids=[row[0] for row in ARRAYS])
def test_arrays_that_are_no_pictures(small, name, value, error, words):
    """predict refuses it with one sentence that says what came and what to do; colorize_frames does, too."""
    with pytest.raises(error, match=words) as caught:
        small.predict(value)
    assert str(caught.value).count("\n") == 0
    if not isinstance(value, list | tuple):
        with pytest.raises(LabcolorError):
            list(colorize_frames([value], small))


# (name, what is passed to predict, shape and dtype of the result)
ACCEPTED = [
    ("one pixel", zeros(1, 1), (1, 1, 3), np.uint8),
    ("one line", zeros(1, 20000), (1, 20000, 3), np.uint8),
    ("one column", zeros(20000, 1, 3), (20000, 1, 3), np.uint8),
    ("three columns", zeros(20, 3), (20, 3, 3), np.uint8),
    ("rows of three", zeros(2, 20, 3), (2, 20, 3), np.uint8),
    ("three rows of RGB", zeros(3, 20, 3), (3, 20, 3), np.uint8),
    ("a batch of three greys", zeros(3, 20, 30, 1), (3, 20, 30, 3), np.uint8),
    ("a batch of five greys", zeros(5, 20, 30), (5, 20, 30, 3), np.uint8),
    ("bool", zeros(4, 4, dtype=bool), (4, 4, 3), np.uint8),
    ("big-endian", zeros(4, 4, dtype=">u2"), (4, 4, 3), np.dtype(">u2")),
    ("big-endian floats", zeros(4, 4, dtype=">f4"), (4, 4, 3), np.dtype(">f4")),
    ("a hair over 1", np.full((4, 4), 1 + 1e-6), (4, 4, 3), np.float64),
    ("read-only", np.broadcast_to(np.uint8(7), (9, 9)), (9, 9, 3), np.uint8),
    ("Fortran order", np.asfortranarray(zeros(9, 8, 3)), (9, 8, 3), np.uint8),
    ("every second pixel backwards", zeros(20, 20, 3)[::-2, ::-2], (10, 10, 3), np.uint8),
    ("negative zero", np.full((4, 4), -0.0), (4, 4, 3), np.float64),
    ("denormals", np.full((4, 4), 1e-310), (4, 4, 3), np.float64),
]


@pytest.mark.parametrize(("name", "value", "shape", "dtype"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_arrays_that_are_pictures(small, name, value, shape, dtype):
    """It is odd, but a picture."""
    result = small.predict(value)
    assert result.shape == shape
    assert result.dtype == dtype
    if result.dtype.kind == "f":
        assert np.isfinite(result).all()


# (parameter, values that it refuses)
PARAMETERS = [
    ("network", [None, 5, "vgg", "Reference", "", ["reference"], b"reference"]),
    ("working_size", [None, 0, 7, -128, 128.0, "128", True, NAN, [128]]),
    ("crop_size", [None, 0, 31, 100, -32, 64.0, "64", False]),
    ("epochs", [None, 0, -1, 1.5, "3", True, INF]),
    ("batch_size", [None, 0, -1, 2.0, "3", True]),
    ("learning_rate", [0, -1e-3, NAN, INF, 11, "1e-3", True]),
    ("start", [0, "", 1.5, ["reference"], True]),
    ("optimizer", [None, 5, "addam", ["adam"]]),
    ("encoder_rate", [-0.1, 1.1, NAN, "slow", True]),
    ("patience", [0, -1, 1.5, "3", True]),
    ("film_aging", [None, -0.1, 1.1, NAN, "half", True]),
    ("engine", [None, "gpu", "onnx", 5]),
    ("device", [None, "gpu", "CPU", 0]),
    ("precision", [None, 16, "float16", "bfloat16", "float64"]),
    ("random_state", [-1, 1.5, "0", True, [1]]),
    ("verbose", [None, 3, -1, "loud"]),
]
ROWS = [(name, value) for name, values in PARAMETERS for value in values]


@pytest.mark.parametrize(("name", "value"), ROWS, ids=[f"{name}={value!r}" for name, value in ROWS])
def test_parameters(batch, name, value):
    """fit refuses a wrong parameter by its name, before it trains."""
    with pytest.raises(InputError, match=f"{name}: expected"):
        Colorizer(**{"epochs": 1, "crop_size": 32, name: value}).fit(batch)


CHOICES = ("network", "engine", "device", "precision", "verbose", "start", "optimizer")  # a text is of the right type
WRONG_TYPES = [(name, value) for name, value in ROWS if isinstance(value, str | bool | None) and name not in CHOICES]
WRONG_TYPES += [("network", None), ("precision", 16), ("verbose", "loud"), ("epochs", 1.5)]


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES, ids=[f"{name}={value!r}" for name, value in WRONG_TYPES])
def test_parameters_of_another_type(name, value):
    """A parameter of the wrong type is an InputTypeError, and so a TypeError."""
    with pytest.raises(InputTypeError, match=f"{name}: expected") as caught:
        Colorizer(**{name: value}).check_params()
    assert isinstance(caught.value, TypeError)


# (name, call, words)
CALLS = [
    ("codec: no scale", lambda: LabCodec(l_scale=0), "l_scale"),
    ("codec: a text", lambda: LabCodec(l_center="50"), "l_center"),
    ("codec: nan", lambda: LabCodec(l_center=NAN), "l_center"),
    ("decode: one channel", lambda: LabCodec().decode(zeros(2, 2, 1), zeros(2, 2, 1)), "same leading shape"),
    ("decode: no channel", lambda: LabCodec().decode(0, 0), "same leading shape"),
    ("encode: grey", lambda: LabCodec().encode(zeros(2, 2)), "expected shape"),
    ("lab_to_rgb: two channels", lambda: lab_to_rgb(zeros(4, 2)), "expected shape"),
    ("lab_to_rgb: texts", lambda: lab_to_rgb([["a", "b", "c"]]), "expected an array"),
    ("metrics: none", lambda: metrics.psnr(None, None), "numeric"),
    ("metrics: grey", lambda: metrics.colorfulness(zeros(9, 9)), "RGB"),
    ("metrics: other sizes", lambda: metrics.auc(zeros(9, 9, 3), zeros(9, 8, 3)), "one shape"),
    ("triptych: a batch", lambda: triptych(zeros(2, 9, 9, 3), zeros(9, 9, 3)), "one picture"),
    ("triptych: nan", lambda: triptych(np.full((9, 9), NAN), zeros(9, 9, 3)), "nan or inf"),
    ("write: a number", lambda: write_picture("p.png", 5), "dtype|shape"),
    ("ragged: rgb_to_lab", lambda: rgb_to_lab([[1, 2, 3], [4, 5]]), "unequal parts"),
    ("ragged: triptych", lambda: triptych([[1, 2, 3], [4, 5]], [[1]]), "unequal parts"),
    ("ragged: psnr", lambda: metrics.psnr([[1, 2, 3], [4, 5]], [[1]]), "unequal parts"),
    ("prior: empty", lambda: metrics.auc(np.zeros((2, 2, 3)), np.zeros((2, 2, 3)), prior={}), "prior: expected"),
    ("frames: number", lambda: colorize_frames(5), "frames: expected an iterable"),
    ("read: empty path", lambda: read_picture(""), "got an empty text"),
    ("fit: empty path", lambda: Colorizer().fit(""), "got an empty text"),
    ("write: long name", lambda: write_picture("x" * 300 + ".png", np.zeros((4, 4))), "cannot be written"),
    ("fit: random_state", lambda: Colorizer(random_state=2**70).fit(np.zeros((2, 64, 64, 3))), "at most 4294967295"),
    ("write: none", lambda: write_picture("p.png", None), "shape"),
    ("load: a number", lambda: Colorizer.load(5), "path"),
    ("load: none", lambda: Colorizer.load(None), "path"),
    ("fit: a dictionary", lambda: Colorizer().fit({"a": 1}), "numeric"),
    ("fit: an empty batch", lambda: Colorizer().fit(zeros(0, 40, 40, 3)), "at least one color picture"),
    ("fit: greys", lambda: Colorizer().fit([zeros(140, 140)]), "grey"),
    ("frames: smoothing", lambda: list(colorize_frames([], look=Look(smoothing=2))), "smoothing"),
    ("a model file is no name", lambda: Colorizer.from_pretrained("mine.labcolor"), "Use Colorizer.load"),
    ("a path is no name", lambda: Colorizer.from_pretrained(Path("mine.labcolor")), "Use Colorizer.load"),
    ("a misspelled name", lambda: Colorizer.from_pretrained("efficentnet"), "Did you mean 'efficientnet'"),
    ("a misspelled start", lambda: Colorizer(start="refrence").fit("photos"), "Did you mean 'reference'"),
    ("a name is no model file", lambda: Colorizer.load("reference"), "Use Colorizer.from_pretrained"),
    ("address: name", lambda: Colorizer.from_pretrained(ADDRESS), DOWNLOADS),
    ("address: load", lambda: Colorizer.load(ADDRESS), DOWNLOADS),
    ("address: start", lambda: Colorizer(start=ADDRESS).fit("photos"), DOWNLOADS),
    ("address: fit", lambda: Colorizer().fit(ADDRESS), DOWNLOADS),
    ("address: predict", lambda: Colorizer.from_pretrained("reference").predict(ADDRESS), DOWNLOADS),
    ("address: read", lambda: read_picture(ADDRESS), DOWNLOADS),
    ("address: write", lambda: write_picture("s3://pictures/a.png", zeros(4, 4)), DOWNLOADS),
    ("address: video", lambda: colorize_video(ADDRESS, "colored.mp4"), DOWNLOADS),
    ("frames: saturation", lambda: list(colorize_frames([], saturation="x")), "saturation"),
]


@pytest.mark.parametrize(("name", "call", "words"), CALLS, ids=[row[0] for row in CALLS])
def test_calls(name, call, words):
    """Every other public call refuses what it cannot use by an error of the library."""
    with pytest.raises(LabcolorError, match=words):
        call()

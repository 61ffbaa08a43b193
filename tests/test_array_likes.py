"""Any array-like gives what its plain array gives, or raises: no view of an array is read as other values."""

import numpy as np
import pytest

from labcolor import LabCodec, metrics, read_picture, rgb_to_lab, rgb_to_lightness, write_picture
from labcolor.errors import InputError

PICTURE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
HINTS = np.full((24, 32, 2), np.nan, np.float32)
HINTS[4:9, 5:12] = 40, -20


class Exposed:
    """An object that exports its values by ``__array__`` only."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        """Return a copy."""
        return np.array(self.values, dtype)


class Interface:
    """An object that exports its values by the array interface only."""

    def __init__(self, values):
        self.values = values
        self.__array_interface__ = values.__array_interface__


class Subclass(np.ndarray):
    """An array class of its own."""


def on_disk(values, folder):
    file = np.memmap(folder / "values", values.dtype, "w+", shape=values.shape)
    file[:] = values
    return file


LIKE = {
    "Fortran order": lambda values, folder: np.asfortranarray(values),
    "a view with strides": lambda values, folder: np.repeat(values, 2, axis=1)[:, ::2],
    "backwards": lambda values, folder: np.ascontiguousarray(values[::-1])[::-1],
    "the other byte order": lambda values, folder: values.astype(values.dtype.newbyteorder("S")),
    "read-only": lambda values, folder: np.frombuffer(values.tobytes(), values.dtype).reshape(values.shape),
    "a file": on_disk,
    "a subclass": lambda values, folder: values.view(Subclass),
    "masked, with nothing masked": lambda values, folder: np.ma.masked_array(values),
}
EXPORTED = {
    "__array__": lambda values, folder: Exposed(values),
    "the array interface": lambda values, folder: Interface(values),
    "a memoryview": lambda values, folder: memoryview(values),
}
USES = {
    "rgb_to_lab": lambda given, folder: rgb_to_lab(given),
    "rgb_to_lightness": lambda given, folder: rgb_to_lightness(given),
    "encode": lambda given, folder: LabCodec().encode(given)[1],
    "psnr": lambda given, folder: metrics.psnr(given, 255 - PICTURE),
    "write_picture": lambda given, folder: (write_picture(folder / "a.png", given), read_picture(folder / "a.png"))[1],
}


@pytest.mark.parametrize("kind", [*LIKE, *EXPORTED])
@pytest.mark.parametrize("use", USES)
def test_pure_functions_take_any_array_like(use, kind, tmp_path):
    """Functions of arrays give the same for each kind of array."""
    given = {**LIKE, **EXPORTED}[kind](PICTURE, tmp_path)
    np.testing.assert_array_equal(USES[use](given, tmp_path), USES[use](PICTURE, tmp_path))


@pytest.mark.parametrize("kind", [*LIKE, "__array__", "the array interface"])  # in a list, a memoryview is refused
def test_predict_takes_any_array_like(kind, small, tmp_path):
    """A picture is colored alike, alone and in a list."""
    given = {**LIKE, **EXPORTED}[kind](PICTURE, tmp_path)
    expected = small.predict(PICTURE)
    np.testing.assert_array_equal(small.predict(given), expected)
    np.testing.assert_array_equal(small.predict([given])[0], expected)


@pytest.mark.parametrize("kind", LIKE)
def test_hints_take_any_array(kind, classifier, tmp_path):
    """Hints are the same in each kind of array."""
    hints = LIKE[kind](HINTS, tmp_path)
    expected = classifier.predict(PICTURE, hints=HINTS)
    np.testing.assert_array_equal(classifier.predict(PICTURE, hints=hints), expected)


MASKED = np.ma.masked_array(PICTURE, PICTURE < 30)


@pytest.mark.parametrize("use", USES)
def test_masked_values_are_refused(use, tmp_path):
    """A mask is not dropped: NumPy would give what lies under it."""
    with pytest.raises(InputError, match=r"masked .* Fill them first"):
        USES[use](MASKED, tmp_path)


def test_masked_pictures_and_hints_are_refused(classifier):
    """So it is in predictions, in a list, and in hints."""
    masked_hints = np.ma.masked_array(np.nan_to_num(HINTS), np.isnan(HINTS))
    for arguments in ({"X": MASKED}, {"X": [PICTURE, MASKED]}, {"X": PICTURE, "hints": masked_hints}):
        with pytest.raises(InputError, match=r"masked .* Fill them first"):
            classifier.predict(**arguments)

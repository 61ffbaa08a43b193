"""Notebooks: two pictures with a slider, and a Colorizer as a table."""

import base64
import io
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from labcolor import Colorizer, compare
from labcolor.errors import InputError, InputTypeError, PictureFileError

LEFT = np.full((30, 40), 90, np.uint8)
RIGHT = np.full((30, 40, 3), (200, 120, 60), np.uint8)


def pictures_in(html):
    """The pictures that HTML contains."""
    codes = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(code)))) for code in codes]


def test_both_pictures_are_in_the_html_and_nothing_from_elsewhere():
    """The HTML holds both pictures itself, with a slider that has a name, and needs no script or style sheet."""
    html = compare(LEFT, RIGHT)._repr_html_()
    left, right = pictures_in(html)
    assert np.abs(left.astype(int) - 90).max() < 4
    assert np.abs(right.astype(int) - RIGHT).max() < 6
    assert '<input type="range"' in html
    assert "aria-label" in html
    for word in ("<script", "<style", "http", "@import"):
        assert word not in html


def test_what_shows_no_html_gets_them_side_by_side():
    """The PNG has one beside the other; a terminal gets one line."""
    shown = compare(LEFT, RIGHT)
    panels = np.asarray(Image.open(io.BytesIO(shown._repr_png_())))
    assert panels.shape == (30, 88, 3)
    assert (panels[:, :40] == 90).all()
    assert (panels[:, 48:] == RIGHT).all()
    assert repr(shown) == "<Comparison of two pictures, 40 x 30; a notebook shows them>"


def test_pictures_of_every_kind_are_reduced_alike():
    """Files, 16 bits, alpha and large pictures are shown; each is read once."""
    file = io.BytesIO()
    Image.new("L", (3000, 1500), 90).save(file, "PNG")
    file.seek(0)
    clear = np.zeros((1500, 3000, 4), np.uint16)
    left, right = pictures_in(compare(file, clear)._repr_html_())
    assert left.shape == right.shape == (500, 1000, 3)
    assert right.min() > 250  # nothing, over white


def test_what_cannot_be_compared_is_refused():
    """Other sizes, what is no picture, and several pictures have the errors that triptych has."""
    with pytest.raises(InputError, match="expected two pictures of one size"):
        compare(LEFT, RIGHT[:-1])
    with pytest.raises(InputTypeError, match="colored: expected"):
        compare(LEFT, None)
    with pytest.raises(InputError, match="grey: expected one picture, got 2"):
        compare(np.stack([RIGHT, RIGHT]), RIGHT)
    with pytest.raises(PictureFileError, match="does not exist"):
        compare("nowhere.png", RIGHT)


def test_a_colorizer_shows_what_it_is(classifier):
    """Network, size, training and parameters stand in the table; what differs from the defaults is bold."""
    html = classifier._repr_html_()
    for text in (
        "Colorizer",
        "(fitted)",
        "efficientnet",
        "69,030 pictures",
        "float32 and int8",
        "auto",
        "MB",
        "working_size",
    ):
        assert text in html
    assert "<b>working_size</b>" in html
    assert "<b>epochs</b>" not in html
    assert "call fit" in Colorizer()._repr_html_()


def test_a_table_escapes_everything():
    """A name, a parameter and a training that contain HTML are shown as text."""
    evil = "<script>alert(1)</script>"

    class Named(Colorizer):
        """A subclass."""

    Named.__name__ = evil
    assert "<script" not in Named(evil, start=evil)._repr_html_()
    named = Named(evil)
    named.model_ = Colorizer.from_pretrained("reference").model_
    vars(named.model_)["training"] = {evil: evil}
    assert "<script" not in named._repr_html_()


def test_a_table_loads_no_tensorflow():
    """The table of a packaged model needs neither Keras nor TensorFlow."""
    code = (
        "import sys; from labcolor import Colorizer; Colorizer.from_pretrained()._repr_html_();"
        "print({'keras', 'tensorflow', 'onnxruntime'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"

"""Saved states: what is read is what was written, or one error."""

import copy
import json

import numpy as np
import pytest
import skimage.data

from labcolor.colorizer import pipeline_of
from labcolor.errors import InputError
from labcolor.pictures.picture import as_picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.look import Look
from labcolor.video.references import as_references
from labcolor.video.saved import Floats, Stateful, decode_state, encode_state
from labcolor.video.stream import ChromaStream

SHAPE = 60, 80


def frames():
    """Groups of four frames of two photographs."""
    photos = [getattr(skimage.data, name)()[::4, ::4].mean(axis=-1).astype(np.uint8) for name in ("coffee", "chelsea")]
    shots = [photo[:60, start : start + 80] for photo in photos for start in range(8)]
    return [[as_picture(frame, "frame") for frame in shots[start : start + 4]] for start in range(0, 16, 4)]


@pytest.fixture(scope="module")
def opened(classifier):
    """A function that opens a stream, and one that colors a group of frames with it."""
    pipeline = pipeline_of(classifier)
    hint = np.full((*SHAPE, 2), np.nan, np.float32)
    hint[20:30, 20:30] = (40, -30)

    def open_stream():
        return ChromaStream(pipeline, Look(), references=as_references({1: hint}, None))

    def color(stream, group):
        small = [SmallPicture.of(picture, pipeline.working_size) for picture in group]
        return np.stack(list(stream.add(small)))

    return open_stream, color


def paths(tree, path=()):
    """The places of all values of a state."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in children:
        yield (*path, key)
        yield from paths(value, (*path, key))


def replaced(tree, path, value):
    """A copy of a state with another value at a place."""
    tree = copy.deepcopy(tree)
    place = tree
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return tree


def test_a_restored_stream_goes_on_as_if_nothing_had_happened(opened):
    """After each group, the state brings another stream to the same colors, bit for bit."""
    open_stream, color = opened
    stream, (first, *rest) = open_stream(), frames()
    color(stream, first)
    for group in rest:
        other = open_stream()
        other.resume(decode_state(encode_state(stream)), SHAPE)
        np.testing.assert_array_equal(color(stream, group), color(other, group))
        assert stream.cuts == other.cuts
    assert stream.cuts == [8]


def test_no_value_of_a_state_is_trusted(opened):
    """Whatever stands at any place of a state instead of what was saved is one error."""
    open_stream, color = opened
    stream = open_stream()
    for group in frames():
        color(stream, group)
    state = decode_state(encode_state(stream))
    found = list(paths(state))
    assert len(found) > 40
    for path in found:
        for junk in ("junk", np.zeros((2, 3, 4), np.float32), [[]], {"keys": None}):
            with pytest.raises(InputError):
                open_stream().resume(replaced(state, path, junk), SHAPE)
    with pytest.raises(InputError):
        open_stream().resume(state, (SHAPE[1], SHAPE[0]))


@pytest.mark.parametrize(
    "array",
    [
        {"shape": [2], "float32": "AAAA"},
        {"shape": [-1], "float32": ""},
        {"shape": [1 << 62, 4], "float32": ""},
        {"shape": 4, "float32": "AAAAAA=="},
        {"shape": [1], "float32": "AADAfw=="},
        {"shape": [1], "float32": "*"},
        {"shape": [1], "float32": 5},
    ],
)
def test_an_array_is_what_it_declares(array):
    """The bytes of an array fill its shape with finite numbers, or there is one error."""
    assert decode_state('{"shape": [1], "float32": "AAAAAA=="}') == 0
    with pytest.raises(InputError):
        decode_state(json.dumps([array]))


def test_only_arrays_of_float32_are_saved():
    """Another type would come back as one with other bits."""
    with pytest.raises(TypeError, match="float32"):
        encode_state({"array": np.zeros(3)})


def test_axes_of_one_name_have_one_length():
    """Arrays of a state fit to each other, and none is empty."""

    class Part(Stateful):
        def __init__(self):
            self.first = self.second = None

        def forms(self):
            return {"first": Floats(("n", 3)), "second": Floats(("n",))}

    for first, second in ((2, 3), (0, 0)):
        with pytest.raises(InputError, match="expected an array of shape"):
            Part().restore({"first": np.zeros((first, 3), np.float32), "second": np.zeros(second, np.float32)})

"""A model file from a stranger: whatever is wrong with it, one error of the library, and at once."""

import io
import json
import os
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from labcolor import Colorizer
from labcolor.errors import InputError, ModelFileError
from labcolor.networks import (
    Architecture,
    BinsHead,
    RegressionHead,
    build_autoencoder,
    get_architecture,
    register_architecture,
)
from labcolor.networks.model import FittedModel

TINY = get_architecture("reference").with_options(encoder=(4, 4, 4), decoder=(4, 4))


@pytest.fixture(scope="module")
def parts():
    """The text and the members of a tiny model that can take hints."""
    network = TINY.network(seed=0)
    hints = np.zeros((4, 16), np.float32), np.zeros(8, np.float32)
    model = FittedModel(
        TINY, tuple(network.get_weights()), Colorizer.from_pretrained("reference").codec_, RegressionHead(), 32, hints
    )
    with zipfile.ZipFile(io.BytesIO(model.to_bytes())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members.pop("about.json"))
    return about, members


def load(about, members):
    """Load a file of a text and members."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.json", about if isinstance(about, str) else json.dumps(about))
        for name, member in members.items():
            archive.writestr(name, member)
    return FittedModel.from_bytes(content.getvalue(), "case")


def npy(array):
    """An array as a member."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=array.dtype.kind == "O")
    return content.getvalue()


def test_the_good_one_loads(parts):
    """What the cases below damage is a model."""
    assert len(load(*parts).hints) == 2


@pytest.mark.parametrize("name", ["weight000", "hints0"])
@pytest.mark.parametrize(
    "change",
    [
        lambda array: array.astype("S1")[:0].astype("S"),
        lambda array: array.astype(f"V{array.itemsize}"),
        lambda array: np.zeros(array.shape, "V0"),
        lambda array: np.zeros(array.shape, "U0"),
        lambda array: np.zeros(array.shape, "S0"),
        lambda array: array.astype(str),
        lambda array: array.astype(object),
        lambda array: array.astype(np.int32),
        lambda array: array.astype(np.complex64),
        lambda array: array.astype(np.float64),
        lambda array: np.asfortranarray(np.ones((*array.shape[:-1], array.shape[-1]), np.float32)),
        lambda array: array[:1],
        lambda array: array[..., None],
        lambda array: array.reshape(-1),
        lambda array: array * np.float32(np.nan),
        lambda array: np.full_like(array, np.inf),
    ],
    ids=range(16),
)
def test_other_arrays_are_refused(parts, name, change):
    """Only floats of the architecture's shape, in C order and finite, are taken."""
    about, members = parts
    array = np.load(io.BytesIO(members[f"{name}.npy"]))
    with pytest.raises(ModelFileError, match=name):
        load(about, {**members, f"{name}.npy": npy(change(array))})


@pytest.mark.parametrize("name", ["weight011.npy", "weight000.npy", "hints0.npy", "hints1.npy"])
def test_missing_members_are_refused(parts, name):
    """Every array that the architecture has must be there."""
    about, members = parts
    with pytest.raises(ModelFileError, match="arrays of its architecture"):
        load(about, {key: value for key, value in members.items() if key != name})


@pytest.mark.parametrize("name", ["weight016.npy", "weight000", "hints2.npy", "head/x.npy", "../x.npy", "x" * 60000])
def test_unknown_members_are_refused(parts, name):
    """And no other."""
    about, members = parts
    with pytest.raises(ModelFileError, match="arrays of its architecture") as caught:
        load(about, {**members, name: npy(np.zeros(1, np.float32))})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("value", [1e9, -1e9])
def test_constants_of_hints_that_overflow_are_refused(parts, value):
    """A spreader whose covariances would be no numbers is refused when it is loaded."""
    about, members = parts
    with pytest.raises(ModelFileError, match="constants of the hint spreader"):
        load(about, {**members, "hints1.npy": npy(np.full(8, value, np.float32))})


def test_hints_and_weights_of_other_feature_counts_are_refused(parts, classifier, reference):
    """Hints and weights of another architecture do not load, so nothing is read beyond their ends."""
    about, members = parts
    with pytest.raises(ModelFileError, match="hints0"):
        load(about, {**members, "hints0.npy": npy(classifier.model_.hints[0])})
    with pytest.raises(ModelFileError, match="hints0"):
        FittedModel.from_bytes(replace(reference.model_, hints=classifier.model_.hints).to_bytes(), "case")
    with pytest.raises(ModelFileError, match="weight012"):
        FittedModel.from_bytes(
            replace(reference.model_, weights=load(about, members).weights, onnx_form=None).to_bytes(), "case"
        )
    with pytest.raises(ModelFileError, match="architecture"):
        FittedModel.from_bytes(
            replace(classifier.model_, weights=reference.model_.weights, onnx_form=None).to_bytes(), "case"
        )


def test_weights_of_bins_have_their_length():
    """A head refuses another number of weights, and scores of another number of bins: its kernels would not notice."""
    with pytest.raises(InputError, match="log_weights"):
        BinsHead(log_weights=np.zeros(3, np.float32))
    codec = Colorizer.from_pretrained("reference").codec_
    for head, channels in ((BinsHead(), 2), (BinsHead(), 311), (RegressionHead(), 1), (RegressionHead(), 3)):
        with pytest.raises(InputError, match="channels"):
            head.decode(np.zeros((1, 2, 2, channels), np.float32), codec, 1.0)
    with pytest.raises(InputError, match="channels"):
        BinsHead().moments(np.zeros((2, 2, 2), np.float32))


def test_a_network_of_many_layers_is_not_built(parts):
    """A stranger chooses options and arrays: Keras would build 5,000 small convolutions for minutes. It builds none."""
    about, members = parts
    built = []

    def build(layers, **options):
        built.append(layers)
        return TINY.build(**TINY.options, **options)

    register_architecture(Architecture("counting", build, RegressionHead()))
    deep = {**about, "architecture": {"name": "counting", "options": {"layers": 5000}, "multiple": 8}}
    load(deep, members)
    assert built
    built.clear()
    more = {f"weight{index:03d}.npy": members["weight001.npy"] for index in range(10_000)}
    with pytest.raises(ModelFileError, match="at most 1000 arrays"):
        load(deep, {**members, **more})
    assert not built


def test_a_model_of_too_many_arrays_is_not_packed(parts):
    """What could not be loaded is refused when it is saved."""
    model = load(*parts)
    with pytest.raises(ModelFileError, match="at most 1000 arrays"):
        replace(model, weights=model.weights * 100).to_bytes()


DEEP = "[" * 100_000 + "]" * 100_000
TEXTS = {
    "huge loss": {"history": {"loss": [10**400]}},
    "no numbers": {"history": {"loss": ["a", None]}},
    "bool": {"history": {"loss": [True]}},
    "no list": {"history": {"loss": 3}},
    "no history": {"history": [1]},
    "huge size": {"working_size": 10**400},
    "size of minutes": {"working_size": 1025},
    "shapes without end": {"light": {"shapes": [[1 << 20] * 10**5], "features": 4, "sizes": [1, 0], "sha256": ""}},
    "negative size": {"working_size": -8},
    "size as text": {"working_size": "136"},
    "bool size": {"working_size": True},
    "huge overview": {"overview": 10.0**300},
    "overview as bool": {"overview": True},
    "no overview": {"overview": float("nan")},
    "huge codec": {"codec": {"l_center": 10**400, "l_scale": 50, "ab_scale": 128}},
    "codec of nothing": {"codec": {}},
    "codec as list": {"codec": [1, 2, 3]},
    "more of a codec": {"codec": {"l_center": 50, "l_scale": 50, "ab_scale": 128, "x": 1}},
    "no head": {"head": None},
    "huge chroma": {"head": {"chroma": 10**400, "stride": 1}},
    "another stride": {"head": {"chroma": 1.0, "stride": 2}},
    "huge stride": {"head": {"chroma": 1.0, "stride": 10**9}},
    "training as list": {"training": [1]},
    "unknown": {"more": 1},
    "format as text": {"format": "2"},
    "format as bool": {"format": True},
    "format as float": {"format": 2.0},
    "format 0": {"format": 0},
    "huge format": {"format": 10**400},
    "version": {"labcolor": 2},
}
ARCHITECTURES = {
    "huge multiple": {"multiple": 10**400},
    "odd multiple": {"multiple": 3},
    "no multiple": {"multiple": 0},
    "name": {"name": ["reference"]},
    "long name": {"name": "x" * 10**6},
    "options": {"options": [1]},
    "huge filters": {"options": {"encoder": [2**30] * 5, "decoder": [2**30, 2**30]}},
    "beyond": {"options": {"encoder": [10**400] * 5, "decoder": [4, 4]}},
    "many": {"options": {"encoder": [4] * 10**5, "decoder": [4, 4]}},
    "negative": {"options": {"encoder": [-4, -4, -4], "decoder": [4, 4]}},
    "text": {"options": {"encoder": "abc", "decoder": "de"}},
    "seed": {"options": {"seed": 1}},
    "dtype": {"options": {"dtype": "float64"}},
}


@pytest.mark.parametrize("change", TEXTS.values(), ids=TEXTS)
def test_other_texts_are_refused(parts, change):
    """Each value of the text is checked."""
    about, members = parts
    with pytest.raises(ModelFileError) as caught:
        load({**about, **change}, members)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("light", [5, [], "text", True])
def test_another_kind_of_onnx_form_is_named(parts, light):
    """The error says what was expected, and where."""
    about, members = parts
    with pytest.raises(ModelFileError, match="light: expected None or a dict, got"):
        load({**about, "light": light}, members)


@pytest.mark.parametrize("change", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_other_architectures_are_refused(parts, change):
    """Options that give another network are refused before memory is taken for it."""
    about, members = parts
    with pytest.raises(ModelFileError) as caught:
        load({**about, "architecture": {**about["architecture"], **change}}, members)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "nan",
        DEEP,
        '{"format": ' + DEEP + "}",
        '{"format": 1' + "0" * 5000 + "}",
        " " * 2**25,
    ],
    ids=range(8),
)
def test_texts_that_are_none_are_refused(parts, text):
    """Deep and huge JSON, and none at all."""
    with pytest.raises(ModelFileError):
        load(text, parts[1])


def test_a_member_that_swells_is_not_unpacked(parts):
    """A member of 100 MiB in a file of a hundredth of that is refused for its size alone."""
    about, members = parts
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("about.json", json.dumps(about))
        for name, member in members.items():
            if name != "weight000.npy":
                archive.writestr(name, member)
        with archive.open("weight000.npy", "w", force_zip64=True) as file:
            file.write(members["weight000.npy"])
            for _ in range(100):
                file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="weight000"):
            FittedModel.from_bytes(content.getvalue(), "case")
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_two_members_of_one_name_are_refused(parts):
    """Which of two was meant nobody knows."""
    about, members = parts
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("about.json", json.dumps(about))
        for name, member in members.items():
            archive.writestr(name, member)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("weight000.npy", members["weight000.npy"])
    with pytest.raises(ModelFileError, match="different names"):
        FittedModel.from_bytes(content.getvalue(), "case")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(parts, compression):
    """What was not written by labcolor is not unpacked."""
    about, members = parts
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        archive.writestr("about.json", json.dumps(about))
        for name, member in members.items():
            archive.writestr(name, member)
    with pytest.raises(ModelFileError, match="deflated"):
        FittedModel.from_bytes(content.getvalue(), "case")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files")
def test_devices_and_pipes_are_refused(tmp_path):
    """What has no end, or waits for somebody to write, is not opened."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in ("/dev/zero", "/dev/stdin", tmp_path / "pipe", tmp_path / "link"):
        with pytest.raises(ModelFileError, match="expected a regular file"):
            Colorizer.load(path)


def test_weights_are_stored_in_float16_only_if_that_is_lossless(parts):
    """Packing keeps weights to the bit: those beyond the range or the precision of float16, and those that fit it."""
    model = load(*parts)
    large, fine, coarse = model.weights[0] + np.float32(1e5), model.weights[1] + np.float32(1e-6), model.weights[2]
    weights = (large, fine, coarse.astype(np.float16).astype(np.float32), *model.weights[3:])
    content = replace(model, weights=weights).to_bytes()
    for one, other in zip(FittedModel.from_bytes(content, "case").weights, weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_that_could_not_be_loaded_is_not_packed(parts):
    """A training that diverged is found when it is saved, not when it is loaded."""
    model = load(*parts)
    with pytest.raises(ModelFileError, match="diverged"):
        replace(model, weights=(model.weights[0] * np.float32(np.inf), *model.weights[1:])).to_bytes()


def test_options_come_back_as_they_were(parts):
    """Sequences are tuples before and after, so that a loaded network equals the one that was saved."""
    assert load(*parts).architecture == TINY
    with pytest.raises(InputError, match="options: expected numbers"):
        Architecture("own", build_autoencoder, RegressionHead(), options={"encoder": {1, 2, 3}})

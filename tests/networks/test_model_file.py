"""Model files: the same in a new process, and nothing a stranger's file can do."""

import copy
import dataclasses
import io
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from labcolor import Colorizer
from labcolor.errors import InputError, ModelFileError, NotFittedError
from labcolor.networks import get_architecture
from labcolor.networks.model_file import FORMAT


@pytest.fixture(scope="module")
def small(batch):
    """A small colorizer trained for a moment: what comes from a training has no ONNX form."""
    network = get_architecture("reference").with_options(encoder=(32, 32, 32), decoder=(32, 32))
    return Colorizer(network, epochs=1, crop_size=32, working_size=32, random_state=0).fit(batch)


@pytest.fixture
def saved(small, tmp_path):
    """A saved model."""
    path = tmp_path / "model.labcolor"
    small.save(path)
    return path


@pytest.mark.slow
def test_predicts_the_same_in_a_new_process(small, saved, batch, tmp_path):
    """What is saved, loaded and predicted in another process is the same to the last bit."""
    np.save(tmp_path / "in.npy", batch[0])
    code = (
        "import numpy as np, sys; from labcolor import Colorizer; folder = sys.argv[1]\n"
        "colorizer = Colorizer.load(f'{folder}/model.labcolor')\n"
        "np.save(f'{folder}/out.npy', colorizer.predict(np.load(f'{folder}/in.npy')))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), small.predict(batch[0]))


def test_everything_is_saved(small, saved):
    """Network, working size, codec, history and what it was trained on come back."""
    loaded = Colorizer.load(saved)
    assert (loaded.network, loaded.working_size, loaded.codec) == (small.network, 32, None)
    assert loaded.codec_ == small.codec_
    assert loaded.history_ == small.history_
    assert loaded.model_.training == small.model_.training
    assert small.model_.training["epochs"] == 1


def test_how_a_training_talks_and_starts_is_no_part_of_a_model(small, tmp_path):
    """A saved file does not hold verbose, and a colorizer that is loaded has its default."""
    copy.deepcopy(small).set_params(verbose=2).save(tmp_path / "m.labcolor")
    about = zipfile.ZipFile(tmp_path / "m.labcolor").read("about.json").decode()
    assert "verbose" not in about
    loaded = Colorizer.load(tmp_path / "m.labcolor")
    assert loaded.verbose == 0


def test_saving_is_deterministic_and_half_is_half(small, saved, tmp_path, batch):
    """The same model gives the same bytes; with weights that fit float16 about half of them, and similar colors."""
    small.save(tmp_path / "again.labcolor")
    assert (tmp_path / "again.labcolor").read_bytes() == saved.read_bytes()
    rounded = tuple(weight.astype(np.float16).astype(np.float32) for weight in small.model_.weights)
    (tmp_path / "half.labcolor").write_bytes(dataclasses.replace(small.model_, weights=rounded).to_bytes())
    assert (tmp_path / "half.labcolor").stat().st_size < 0.6 * saved.stat().st_size
    half = Colorizer.load(tmp_path / "half.labcolor").predict(batch[0])
    assert np.abs(half.astype(int) - small.predict(batch[0])).max() <= 2


def test_truncated_at_every_tenth(saved):
    """A file cut short anywhere is refused."""
    content = saved.read_bytes()
    for tenth in range(10):
        saved.write_bytes(content[: len(content) * tenth // 10])
        with pytest.raises(ModelFileError, match=r"model\.labcolor"):
            Colorizer.load(saved)


@pytest.mark.slow
def test_flipped_bytes(saved, batch, small):
    """A flipped byte is noticed, or (in an unused part of the archive's directory) changes nothing."""
    content = saved.read_bytes()
    expected = small.predict(batch[0])
    noticed = 0
    for place in np.random.default_rng(0).integers(0, len(content), 25):
        saved.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        try:
            np.testing.assert_array_equal(Colorizer.load(saved).predict(batch[0]), expected)
        except ModelFileError:
            noticed += 1
    assert noticed > 20


class _Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('code ran')",)


def _archive(path, about, **members):
    with zipfile.ZipFile(path, "w") as archive:
        if about is not None:
            archive.writestr("about.json", about if isinstance(about, str) else json.dumps(about))
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_pickle_is_never_loaded(saved):
    """A pickle under a model's name, and one inside an archive, are refused and do not run."""
    saved.write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(ModelFileError, match="another kind"):
        Colorizer.load(saved)
    hidden = io.BytesIO()
    np.save(hidden, np.array([_Bomb()], object), allow_pickle=True)
    _archive(saved, {"format": FORMAT}, **{"weight000.npy": hidden.getvalue()})
    with pytest.raises(ModelFileError, match="not a model that this version can use"):
        Colorizer.load(saved)


def test_keras_files_are_refused(tmp_path):
    """A Keras file, of another network or with code in a Lambda layer, is not a labcolor model."""
    import keras

    network = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x)])
    network.save(tmp_path / "other.keras")
    with pytest.raises(ModelFileError, match="got a Keras file"):
        Colorizer.load(tmp_path / "other.keras")


def test_archives_of_other_things(saved, tmp_path):
    """Missing parts, other formats, wrong weights and names that point elsewhere are refused."""
    good = json.loads(zipfile.ZipFile(saved).read("about.json"))
    architecture = good["architecture"]
    with zipfile.ZipFile(saved) as archive:
        arrays = {name: archive.read(name) for name in archive.namelist() if name != "about.json"}
    _archive(tmp_path / "case.labcolor", {**good, "architecture": {**architecture, "options": {}}})
    with pytest.raises(ModelFileError, match=r"got no 'weight000\.npy'"):
        Colorizer.load(tmp_path / "case.labcolor")
    cases = [
        (None, "another kind"),
        ("not json", "damaged"),
        ([1], "expected a model of format|expected a labcolor model"),
        ({}, "expected a model of format|expected a labcolor model"),
        ({"format": FORMAT + 1}, "Upgrade labcolor"),
        ({"format": FORMAT}, "architecture"),
        ({"format": FORMAT - 1}, "expected a model of format|got format 1"),
        ({**good, "architecture": {**architecture, "name": "os.system"}}, "expected one of .* got 'os.system'"),
        ({**good, "architecture": {**architecture, "options": {"nonsense": 1}}}, "nonsense"),
        ({**good, "architecture": {**architecture, "options": {"encoder": [1]}}}, "encoder"),
        ({**good, "architecture": {**architecture, "multiple": "many"}}, "many"),
        ({**good, "head": {"chroma": 1.0}}, "head: expected chroma, stride, got chroma"),
        ({**good, "head": {"chroma": "much", "stride": 1}}, "head chroma: expected"),
        ({**good, "working_size": 2}, "working_size: expected"),
        ({**good, "history": 5}, "not a model"),
        ({**good, "codec": {"ab_scale": -1}}, "ab_scale"),
    ]
    for about, words in cases:
        _archive(tmp_path / "case.labcolor", about, **arrays)
        with pytest.raises(ModelFileError, match=words):
            Colorizer.load(tmp_path / "case.labcolor")
    content = io.BytesIO()
    np.save(content, np.zeros(3, np.float32))
    members = {"weight000.npy": content.getvalue(), "../../escaped.npy": content.getvalue()}
    _archive(tmp_path / "case.labcolor", good, **members)
    with pytest.raises(ModelFileError):
        Colorizer.load(tmp_path / "case.labcolor")
    assert not list(tmp_path.parent.parent.glob("escaped*"))


@pytest.mark.slow
def test_an_archive_that_swells_is_refused(tmp_path):
    """A few kilobytes that claim to unpack to gigabytes are refused before they are unpacked."""
    path = tmp_path / "bomb.labcolor"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.json", json.dumps({"format": 1}))
        with archive.open("weight000.npy", "w", force_zip64=True) as member:
            for _ in range(1040):
                member.write(bytes(1 << 20))
    with pytest.raises(ModelFileError, match="bytes unpacked"):
        Colorizer.load(path)


def test_paths_that_do_not_work(small, saved, tmp_path):
    """Missing files and folders, and folders instead of files, are said to be that."""
    with pytest.raises(ModelFileError, match="cannot be read"):
        Colorizer.load(tmp_path / "missing.labcolor")
    with pytest.raises(ModelFileError, match="cannot be read"):
        Colorizer.load(tmp_path)
    with pytest.raises(InputError, match="got a folder"):
        small.save(tmp_path)
    with pytest.raises(ModelFileError, match="no folder"):
        small.save(tmp_path / "missing" / "model.labcolor")
    with pytest.raises(NotFittedError):
        Colorizer().save(tmp_path / "empty.labcolor")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.labcolor"]


def test_what_could_not_be_loaded_is_not_saved(batch, tmp_path, small):
    """A wrong parameter is found before a file is written that could not be read."""
    twin = copy.deepcopy(small).set_params(crop_size=100)
    with pytest.raises(InputError, match="crop_size"):
        twin.save(tmp_path / "m.labcolor")
    assert list(tmp_path.iterdir()) == []
    odd = copy.deepcopy(small).set_params(random_state=np.random.default_rng(0))
    assert copy.deepcopy(odd).set_params(random_state=0).predict(batch[0]).shape == batch[0].shape

"""Training data: every kind of input, and what is refused or left out."""

import logging
import shutil
import tarfile
from collections import Counter

import numpy as np
import pytest

from labcolor import Colorizer, write_picture
from labcolor.errors import FileError, InputError, InputTypeError, PictureFileError
from labcolor.training.data import training_pictures
from labcolor.training.sources import find_files, hold_out
from labcolor.training.store import PictureFolder

QUICK = {"epochs": 1, "crop_size": 32, "working_size": 32, "random_state": 0}
MEMORY = 1 << 30


@pytest.fixture
def folder(tmp_path, photographs):
    """A folder with subfolders of photographs."""
    (tmp_path / "more").mkdir()
    for index, photo in enumerate(photographs):
        write_picture(tmp_path / ("more" if index % 2 else "") / f"{index}.png", photo[::4, ::4])
    return tmp_path


@pytest.fixture
def archive(folder, tmp_path_factory):
    """The same folder as a tar archive."""
    path = tmp_path_factory.mktemp("archive") / "photos.tar"
    with tarfile.open(path, "w") as file:
        file.add(folder, ".")
    return path


def pictures(x, **options):
    return training_pictures(x, 34, **{"least": 32, "memory": MEMORY, **options})


@pytest.mark.slow
def test_trains_on_everything_that_is_promised(folder, archive, photographs, batch):
    """A folder, an archive, files, a list of different sizes, a generator and a tf.data.Dataset all train."""
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(batch).batch(2)
    files = sorted(folder.rglob("*.png"))
    stream = (photo for photo in photographs)
    for source in (folder, str(archive), [folder, archive], files, photographs, tuple(photographs), stream, dataset):
        assert np.isfinite(Colorizer("tiny", **QUICK).fit(source).history_["loss"][0])


@pytest.mark.slow
def test_a_directory_of_keras_is_a_dataset(folder, tmp_path):
    """What keras.utils.image_dataset_from_directory gives, floats from 0 to 255, is taken for what it is."""
    import keras

    dataset = keras.utils.image_dataset_from_directory(folder, labels=None, image_size=(64, 64), shuffle=False)
    found = pictures(dataset)
    assert len(found) == 5
    assert all(100 < picture.max() <= 255 for picture in found.usable)
    shutil.copytree(folder, tmp_path / "classes" / "one")
    labeled = keras.utils.image_dataset_from_directory(tmp_path / "classes", image_size=(64, 64), batch_size=2)
    assert len(pictures(labeled)) >= 5


def test_an_archive_is_the_folder_that_was_packed(folder, archive):
    """Pictures in a tar have the names, and so the held-out part, and the pixels that they had in the folder."""
    here, there = pictures(folder), pictures(archive)
    assert [file.name for file in find_files([folder])[0]] == [file.name for file in find_files([archive])[0]]
    for one, other in zip(here.usable, there.usable, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(here) == 5


def test_each_folder_holds_out_its_own(folder, archive):
    """What is held out of a folder does not depend on what it is trained together with."""
    alone = pictures(folder).hold_out(0.4)[1]
    both = pictures([archive, folder]).hold_out(0.4)[1]
    assert len(both) == 2 * len(alone)
    for one, other in zip(alone.usable, list(both.usable)[len(alone) :], strict=True):
        np.testing.assert_array_equal(one, other)
    assert hold_out("abcde", 2) == (["b", "d"], ["a", "c", "e"])


@pytest.mark.parametrize("damage", ["cut", "header", "gzip"])
def test_a_damaged_archive_is_named(archive, damage):
    """A tar that is cut, overwritten or compressed is one error with its path and a remedy."""
    content = archive.read_bytes()
    if damage == "cut":
        archive.write_bytes(content[:4000])
    elif damage == "header":
        second = find_files([archive])[0][1].start - 512
        archive.write_bytes(content[:second] + b"?" * 512 + content[second + 512 :])
    else:
        with tarfile.open(archive, "w:gz") as file:
            file.addfile(tarfile.TarInfo("a.png"))
    with pytest.raises(PictureFileError, match=r"photos\.tar: .*(Copy it again|unpack)"):
        find_files([archive])


def test_unusable_pictures_are_counted_and_left_out(folder, caplog):
    """Damaged, grey and too small files are logged, once, counted in model_.training, and the rest trains."""
    (folder / "bad.png").write_bytes(b"no picture")
    write_picture(folder / "grey.png", np.zeros((50, 50), np.uint8))
    write_picture(folder / "grey_in_rgb.png", np.full((50, 50, 3), 99, np.uint8))
    write_picture(folder / "tiny.png", np.random.default_rng(0).integers(0, 256, (31, 99, 3), np.uint8))
    with caplog.at_level(logging.WARNING, "labcolor"):
        colorizer = Colorizer("tiny", **{**QUICK, "epochs": 2}).fit(folder)
    messages = [record.message for record in caplog.records if "left out of the training: " in record.message]
    for name in ("bad.png", "grey.png", "grey_in_rgb.png", "tiny.png"):
        assert sum(f"{name}:" in message for message in messages) == 1, name
    assert colorizer.model_.training["left_out"] == {"damaged": 1, "grey": 2, "too small": 1}
    assert colorizer.model_.training["pictures"] == 5


@pytest.mark.parametrize(
    "nest", [lambda picture: picture[None], lambda picture: [picture], lambda picture: iter([picture])]
)
def test_masked_training_pictures_are_refused(nest):
    """Masked values of a batch, a list or a stream raise an error, because NumPy would train on what the mask hides."""
    picture = np.ma.masked_less(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8), 9)
    with pytest.raises(InputError, match="expected plain values, got masked ones"):
        pictures(nest(picture))


def test_what_replaces_unusable_pictures_is_spread():
    """Unusable pictures come in runs. No picture stands for all of a run, which would weigh it many times."""
    random = np.random.default_rng(0)
    grey = [np.full((40, 40, 3), value, np.uint8) for value in range(60)]
    color = [random.integers(0, 256, (40, 40, 3), np.uint8) for _ in range(40)]
    pictures = training_pictures([*grey, *color], 40, least=32, memory=1 << 24)
    drawn = Counter(pictures.draw(index).tobytes() for index in range(len(pictures)))
    assert len(drawn) == 40
    assert max(drawn.values()) <= 4


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ([], InputError, "at least one color picture"),
        (iter([]), InputError, "at least one color picture"),
        (np.zeros((2, 40, 40), np.uint8), InputError, "none of the 2 can be used: 2 grey"),
        (np.zeros((2, 40, 40, 3), np.uint8) + 90, InputError, "none of the 2 can be used: 2 grey"),
        (np.zeros((2, 20, 40, 3), np.uint8), InputError, "2 too small. Add others, or lower crop_size"),
        ("/no/such/folder", PictureFileError, "does not exist"),
        (5, InputError, "expected"),
        (None, InputTypeError, "expected"),
        (iter([5]), InputError, "expected"),
        (np.zeros((2, 40, 40, 3)) + 7, InputError, "expected floats in"),
    ],
)
def test_refuses_to_train_on_nothing(source, error, words):
    """What holds no color picture is refused before anything is trained."""
    with pytest.raises(error, match=words):
        Colorizer("tiny", **QUICK).fit(source)


def test_endless_dataset_is_refused(batch):
    """A dataset that never ends cannot be read once."""
    import tensorflow as tf

    with pytest.raises(InputError, match="endless"):
        Colorizer("tiny", **QUICK).fit(tf.data.Dataset.from_tensor_slices(batch).repeat())


def test_an_empty_folder_is_refused(tmp_path):
    """A folder without pictures says what it should contain."""
    with pytest.raises(PictureFileError, match=r"expected pictures \(.png, .*found none"):
        Colorizer("tiny", **QUICK).fit(tmp_path)


def test_a_stream_needs_memory_for_its_reduced_pictures_only(photographs):
    """Pictures of an iterable that do not fit in memory are kept on disk, and come back the same."""
    found = pictures((photo for photo in photographs), memory=5000)
    for one, other in zip(found.usable, pictures(photographs).usable, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_cache_is_filled_once_and_shared(folder, tmp_path_factory, monkeypatch):
    """Pictures in the cache folder are not decoded again, by another training either; damaged ones are."""
    cache = tmp_path_factory.mktemp("cache") / "new"
    expected = list(pictures(folder, cache=cache, memory=0).usable)
    kept = sorted(cache.rglob("*.npy"))
    assert len(kept) == 5
    kept[0].write_bytes(kept[0].read_bytes()[:100])
    kept[1].write_bytes(b"")
    for one, other in zip(expected, pictures(folder, cache=cache).usable, strict=True):
        np.testing.assert_array_equal(one, other)
    decoded = []
    monkeypatch.setattr("labcolor.training.sources.decode", decoded.append)
    for one, other in zip(expected, pictures(folder, cache=cache).usable, strict=True):
        np.testing.assert_array_equal(one, other)
    assert decoded == []


def test_a_full_disk_ends_the_cache_not_the_training(folder, tmp_path, monkeypatch, caplog):
    """Where the cache cannot be written, one warning is logged and pictures are decoded as without it."""

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labcolor.training.data.np.save", full)
    assert len(list(pictures(folder / "more", cache=tmp_path / "cache").usable)) == 2
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / 'cache'}: no more pictures are kept there: No space left on device."
    ]
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="this folder cannot be created"):
        PictureFolder(tmp_path / "file")


@pytest.mark.parametrize(("share", "count"), [(0.1, 4), (0.34, 14), (0.4, 16), (0.5, 20)])
def test_any_share_is_held_out_exactly(batch, share, count):
    """The same pictures are held out in each call, and few others when a picture is added."""
    many = [batch[index % 5, :40, :40] for index in range(40)]
    training, held_out = pictures(many).hold_out(share)
    assert (len(training), len(held_out)) == (40 - count, count)
    assert pictures(many).hold_out(share)[1].digest == held_out.digest

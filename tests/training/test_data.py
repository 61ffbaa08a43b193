"""Training data: every kind of input, and what is refused or left out."""

import logging

import numpy as np
import pytest

from labcolor import Colorizer, write_picture
from labcolor.errors import InputError, InputTypeError, PictureFileError

QUICK = {"epochs": 1, "crop_size": 32, "working_size": 32, "random_state": 0}


@pytest.fixture
def folder(tmp_path, photographs):
    """A folder with subfolders of photographs."""
    (tmp_path / "more").mkdir()
    for index, photo in enumerate(photographs):
        write_picture(tmp_path / ("more" if index % 2 else "") / f"{index}.png", photo[::4, ::4])
    return tmp_path


@pytest.mark.slow
def test_trains_on_everything_that_is_promised(folder, photographs, batch):
    """A folder, files, a list of different sizes and a tf.data.Dataset all train."""
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(batch).batch(2)
    files = sorted(folder.rglob("*.png"))
    for source in (folder, str(folder), files, photographs, tuple(photographs), dataset):
        assert np.isfinite(Colorizer(**QUICK).fit(source).history_["loss"][0])


def test_unusable_training_files_are_left_out(folder, caplog):
    """A damaged and a grey file are logged, once, and the rest trains."""
    (folder / "bad.png").write_bytes(b"no picture")
    write_picture(folder / "grey.png", np.zeros((50, 50), np.uint8))
    with caplog.at_level(logging.WARNING, "labcolor"):
        Colorizer(**{**QUICK, "epochs": 2}).fit(folder)
    messages = [record.message for record in caplog.records if record.name.startswith("labcolor")]
    assert len(messages) == 2
    assert any("bad.png" in message for message in messages)
    assert any("grey.png" in message for message in messages)


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ([], InputError, "at least one color picture"),
        (np.zeros((2, 40, 40), np.uint8), InputError, "grey"),
        ("/no/such/folder", PictureFileError, "there is none"),
        (5, InputError, "expected"),
        (None, InputTypeError, "expected"),
        (np.zeros((2, 40, 40, 3)) + 7, InputError, "expected floats in"),
    ],
)
def test_refuses_to_train_on_nothing(source, error, words):
    """What holds no color picture is refused before anything is trained."""
    with pytest.raises(error, match=words):
        Colorizer(**QUICK).fit(source)


def test_endless_dataset_is_refused(batch):
    """A dataset that never ends cannot be read once."""
    import tensorflow as tf

    with pytest.raises(InputError, match="endless"):
        Colorizer(**QUICK).fit(tf.data.Dataset.from_tensor_slices(batch).repeat())


def test_all_files_unusable(tmp_path):
    """A folder in which nothing can be used says so."""
    write_picture(tmp_path / "grey.png", np.zeros((50, 50), np.uint8))
    with pytest.raises(InputError, match="none of the 1 files can be used"):
        Colorizer(**QUICK).fit(tmp_path)

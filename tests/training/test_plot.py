"""What a training leaves to look at: drawn curves, and event files for TensorBoard."""

import io

import numpy as np
import pytest
from PIL import Image

from labcolor import Colorizer, plot_history
from labcolor.errors import FileError, InputError, InputTypeError, NotFittedError
from labcolor.training.crops import center_crop
from labcolor.training.data import training_pictures

QUICK = {"epochs": 2, "crop_size": 32, "working_size": 32, "random_state": 0}


def test_draws_a_history(small, tmp_path):
    """A trained Colorizer or its history is drawn, held-out figures beside those of the training, and written."""
    assert [axes.get_title() for axes in plot_history(small).axes] == ["loss"]
    figure = plot_history({"loss": [2, 1], "val_loss": [3, 2], "val_psnr": [20, 21]}, tmp_path / "curves.png")
    loss, psnr = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "held out"]
    np.testing.assert_array_equal(psnr.lines[0].get_ydata(), [20, 21])
    np.testing.assert_array_equal(psnr.lines[0].get_xdata(), [1, 2])
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert figure._repr_png_()[:4] == b"\x89PNG"  # for a notebook


def test_refuses_what_is_no_history(tmp_path):
    """No fit, an empty history, another type, and an ending or folder that cannot be written have their errors."""
    with pytest.raises(NotFittedError):
        plot_history(Colorizer())
    with pytest.raises(InputError, match="at least one epoch"):
        plot_history({})
    with pytest.raises(InputTypeError, match="expected a trained Colorizer or its history_, got list"):
        plot_history([1, 2])
    with pytest.raises(InputError, match=r"curves\.doc: expected the ending of a format"):
        plot_history({"loss": [1]}, tmp_path / "curves.doc")
    with pytest.raises(FileError, match="there is no folder"):
        plot_history({"loss": [1]}, tmp_path / "none" / "curves.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_tensorboard_reads_what_is_written(batch, tmp_path):
    """TensorFlow reads the event file: the figures of each epoch, and L, colored and original side by side."""
    import tensorflow as tf
    from tensorflow.core.util.event_pb2 import Event

    colorizer = Colorizer(**QUICK).fit(batch, validation=batch[:2], tensorboard=tmp_path / "board")
    (path,) = (tmp_path / "board").iterdir()
    events = [Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]
    assert events[0].file_version == "brain.Event:2"
    assert [event.step for event in events[1:]] == [1, 2]
    values = {value.tag: value for value in events[2].summary.value}
    assert values["val_psnr"].simple_value == pytest.approx(colorizer.history_["val_psnr"][1], rel=1e-6)
    assert set(colorizer.history_) < set(values)
    image = values["L, colored, original/2"].image
    assert (image.height, image.width) == (32, 96)
    panels = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
    reduced = training_pictures(batch, 34, least=32, memory=1 << 20)[1]
    np.testing.assert_array_equal(panels[:, 64:], center_crop(reduced, 32))
    assert not np.ptp(panels[:, :32], axis=2).any()

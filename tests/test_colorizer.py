"""The estimator: scikit-learn's contract, training from every kind of input, and its parameters."""

import copy
import gc
import logging
import multiprocessing
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.validation import check_is_fitted

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


def test_contract_with_scikit_learn(batch):
    """get_params, set_params, clone, GridSearchCV and cross_val_score work on 4-D arrays."""
    colorizer = Colorizer(**QUICK)
    assert clone(colorizer).get_params() == colorizer.get_params()
    assert len(cross_val_score(Colorizer(**QUICK), batch, cv=2)) == 2
    search = GridSearchCV(Colorizer(**QUICK), {"learning_rate": [1e-3, 1e-4]}, cv=2).fit(batch)
    check_is_fitted(search.best_estimator_)
    with pytest.raises(ValueError, match="not fitted"):
        check_is_fitted(clone(search.best_estimator_))


def test_parameters_are_stored_unchecked_and_shown():
    """The constructor checks nothing; repr shows what differs from the defaults, in notebooks as a table."""
    colorizer = Colorizer("no such network", epochs=-3)
    assert colorizer.epochs == -3
    assert repr(colorizer) == "Colorizer(network='no such network', epochs=-3)"
    assert "not fitted" in colorizer._repr_html_()
    with pytest.raises(InputError, match="epoch: expected one of the parameters"):
        colorizer.set_params(epoch=3)


def test_fit_returns_itself_and_learns(batch):
    """fit returns self, keeps its history, and a few epochs lower the loss."""
    colorizer = Colorizer(**{**QUICK, "epochs": 15})
    assert colorizer.fit(batch) is colorizer
    losses = colorizer.history_["loss"]
    assert len(losses) == 15
    assert losses[-1] < losses[0]


def test_classifier_learns(batch):
    """The classifier trains, predicts, and comes back from its file the same."""
    colorizer = Colorizer("classifier", **{**QUICK, "epochs": 4}).fit(batch)
    assert colorizer.history_["loss"][-1] < colorizer.history_["loss"][0]
    again = pickle.loads(pickle.dumps(colorizer))
    np.testing.assert_array_equal(again.predict(batch[0]), colorizer.predict(batch[0]))


def test_the_same_seed_gives_the_same_network(batch):
    """Two fits with one random_state agree, and a third with another does not."""
    results = [Colorizer(**{**QUICK, "random_state": seed}).fit(batch).predict(batch[0]) for seed in (1, 1, 2)]
    assert np.abs(results[0].astype(int) - results[1]).max() <= 1
    assert not np.array_equal(results[0], results[2])


def test_a_fit_leaves_no_training_graph_behind(batch):
    """TensorFlow's graphs of a training, which hold its variables, are gone with it: memory stays flat over fits."""

    def graphs():
        Colorizer(**QUICK).fit(batch)
        gc.collect()
        return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())

    graphs()
    assert graphs() == graphs()


def test_refit_starts_afresh_unless_warm(batch):
    """A second fit forgets the first; with warm_start it goes on from it."""
    colorizer = Colorizer(**{**QUICK, "learning_rate": 1e-9})
    first = colorizer.fit(batch).network_.get_weights()[0]
    colorizer.set_params(random_state=5).fit(batch)
    assert not np.allclose(colorizer.network_.get_weights()[0], first)
    second = colorizer.network_.get_weights()[0]
    colorizer.set_params(warm_start=True, random_state=6).fit(batch)
    np.testing.assert_allclose(colorizer.network_.get_weights()[0], second, atol=1e-6)
    with pytest.raises(InputError, match="the trained network is 'reference'"):
        colorizer.set_params(network="classifier").fit(batch)


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


def test_callbacks_are_called(batch):
    """Keras callbacks go to fit."""
    import keras

    seen = []
    Colorizer(**QUICK).fit(
        batch, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: seen.append(e))]
    )
    assert seen == [0]


def test_score_is_psnr_and_wants_color(small, batch):
    """score is a finite number of decibels; a grey picture cannot be scored."""
    assert 5 < small.score(batch) < 60
    with pytest.raises(InputError, match="RGB"):
        small.score(np.zeros((20, 20)))


def test_copies_predict_the_same(small, batch):
    """Pickled, deep-copied, or sent to another process by spawn, a colorizer predicts the same."""
    expected = small.predict(batch[0])
    for twin in (pickle.loads(pickle.dumps(small)), copy.deepcopy(small)):
        assert twin.get_params() == small.get_params()
        np.testing.assert_array_equal(twin.predict(batch[0]), expected)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(small.predict, (batch[0],)), expected)
    assert pickle.loads(pickle.dumps(Colorizer(epochs=3))).epochs == 3

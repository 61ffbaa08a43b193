"""The estimator: scikit-learn's contract, its parameters, and its copies."""

import copy
import multiprocessing
import pickle

import numpy as np
import pytest
from sklearn import exceptions
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.validation import check_is_fitted

from labcolor import Colorizer, LabCodec
from labcolor.errors import InputError, NotFittedError

QUICK = {"epochs": 1, "crop_size": 32, "working_size": 32, "random_state": 0}


@pytest.mark.slow
def test_contract_with_scikit_learn(batch):
    """get_params, set_params, clone, GridSearchCV and cross_val_score work on 4-D arrays."""
    colorizer = Colorizer("tiny", **QUICK)
    assert clone(colorizer).get_params() == colorizer.get_params()
    assert len(cross_val_score(Colorizer("tiny", **QUICK), batch, cv=2)) == 2
    search = GridSearchCV(Colorizer("tiny", **QUICK), {"learning_rate": [1e-3, 1e-4]}, cv=2).fit(batch)
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


def test_score_is_psnr_and_wants_color(small, batch):
    """score is a finite number of decibels; a grey picture cannot be scored."""
    assert 5 < small.score(batch) < 60
    with pytest.raises(InputError, match="RGB"):
        small.score(np.zeros((20, 20)))


@pytest.mark.slow
def test_copies_predict_the_same(small, batch):
    """Pickled, deep-copied, or sent to another process by spawn, a colorizer predicts the same."""
    expected = small.predict(batch[0])
    for twin in (pickle.loads(pickle.dumps(small)), copy.deepcopy(small)):
        assert twin.get_params() == small.get_params()
        np.testing.assert_array_equal(twin.predict(batch[0]), expected)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(small.predict, (batch[0],)), expected)
    assert pickle.loads(pickle.dumps(Colorizer(epochs=3))).epochs == 3


class Titled(Colorizer):
    """A Colorizer with a parameter of its own."""

    def __init__(self, network="reference", *, title="untitled", **params):
        super().__init__(network, **params)
        self.title = title


def test_a_subclass_may_have_parameters_of_its_own():
    """scikit-learn clones it with all parameters, and its repr and its pickles know them."""
    titled = Titled(title="mine", epochs=3)
    assert clone(titled).get_params() == titled.get_params() == {**Colorizer(epochs=3).get_params(), "title": "mine"}
    assert repr(titled) == "Titled(epochs=3, title='mine')"
    assert pickle.loads(pickle.dumps(titled)).get_params() == titled.get_params()


def test_not_fitted_is_scikit_learns_too():
    """Where scikit-learn is loaded, its users can catch its own error; it goes through processes, too."""
    with pytest.raises(exceptions.NotFittedError, match="from_pretrained") as caught:
        Colorizer().predict(np.zeros((8, 8)))
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert isinstance(error, NotFittedError)
        assert isinstance(error, exceptions.NotFittedError)
        assert str(error) == str(caught.value)


def test_a_codec_of_ones_own(batch, tmp_path):
    """A training with another scale of ab keeps it, and so does its file."""
    codec = LabCodec(ab_scale=110)
    colorizer = Colorizer("tiny", codec=codec, **QUICK).fit(batch)
    colorizer.save(tmp_path / "m.labcolor")
    loaded = Colorizer.load(tmp_path / "m.labcolor")
    assert colorizer.codec_ == loaded.codec_ == loaded.codec == codec
    np.testing.assert_array_equal(loaded.predict(batch[0]), colorizer.predict(batch[0]))
    with pytest.raises(InputError, match="codec: expected None or a LabCodec"):
        Colorizer(codec="lab").check_params()

"""How a network learns to take hints."""

import copy

import numpy as np
import pytest

from labcolor import Colorizer
from labcolor.errors import InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def untaught(batch, tiny_classifier):
    """A small classifier that takes no hints."""
    return Colorizer(tiny_classifier, epochs=1, crop_size=32, working_size=32, batch_size=5, random_state=0).fit(batch)


@pytest.fixture
def hints(batch):
    """One hint, in the first picture."""
    hints = np.full((*batch.shape[:3], 2), np.nan)
    hints[0, 0, 0] = 1, 2
    return hints


def test_training_of_hints(untaught, batch, hints):
    """fit_hints makes a network take hints and leaves what it predicts without them."""
    before = untaught.predict(batch)
    with pytest.raises(InputError, match="cannot spread known colors"):
        untaught.predict(batch, hints=hints)
    taught = copy.deepcopy(untaught)
    assert taught.fit_hints(batch, steps=3) is taught
    assert len(taught.history_["loss"]) == 1
    np.testing.assert_array_equal(taught.predict(batch), before)
    assert taught.predict(batch, hints=hints).shape == batch.shape
    with pytest.raises(InputError, match="steps: expected"):
        taught.fit_hints(batch, steps=0)


def test_a_regression_learns_hints_too(small, batch, hints):
    """A network that gives ab itself can be taught them like a classifier."""
    taught = copy.deepcopy(small).set_params(crop_size=32).fit_hints(batch, steps=1)
    assert taught.predict(batch, hints=hints).shape == batch.shape


def test_training_goes_on_with_its_hints(untaught, batch):
    """A training that goes on from a network keeps how it spreads hints; one with new weights does not."""
    taught = copy.deepcopy(untaught).fit_hints(batch, steps=1)
    kept = taught.model_.hints
    for new, old in zip(taught.partial_fit(batch).model_.hints, kept, strict=True):
        np.testing.assert_array_equal(new, old)
    assert taught.fit(batch).model_.hints == ()

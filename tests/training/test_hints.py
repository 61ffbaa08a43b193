"""How a classifier learns to take hints."""

import numpy as np
import pytest

from labcolor import Colorizer
from labcolor.errors import InputError


@pytest.mark.slow
def test_training_of_hints(batch, small):
    """fit_hints makes a classifier take hints and leaves what it predicts; a regression is refused.

    A fit that goes on from it keeps them; one that starts afresh does not.
    """
    colorizer = Colorizer("classifier", epochs=1, crop_size=32, working_size=32, batch_size=5, random_state=0)
    colorizer.fit(batch)
    before = colorizer.predict(batch)
    hints = np.full((*batch.shape[:3], 2), np.nan)
    hints[0, 0, 0] = 1, 2
    with pytest.raises(InputError, match="takes none"):
        colorizer.predict(batch, hints=hints)
    assert colorizer.fit_hints(batch, steps=3) is colorizer
    assert len(colorizer.history_["loss"]) == 1
    np.testing.assert_array_equal(colorizer.predict(batch), before)
    assert colorizer.predict(batch, hints=hints).shape == batch.shape
    with pytest.raises(InputError, match="expected a classifier"):
        small.fit_hints(batch)
    with pytest.raises(InputError, match="steps: expected"):
        colorizer.fit_hints(batch, steps=0)
    kept = colorizer.model_.hints
    colorizer.set_params(warm_start=True).fit(batch)
    assert all(np.array_equal(new, old) for new, old in zip(colorizer.model_.hints, kept, strict=True))
    assert colorizer.predict(batch, hints=hints).shape == batch.shape
    assert colorizer.set_params(warm_start=False).fit(batch).model_.hints == ()

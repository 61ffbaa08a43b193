"""The classifier's network."""

import numpy as np

from labcolor.networks import ab_bins, build_classifier


def test_classifier_keeps_within_its_budget():
    """The stronger network holds at most 8 million parameters (16 MB in float16) and gives scores at a quarter."""
    network = build_classifier()
    assert network.count_params() < 8_000_000
    output = network.predict_on_batch(np.zeros((1, 64, 96, 1), np.float32))
    assert output.shape == (1, 16, 24, len(ab_bins()))

"""Training: data, the training of a network, the training of the hint spreader, and seeds."""

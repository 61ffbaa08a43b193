"""Training of networks and of the hint spreader, their data, and checkpoints."""

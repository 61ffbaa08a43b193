"""Prediction: the engine that runs a network, and the pipeline from pictures to colored pictures."""

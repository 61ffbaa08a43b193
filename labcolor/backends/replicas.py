"""Replicas of TensorFlow's strategy: how many devices train, and the part of a batch that each gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from labcolor.base.typing import Array

__all__ = ["count_replicas", "shared_out"]


def count_replicas() -> int:
    """Return the number of devices on which Keras trains at the same time."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def shared_out(batch: Any) -> Any:
    """Distribute arrays over the devices of TensorFlow's strategy.

    Keras's ``train_on_batch`` would give the whole batch to each device.
    """
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()

    def shared(array: Array) -> Any:
        parts = np.split(array, strategy.num_replicas_in_sync)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    return tf.nest.map_structure(shared, batch)

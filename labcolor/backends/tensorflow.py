"""TensorFlow: its import without messages, its threads, replicas and forks, and functions compiled from networks."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from labcolor.base.stderr import closed_stderr
from labcolor.base.threads import get_threads
from labcolor.base.typing import Array
from labcolor.errors import InputError, LabcolorError, OutOfMemoryError

if TYPE_CHECKING:
    import keras


_forked = False


def _note_fork() -> None:
    global _forked
    _forked = _forked or "tensorflow" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def forked() -> bool:
    """Return whether this process was forked from a process with TensorFlow."""
    return _forked


def check_process() -> None:
    """Raise a LabcolorError in a forked process, in which TensorFlow would hang."""
    if forked():
        raise LabcolorError(
            "TensorFlow does not survive a fork, and this process was forked from a process that had imported it. "
            'Start workers with multiprocessing.get_context("spawn"), or with joblib.'
        )


def compiled(network: keras.Model) -> Callable[[Array], list[Array]]:
    """Compile a network to one function of (N, h, w, 1) of every size.

    On a CPU, TensorFlow's oneDNN caches data for each input size, so the memory of a process grows with the number of
    shapes. ``TF_ENABLE_ONEDNN_OPTS=0``, set before TensorFlow is imported, avoids about half of that.

    Raises
    ------
    OutOfMemoryError
        The function raises it if a batch does not fit in memory.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return lambda batch: [np.asarray(output) for output in keras.tree.flatten(network.predict_on_batch(batch))]
    import tensorflow as tf

    run = tf.function(
        lambda batch: keras.tree.flatten(network(batch, training=False)),
        input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32)],
        autograph=False,
    ).get_concrete_function()

    def checked(batch: Array) -> list[Array]:
        try:
            return [np.asarray(output) for output in run(tf.constant(batch))]
        except tf.errors.ResourceExhaustedError as error:
            raise OutOfMemoryError(
                f"the network ran out of memory on a batch of shape {batch.shape}. Lower working_size."
            ) from error

    return checked


def build_outline(build: Callable[[], keras.Model], most: int) -> keras.Model:
    """Build a network of which only the shapes are meaningful: TensorFlow allocates no memory for its weights.

    Parameters
    ----------
    build : callable
        Function that builds the network, possibly with untrusted sizes.
    most : int
        Largest number of weights. A network with more weights raises an InputError.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return build()
    import tensorflow as tf

    made = itertools.count(1)

    def counted(make: Callable[..., Any], **options: Any) -> Any:
        if next(made) > most:
            raise InputError(f"expected a network of at most {most} weights, got more.")
        return make(**options)

    with tf.Graph().as_default(), tf.variable_creator_scope(counted):
        return build()


def limit_threads() -> None:
    """Set TensorFlow's number of threads, unless it is set already or TensorFlow has started."""
    import tensorflow as tf

    with suppress(RuntimeError):  # TensorFlow has started
        if not tf.config.threading.get_intra_op_parallelism_threads():
            tf.config.threading.set_intra_op_parallelism_threads(get_threads())


def count_replicas() -> int:
    """Return the number of devices on which TensorFlow trains at the same time."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def shared_out(batch: Any) -> Any:
    """Distribute arrays over the devices, because Keras's ``train_on_batch`` passes the whole batch to each device."""
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()

    def shared(array: Array) -> Any:
        parts = np.split(array, strategy.num_replicas_in_sync)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    return tf.nest.map_structure(shared, batch)


_devices_found = False


@contextmanager
def quietly(*, devices: bool = False) -> Iterator[None]:
    """Close standard error while TensorFlow prints messages that no setting suppresses.

    It prints them when it is imported, and with ``devices`` when it first searches for devices. Later calls do nothing.
    """
    global _devices_found
    done = _devices_found if devices else "tensorflow" in sys.modules
    if done:
        yield
        return
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3" if level is None else level
    try:
        with closed_stderr():
            yield
        _devices_found = _devices_found or devices
    finally:
        if level is None:
            os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)  # another thread may have removed it

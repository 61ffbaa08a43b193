"""The engine that runs a trained network: the one module that knows TensorFlow."""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from labcolor._typing import Array
from labcolor.errors import InputError, LabcolorError, OutOfMemoryError

if TYPE_CHECKING:
    import keras

__all__ = ["Engine", "build_outline", "check_process", "count_replicas", "forked", "last_convolution", "quietly"]

_HOME = os.getpid()  # the process that loaded TensorFlow
Run = Callable[[Array], list[Array]]


class Engine:
    """Runs one trained network, for pictures of every size, from several threads.

    On a CPU TensorFlow's oneDNN keeps what it has prepared for each size of input, the last 1,024 layers and sizes of a
    thread. A process that colors pictures of many shapes therefore grows in its first thousand calls, by some 170 MiB
    for plain predictions and twice that with hints, and then no more. ``TF_ENABLE_ONEDNN_OPTS=0``, set before
    TensorFlow is loaded, avoids about half of it.

    Parameters
    ----------
    network : keras.Model
        From scaled L, (N, H, W, 1), to what its head decodes.
    """

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._outputs: Run | None = None
        self._outputs_and_features: Run | None = None

    def run(self, batch: Array) -> Array:
        """Run the network.

        Parameters
        ----------
        batch : ndarray, shape (N, H, W, 1), float32
            Scaled L; H and W are multiples of what the architecture asks for.

        Returns
        -------
        ndarray, shape (N, h, w, C), float32
            The network's output, which its head decodes.

        Raises
        ------
        OutOfMemoryError
            It did not fit in memory.
        """
        with self._lock:
            if self._outputs is None:
                self._outputs = _compiled(self._network)
        return self._outputs(batch)[0]

    def run_with_features(self, batch: Array) -> tuple[Array, Array]:
        """Run the network, and return the features that its last convolution gets, too.

        Parameters
        ----------
        batch : ndarray, shape (N, H, W, 1), float32
            As for :meth:`run`.

        Returns
        -------
        outputs : ndarray, shape (N, h, w, C), float32
        features : ndarray, shape (N, h, w, F), float32

        Raises
        ------
        InputError
            The network has no convolution.
        OutOfMemoryError
            It did not fit in memory.
        """
        with self._lock:
            if self._outputs_and_features is None:
                import keras

                features = last_convolution(self._network).input
                self._outputs_and_features = _compiled(
                    keras.Model(self._network.inputs, [self._network.output, features])
                )
            run = self._outputs_and_features
        outputs, features = run(batch)
        return outputs, features


def last_convolution(network: keras.Model) -> keras.layers.Conv2D:
    """Return the last convolution of a network, whose input are the features by which hints spread.

    Raises
    ------
    InputError
        There is none.
    """
    import keras

    for layer in reversed(network.layers):
        if isinstance(layer, keras.layers.Conv2D):
            return layer
    raise InputError(f"hints: expected a network with a Conv2D at its end, got none in {network.name!r}.")


def _compiled(network: keras.Model) -> Run:
    """Make one function from (N, h, w, 1) to the network's outputs, for every N, h and w without compiling anew."""
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
    """Build a network that tells only shapes: where the backend allows that, no memory is taken for its weights.

    Parameters
    ----------
    build : callable
        Builds the network, of sizes that nobody has checked.
    most : int
        Number of weights at which to stop.

    Returns
    -------
    keras.Model
        Of no use but for its shapes.

    Raises
    ------
    InputError
        The network has more weights.
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


def forked() -> bool:
    """Return whether this process was forked from the one that loaded TensorFlow."""
    return os.getpid() != _HOME


def check_process() -> None:
    """Raise a LabcolorError, rather than hang, where TensorFlow cannot run."""
    if forked():
        raise LabcolorError(
            "TensorFlow does not survive a fork, and this process was forked from one that had loaded it. Start "
            'workers with multiprocessing.get_context("spawn"), or with joblib.'
        )


def count_replicas() -> int:
    """Return on how many devices Keras trains at the same time."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


_devices_found = False


@contextmanager
def quietly(*, devices: bool = False) -> Iterator[None]:
    """Close the process's standard error while TensorFlow greets, which no setting of its own prevents.

    It greets twice: when it is imported, and when it looks for devices. Once that lies behind, nothing is closed.

    Parameters
    ----------
    devices : bool
        Whether devices are looked for; otherwise TensorFlow is imported.
    """
    global _devices_found
    done = _devices_found if devices else "tensorflow" in sys.modules
    if done or sys.stderr is None:
        yield
        return
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3" if level is None else level
    try:
        with _closed_stderr():
            yield
        _devices_found = _devices_found or devices
    finally:
        if level is None:
            del os.environ["TF_CPP_MIN_LOG_LEVEL"]


@contextmanager
def _closed_stderr() -> Iterator[None]:
    """Send what C++ writes to standard error nowhere; what Python writes there arrives."""
    python = sys.stderr
    with suppress(AttributeError, OSError, ValueError):
        python.flush()
    try:
        kept = os.dup(2)
    except OSError:  # it is closed already
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        with os.fdopen(kept, "w", buffering=1, errors="backslashreplace", closefd=False) as direct:
            if _writes_to_2(python):
                sys.stderr = direct
            os.dup2(nowhere, 2)
            try:
                yield
            finally:
                if sys.stderr is direct:
                    sys.stderr = python
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _writes_to_2(stream: Any) -> bool:
    """Return whether a stream is the process's standard error; those of notebooks have no number, or no method."""
    try:
        return bool(stream.fileno() == 2)
    except (AttributeError, OSError, ValueError):
        return False

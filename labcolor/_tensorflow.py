"""TensorFlow, in the one module that knows it: its greetings, its devices, its functions, and forked processes."""

from __future__ import annotations

import csv
import io
import itertools
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from labcolor._threads import get_threads
from labcolor._typing import Array
from labcolor.errors import InputError, LabcolorError, OutOfMemoryError

if TYPE_CHECKING:
    import keras

__all__ = [
    "build_outline",
    "check_process",
    "compiled",
    "convert_to_tflite",
    "count_replicas",
    "forked",
    "limit_threads",
    "quietly",
    "shared_out",
]

_forked = False


def _note_fork() -> None:
    global _forked
    _forked = _forked or "tensorflow" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def compiled(network: keras.Model) -> Callable[[Array], list[Array]]:
    """Make one function from (N, h, w, 1) to the network's outputs, for every N, h and w without compiling anew.

    On a CPU TensorFlow's oneDNN keeps what it has prepared for each size of input. A process that colors pictures of
    many shapes grows by it; ``TF_ENABLE_ONEDNN_OPTS=0``, set before TensorFlow is loaded, avoids about half of it.

    Raises
    ------
    OutOfMemoryError
        The function raises it where a batch did not fit in memory.
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


def convert_to_tflite(network: keras.Model, calibration: Sequence[Array], in_float: int) -> bytes:
    """Convert a network to LiteRT's form.

    Parameters
    ----------
    network : keras.Model
        The network.
    calibration : sequence of ndarray
        Inputs whose values set the ranges of int8; empty for float32.
    in_float : int
        How many convolutions, the first ones, stay in float32 when the rest is in int8. Without a rest none does.

    Returns
    -------
    bytes

    Raises
    ------
    LabcolorError
        TensorFlow is not installed, or cannot convert the network.
    """
    try:
        import keras
        import tensorflow as tf

        class Enlarge(keras.layers.UpSampling2D):  # type: ignore[misc]
            """Upsampling after which the number of channels is still known, without which there is no convolution."""

            def call(self, x: Any) -> Any:
                height, width = tf.unstack(tf.shape(x)[1:3])
                return tf.image.resize(x, (height * self.size[0], width * self.size[1]), "nearest")

        def cloned(layer: Any) -> Any:
            kind = Enlarge if isinstance(layer, keras.layers.UpSampling2D) else type(layer)
            return kind.from_config(layer.get_config())

        same = keras.models.clone_model(network, clone_function=cloned)
        same.set_weights(network.get_weights())
        signature = [tf.TensorSpec((None, None, None, 1), tf.float32, name="l")]
        function = tf.function(lambda batch: same(batch, training=False), input_signature=signature, autograph=False)
        with _silent_converter():
            # from_keras_model needs parts of TensorFlow's own, older Keras
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
            if not calibration:
                return bytes(converter.convert())
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([picture] for picture in calibration)
            lite = tf.lite.experimental  # nothing else of it keeps chosen operations in float32
            debugger = lite.QuantizationDebugger(converter=converter, debug_dataset=lambda: [[calibration[0]]])
            debugger.run()
            debugger.layer_statistics_dump(statistics := io.StringIO())
            operations = csv.DictReader(io.StringIO(statistics.getvalue()))
            names = [row["tensor_name"] for row in operations if row["op_name"].endswith("CONV_2D")]  # as they run
            if in_float < len(names):  # or nothing is left to quantize, which the debugger takes for a mistake
                debugger.options = lite.QuantizationDebugOptions(denylisted_nodes=names[:in_float])
            return bytes(debugger.get_nondebug_quantized_model())
    except Exception as error:  # of many kinds, that of its converter among them
        reason = f"{type(error).__name__}: {str(error)[:200]}"  # the converter's has the whole network
        raise LabcolorError(f"TensorFlow cannot convert this network: {reason}") from error


@contextmanager
def _silent_converter() -> Iterator[None]:
    """Keep the converter from telling of each of its steps, which it does in four ways."""
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with _closed_stderr(), redirect_stdout(None), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def forked() -> bool:
    """Return whether this process was forked from one that had loaded TensorFlow."""
    return _forked


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


def shared_out(batch: Any) -> Any:
    """Return a nested tuple of arrays so that each device of TensorFlow's strategy gets its part.

    Keras's ``train_on_batch`` would give the whole batch to each.
    """
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()

    def shared(array: Array) -> Any:
        parts = np.split(array, strategy.num_replicas_in_sync)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    return tf.nest.map_structure(shared, batch)


def limit_threads() -> None:
    """Tell TensorFlow how many threads to use, which it asks once, unless somebody has told it."""
    import tensorflow as tf

    with suppress(RuntimeError):  # it has begun already
        if not tf.config.threading.get_intra_op_parallelism_threads():
            tf.config.threading.set_intra_op_parallelism_threads(get_threads())


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
    if done:
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
    if python is None:  # it is closed already
        yield
        return
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

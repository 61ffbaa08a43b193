"""Conversion of a network to LiteRT by TensorFlow."""

from __future__ import annotations

import csv
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

from labcolor.base.stderr import closed_stderr
from labcolor.base.typing import Array
from labcolor.errors import LabcolorError

if TYPE_CHECKING:
    import keras


def convert_to_tflite(network: keras.Model, calibration: Sequence[Array], in_float: int) -> bytes:
    """Convert a network to LiteRT.

    Parameters
    ----------
    network : keras.Model
        The network.
    calibration : sequence of ndarray
        Inputs from which the ranges of int8 are derived. Empty for float32.
    in_float : int
        Number of first convolutions that stay in float32 when the others are quantized to int8.

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
            """Upsampling that keeps the number of channels known, as convolutions require."""

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
            # from_keras_model would need parts of TensorFlow's own, older Keras
            converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
            if not calibration:
                return bytes(converter.convert())
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([picture] for picture in calibration)
            lite = tf.lite.experimental  # only its class keeps selected operations in float32
            debugger = lite.QuantizationDebugger(converter=converter, debug_dataset=lambda: [[calibration[0]]])
            debugger.run()
            debugger.layer_statistics_dump(statistics := io.StringIO())
            operations = csv.DictReader(io.StringIO(statistics.getvalue()))
            names = [row["tensor_name"] for row in operations if row["op_name"].endswith("CONV_2D")]  # in order
            if in_float < len(names):  # the debugger requires that something is quantized
                debugger.options = lite.QuantizationDebugOptions(denylisted_nodes=names[:in_float])
            return bytes(debugger.get_nondebug_quantized_model())
    except Exception as error:  # the converter raises errors of many kinds
        reason = f"{type(error).__name__}: {str(error)[:200]}"  # the converter's message contains the whole network
        raise LabcolorError(f"TensorFlow cannot convert this network: {reason}") from error


@contextmanager
def _silent_converter() -> Iterator[None]:
    """Silence the four ways in which the converter reports its steps."""
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with closed_stderr(), redirect_stdout(None), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)

"""Several devices, and several processes: they learn what one device learns from the same batches."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

# What the scripts have in common: a training, of which they print the weights' digest and the losses.
FIT = """
import hashlib, os, signal
import keras, numpy as np
from keras import layers
from skimage import data
from labcolor import Colorizer
from labcolor.errors import LabcolorError
from labcolor.networks import Architecture, RegressionHead

def build(seed, dtype):  # it normalizes, and the loss of its head is one number
    inputs = keras.Input((None, None, 1))
    start = keras.initializers.GlorotUniform(seed)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", kernel_initializer=start)(inputs)
    outputs = layers.Conv2D(2, 1, kernel_initializer=start)(layers.BatchNormalization()(x))
    return keras.Model(inputs, outputs)

small = Architecture("small", build, RegressionHead(stride=2))
pictures = np.stack([data.astronaut()[y : y + 64, x : x + 64] for y in range(0, 256, 64) for x in (100, 200)])
options = {"crop_size": 32, "working_size": 32, "epochs": 3, "optimizer": "sgd", "learning_rate": 0.1}

def fit(seed=0, verbose=0, batch_size=4, **more):
    colorizer = Colorizer(small, random_state=seed, verbose=verbose, batch_size=batch_size, **options)
    colorizer.fit(pictures, validation=pictures[:3], **more)
    weights = hashlib.sha256(b"".join(weight.tobytes() for weight in colorizer.model_.weights)).hexdigest()
    print(weights, *colorizer.history_["loss"], *colorizer.history_["val_loss"])
"""

MIRRORED = """
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
fit()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    fit()
    try:
        fit(batch_size=3)
    except LabcolorError as error:
        print(error)
"""

PARALLEL = """
fit()
keras.distribution.set_distribution(keras.distribution.DataParallel())
fit()
"""

PROCESSES = """
import jax

keras.distribution.initialize()
keras.distribution.set_distribution(keras.distribution.DataParallel())
for _ in range(2):
    fit(verbose=2, checkpoint="a.checkpoint")
process = jax.process_index()
interrupt = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: process and os.kill(os.getpid(), signal.SIGINT))
fit(callbacks=[interrupt])
try:
    fit(seed=process)
except LabcolorError as error:
    print(error)
"""


def start(script, folder, **environment):
    """Start a script with a training in it."""
    environment = {**os.environ, "LABCOLOR_NUM_THREADS": "1", **environment}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", FIT + script], cwd=folder, env=environment, **pipes)


def finished(process):
    """Return the lines that a script has printed, and what it wrote to standard error."""
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output.splitlines(), errors


def numbers(line):
    return [float(value) for value in line.split()[1:]]


@pytest.mark.slow
def test_tensorflow_on_two_devices(tmp_path):
    """Two devices share each batch, normalize all of it, and learn what one learns; tf.keras may be the old one."""
    (one, two, error), _ = finished(start(MIRRORED, tmp_path, TF_USE_LEGACY_KERAS="1"))
    np.testing.assert_allclose(numbers(two), numbers(one), rtol=1e-4)
    assert error.startswith("batch_size: expected a multiple of 2, the number of devices, got 3.")


@pytest.mark.slow
def test_jax_on_two_devices_and_in_two_processes(tmp_path):
    """With JAX two devices, and two processes, learn what one device learns; one process writes and prints for both."""
    pytest.importorskip("jax")
    devices = start(PARALLEL, tmp_path, KERAS_BACKEND="jax", XLA_FLAGS="--xla_force_host_platform_device_count=2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    common = {"KERAS_DISTRIBUTION_JOB_ADDRESSES": address, "KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}
    processes = [
        start(PROCESSES, tmp_path, KERAS_BACKEND="jax", KERAS_DISTRIBUTION_PROCESS_ID=str(number), **common)
        for number in range(2)
    ]
    (one, two), _ = finished(devices)
    np.testing.assert_allclose(numbers(two), numbers(one), rtol=1e-4)
    (first, first_errors), (second, second_errors) = map(finished, processes)
    assert first[1:] == second[1:]  # weights and losses, after a greeting of JAX
    _, fitted, resumed, interrupted, error = second
    assert fitted == resumed
    assert len(numbers(interrupted)) == 2  # losses of one epoch
    np.testing.assert_allclose(numbers(fitted), numbers(one), rtol=1e-4)
    assert error.startswith("expected the same training in all processes")
    assert "epoch 3/3" in first_errors
    assert "epoch" not in second_errors

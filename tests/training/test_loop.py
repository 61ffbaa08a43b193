"""Training: it learns, the same for the same seed, and leaves nothing behind."""

import gc
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from labcolor import Colorizer

QUICK = {"epochs": 1, "crop_size": 32, "working_size": 32, "random_state": 0}


@pytest.mark.slow
def test_fit_returns_itself_and_learns(batch):
    """fit returns self, keeps its history, and a few epochs lower the loss."""
    colorizer = Colorizer(**{**QUICK, "epochs": 15})
    assert colorizer.fit(batch) is colorizer
    losses = colorizer.history_["loss"]
    assert len(losses) == 15
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_classifier_learns(batch, tiny_classifier):
    """The classifier trains, predicts, and comes back from its file the same."""
    colorizer = Colorizer(tiny_classifier, **{**QUICK, "epochs": 4}).fit(batch)
    assert colorizer.history_["loss"][-1] < colorizer.history_["loss"][0]
    again = pickle.loads(pickle.dumps(colorizer))
    np.testing.assert_array_equal(again.predict(batch[0]), colorizer.predict(batch[0]))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_network(batch):
    """Two fits with one random_state agree, and a third with another does not."""
    results = [Colorizer("tiny", **{**QUICK, "random_state": seed}).fit(batch).predict(batch[0]) for seed in (1, 1, 2)]
    assert np.abs(results[0].astype(int) - results[1]).max() <= 1
    assert not np.array_equal(results[0], results[2])


@pytest.mark.slow
def test_a_fit_leaves_no_training_graph_behind(batch):
    """TensorFlow's graphs of a training, which hold its variables, are gone with it: memory stays flat over fits."""

    def graphs():
        Colorizer("tiny", **QUICK).fit(batch)
        gc.collect()
        return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())

    graphs()
    assert graphs() == graphs()


@pytest.mark.slow
def test_refit_starts_afresh(batch):
    """A second fit forgets the first."""
    colorizer = Colorizer("tiny", **{**QUICK, "learning_rate": 1e-9})
    first = colorizer.fit(batch).network_.get_weights()[0]
    colorizer.set_params(random_state=5).fit(batch)
    assert not np.allclose(colorizer.network_.get_weights()[0], first)


@pytest.mark.slow
def test_small_fits_are_quick_and_quiet(batch):
    """A second fit of a few crops costs a second or two, and TensorFlow does not warn of retracing."""
    code = (
        "import numpy as np, time\n"
        "from skimage import data\n"
        "from labcolor import Colorizer\n"
        "batch = np.stack([data.astronaut()[y : y + 64, 100:164] for y in (0, 64, 128, 192, 256)])\n"
        "for batch_size in (2, 3, 4, 5, 32, 2):\n"
        "    started = time.process_time()\n"
        "    Colorizer(epochs=2, crop_size=32, batch_size=batch_size).fit(batch)\n"
        "print(time.process_time() - started)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "retracing" not in result.stderr
    assert float(result.stdout) < 8


def test_callbacks_are_called(batch):
    """Keras callbacks go to fit."""
    import keras

    seen = []
    Colorizer("tiny", **QUICK).fit(
        batch, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: seen.append(e))]
    )
    assert seen == [0]


REPLICAS = """
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from labcolor.training.loop import Training, make_optimizer
random = np.random.default_rng(0)
batch = random.normal(size=(8, 4)), random.normal(size=(8, 3))
for devices in (["CPU:0"], ["CPU:0", "CPU:1"]):
    with tf.distribute.MirroredStrategy(devices).scope():
        layer = keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(0))
        network = keras.Sequential([keras.Input((4,)), layer])
        options = {"steps_per_epoch": 3, "epochs": 2, "batch_size": 8}
        optimizer = make_optimizer("adam", 0.1, steps=6, constant=False, shares=(1.0, 0.5))
        training = Training(network, "mean_squared_error", optimizer, **options)
        training.run(lambda first: (batch for _ in range(40)))
    print(*np.concatenate([weight.ravel() for weight in network.get_weights()]).tolist())
"""


@pytest.mark.slow
def test_gradients_of_several_replicas_are_summed():
    """Two devices that share each batch learn what one device learns from it."""
    output = subprocess.run([sys.executable, "-c", REPLICAS], check=True, capture_output=True, text=True).stdout
    one, two = ([float(value) for value in line.split()] for line in output.splitlines())
    np.testing.assert_allclose(two, one, atol=1e-5)


JAX = """
import numpy as np
from skimage import data
from labcolor import Colorizer
batch = np.stack([data.astronaut()[y : y + 64, 100:164] for y in (0, 64, 128)])
colorizer = Colorizer.from_pretrained().set_params(epochs=2, crop_size=32, batch_size=2, random_state=0)
colorizer.fit(batch, validation=batch[:1])
print(*colorizer.history_["loss"])
"""


@pytest.mark.slow
def test_trains_with_jax():
    """The loop is pure Keras: with JAX it trains the same network to nearly the same losses."""
    pytest.importorskip("jax")
    losses = []
    for backend in ("tensorflow", "jax"):
        environment = {**os.environ, "KERAS_BACKEND": backend}
        command = [sys.executable, "-c", JAX]
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        losses.append([float(value) for value in output.split()])
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)

"""Checkpoints: a training that is interrupted, at any moment and in any way, goes on to the same weights."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from labcolor import Colorizer, write_picture
from labcolor.errors import ModelFileError
from labcolor.networks import get_architecture

QUICK = {"epochs": 3, "crop_size": 32, "working_size": 32, "batch_size": 2, "random_state": 0}


def stop_after(step):
    """A callback that does what Ctrl-C does, once, while a step runs."""
    import keras

    class Stop(keras.callbacks.Callback):
        left = step

        def on_train_batch_begin(self, batch, logs=None):
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)

    return Stop()


def same(one, other):
    """Whether two colorizers have equal weights and histories."""
    equal = all(map(np.array_equal, one.model_.weights, other.model_.weights))
    return equal and one.history_ == other.history_


@pytest.mark.slow
@pytest.mark.parametrize("validation", [None, 0.4])
def test_ctrl_c_ends_after_the_step_and_the_same_call_goes_on(batch, tmp_path, validation):
    """An interrupted fit returns a usable model; the same call then gives what one without interruption gives."""
    whole = Colorizer("tiny", **QUICK).fit(batch, validation=validation)
    options = {"validation": validation, "checkpoint": tmp_path / "fit.checkpoint"}
    steps = whole.model_.training["steps"]
    for step in (1, 2, 2):
        colorizer = Colorizer("tiny", **QUICK).fit(batch, callbacks=[stop_after(step)], **options)
        if colorizer.model_.training["ending"] == "complete":
            break
        assert colorizer.model_.training["ending"] == "interrupted"
        assert colorizer.predict(batch).shape == batch.shape
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    colorizer = Colorizer("tiny", **QUICK).fit(batch, **options)
    assert colorizer.model_.training["steps"] == steps
    assert same(colorizer, whole)
    again = Colorizer("tiny", **QUICK).fit(batch, callbacks=[stop_after(1)], **options)  # no step is left
    assert same(again, whole)


@pytest.mark.slow
def test_a_seed_that_was_drawn_is_kept(batch, tmp_path):
    """Without random_state, a resumed training goes on with the seed of its checkpoint."""
    params, path = {**QUICK, "random_state": None}, tmp_path / "fit.checkpoint"
    first = Colorizer("tiny", **params).fit(batch, checkpoint=path, callbacks=[stop_after(2)])
    second = Colorizer("tiny", **params).fit(batch, checkpoint=path)
    assert second.model_.training["seed"] == first.model_.training["seed"]
    assert same(second, Colorizer("tiny", **{**QUICK, "random_state": second.model_.training["seed"]}).fit(batch))


OTHERS = {
    "network": lambda batch: (Colorizer(get_architecture("tiny").with_options(size=5), **QUICK), batch),
    "epochs": lambda batch: (Colorizer("tiny", **{**QUICK, "epochs": 4}), batch),
    "random_state": lambda batch: (Colorizer("tiny", **{**QUICK, "random_state": 1}), batch),
    "pictures": lambda batch: (Colorizer("tiny", **QUICK), batch[::-1]),
    "film_aging": lambda batch: (Colorizer("tiny", **QUICK, film_aging=0.5), batch),
    "optimizer": lambda batch: (Colorizer("tiny", **QUICK, optimizer="sgd"), batch),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_training_is_refused(batch, tmp_path, name):
    """Another network, data, seed or parameter is one error, which names what differs and the remedy."""
    path = tmp_path / "fit.checkpoint"
    Colorizer("tiny", **QUICK).fit(batch, checkpoint=path, callbacks=[stop_after(1)])
    before = path.read_bytes()
    colorizer, pictures = OTHERS[name](batch)
    says = "differ" if name == "pictures" else "is .*, not .*"
    with pytest.raises(
        ModelFileError, match=rf"another training: its {name} {says}\. .*delete this one to start again"
    ):
        colorizer.fit(pictures, checkpoint=path)
    assert path.read_bytes() == before


def test_a_checkpoint_of_another_version_is_refused(batch, tmp_path):
    """The version of labcolor is part of a checkpoint, and nothing in it is pickled."""
    path = tmp_path / "fit.checkpoint"
    Colorizer("tiny", **QUICK).fit(batch, checkpoint=path, callbacks=[stop_after(1)])
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(bytes(arrays["about"]))
    about["about"]["labcolor"] = "0.0.1"
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(ModelFileError, match=r"its labcolor is '0\.0\.1', not"):
        Colorizer("tiny", **QUICK).fit(batch, checkpoint=path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", pickle.dumps(["anything"]), b"\x93NUMPY", b"text"])
def test_what_is_no_checkpoint_is_refused(batch, tmp_path, content):
    """A damaged or a foreign file is one error, and stays as it is."""
    path = tmp_path / "fit.checkpoint"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="expected a checkpoint of labcolor, got another file or a damaged one"):
        Colorizer("tiny", **QUICK).fit(batch, checkpoint=path)
    assert path.read_bytes() == content


def test_a_model_is_no_checkpoint_nor_the_other_way_round(batch, tmp_path):
    """A checkpoint cannot be loaded as a model, nor does a training overwrite a model with its checkpoint."""
    path, model = tmp_path / "fit.checkpoint", tmp_path / "m.labcolor"
    Colorizer("tiny", **QUICK).fit(batch, checkpoint=path).save(model)
    before = model.read_bytes()
    with pytest.raises(ModelFileError, match="expected a labcolor model"):
        Colorizer.load(path)
    with pytest.raises(ModelFileError, match="expected a checkpoint"):
        Colorizer("tiny", **QUICK).fit(batch, checkpoint=model)
    assert model.read_bytes() == before


@pytest.mark.slow
def test_a_full_disk_during_a_checkpoint(batch, tmp_path, monkeypatch, caplog):
    """At the beginning it is an error; later a warning, with the last checkpoint whole and the training going on."""
    path = tmp_path / "fit.checkpoint"
    calls = []
    write = np.savez

    def full(file, **arrays):
        calls.append(file)
        file.write(b"half of it")
        if len(calls) != 2:
            raise OSError(28, "No space left on device")
        file.seek(0)
        write(file, **arrays)

    monkeypatch.setattr("labcolor.training.checkpoint.np.savez", full)
    with pytest.raises(ModelFileError, match=r"the checkpoint cannot be written: No space left on device\. Free disk"):
        Colorizer("tiny", **QUICK).fit(batch, checkpoint=path)
    assert list(tmp_path.iterdir()) == []
    colorizer = Colorizer("tiny", **QUICK).fit(batch, checkpoint=path, checkpoint_minutes=0)
    assert colorizer.model_.training["ending"] == "complete"
    assert "No space left" in caplog.text
    assert list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    assert same(Colorizer("tiny", **QUICK).fit(batch, checkpoint=path), colorizer)


KILLED = """
import sys, time
from labcolor import Colorizer
from labcolor.networks import get_architecture
import keras
folder, path, model = sys.argv[1:]
tiny = get_architecture("reference").with_options(encoder=(8, 8, 8), decoder=(8, 8))
def slow(batch, logs):
    print("a step is done", flush=True)
    time.sleep(0.02)

colorizer = Colorizer(tiny, epochs=20, crop_size=32, working_size=32, batch_size=2, random_state=0)
options = {"validation": 0.4, "checkpoint_minutes": 0.001}
options["callbacks"] = [keras.callbacks.LambdaCallback(on_train_batch_end=slow)]
colorizer.fit(folder, checkpoint=path or None, **options).save(model)
"""


@pytest.mark.slow
def test_eight_kills(batch, tmp_path):
    """A process that is killed eight times, at any moment, ends with the model of one that was not."""
    folder, path = tmp_path / "photos", tmp_path / "fit.checkpoint"
    folder.mkdir()
    for index, picture in enumerate(batch):
        write_picture(folder / f"{index}.png", picture)
    command = [sys.executable, "-c", KILLED, str(folder)]
    subprocess.run([*command, "", str(tmp_path / "whole.labcolor")], check=True, capture_output=True)
    random, kills = np.random.default_rng(0), 0
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    while True:
        killed = [*command, str(path), str(tmp_path / "killed.labcolor")]
        with subprocess.Popen(killed, stdout=subprocess.PIPE, env=environment) as process:
            process.stdout.readline()
            if kills < 8:
                time.sleep(random.uniform(0, 0.2))
                process.kill()
            process.wait()
        kills += 1
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
    assert kills > 5
    assert (tmp_path / "killed.labcolor").read_bytes() == (tmp_path / "whole.labcolor").read_bytes()
    assert {one.name for one in tmp_path.iterdir()} <= {
        "photos", "fit.checkpoint", ".fit.checkpoint.new", "whole.labcolor", "killed.labcolor",
    }  # fmt: skip

"""Devices other than the CPU: they give its colors, or an error that names what there is.

Where onnxruntime-openvino takes the place of onnxruntime, OpenVINO itself runs, on the CPU.
"""

import numpy as np
import onnxruntime
import pytest
from skimage import data

from labcolor import Colorizer, read_picture, set_threads, write_picture
from labcolor.backends.onnxruntime import PROVIDERS
from labcolor.cli import main
from labcolor.colorizer import pipeline_of
from labcolor.errors import InputError
from labcolor.inference.engine import make_engine

AVAILABLE = onnxruntime.get_available_providers()
MISSING = [device for device, (provider, *_) in PROVIDERS.items() if provider not in AVAILABLE]
openvino = pytest.mark.skipif("openvino" in MISSING, reason="onnxruntime-openvino is not installed")


@pytest.mark.parametrize("device", MISSING)
def test_a_device_that_is_missing(device):
    """The error lists the devices that are there, and names the package of the one that is not."""
    colorizer = Colorizer.from_pretrained().set_params(device=device)
    with pytest.raises(InputError, match=rf"\('cpu'.*\), got '{device}'. Install .*onnxruntime"):
        colorizer.predict(data.camera())


def test_an_unknown_device():
    """The error lists all names."""
    with pytest.raises(InputError, match=r"device: expected one of 'cpu', 'cuda'.*, got 'gpu'"):
        Colorizer.from_pretrained().set_params(device="gpu").predict(data.camera())


@pytest.mark.parametrize("engine", ["tensorflow", "onnxruntime-int8"])
def test_engines_of_the_cpu(reference, engine):
    """TensorFlow chooses its devices itself, and int8 is made for CPUs: both refuse another device."""
    with pytest.raises(InputError, match="expected 'cpu' with engine"):
        make_engine(reference.model_, engine, "cuda")


@openvino
@pytest.mark.parametrize("name", ["efficientnet", "reference"])
@pytest.mark.parametrize("shape", [(128, 160), (384, 288)])
def test_openvino(name, shape):
    """Its outputs are those of the CPU up to rounding, and not its very bits, which would mean that it did not run."""
    on_cpu = pipeline_of(Colorizer.from_pretrained(name).set_params(engine="onnxruntime"))
    on_openvino = pipeline_of(Colorizer.from_pretrained(name).set_params(device="openvino"))
    assert on_openvino.engine.name == "onnxruntime"
    picture = data.coffee()[: shape[0], : shape[1]]
    expected, found = (
        pipeline.engine.run(picture[None, ..., :1] / 128 - 1, features=True) for pipeline in (on_cpu, on_openvino)
    )
    apart = [abs(one - other).max() for one, other in zip(expected, found, strict=True)]
    assert 0 < max(apart) < 1e-3


@openvino
def test_openvino_follows_the_number_of_threads():
    """With one thread a single thread takes processor time."""
    psutil = pytest.importorskip("psutil")
    try:
        set_threads(1)
        engine = pipeline_of(Colorizer.from_pretrained().set_params(device="openvino")).engine
        batch = np.zeros((1, 192, 256, 1), np.float32)
        engine.run(batch)
        before = {thread.id: thread.user_time for thread in psutil.Process().threads()}
        for _ in range(10):
            engine.run(batch)
        spent = [thread.user_time - before.get(thread.id, 0) for thread in psutil.Process().threads()]
    finally:
        set_threads(None)
    assert sum(time > 0.1 * max(spent) for time in spent) == 1


@openvino
def test_the_command_line(tmp_path, monkeypatch):
    """--device selects it, and the picture gets the colors of the CPU up to one level."""
    monkeypatch.chdir(tmp_path)
    write_picture("old.png", data.camera()[::4, ::4])
    for device in ("cpu", "openvino"):
        assert main(["colorize", "old.png", f"{device}.png", "--engine", "onnxruntime", "--device", device]) == 0
    expected, found = (read_picture(f"{device}.png").astype(int) for device in ("cpu", "openvino"))
    assert abs(expected - found).max() <= 1

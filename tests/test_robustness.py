"""Faults: killed processes, full disks, lack of memory, interrupts, damaged batches."""

import copy
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from labcolor import Colorizer, read_picture, write_picture
from labcolor.cli import main
from labcolor.errors import LabcolorError, OutOfMemoryError, PictureFileError
from labcolor.known.exemplars import Exemplar
from labcolor.networks import get_architecture
from labcolor.networks.model_file import PackedModel, read_model
from labcolor.pictures.picture import Picture

WRITER = """
import sys, numpy as np
from labcolor.io.pictures import write_picture
from labcolor.networks.model_file import encode_model, write_model
folder = sys.argv[1]
contents = [np.full((200, 300, 3), value, np.uint16) for value in (1000, 60000)]
models = [encode_model({"n": n}, {"w": np.full(50000, n, np.float32)}) for n in (1, 2)]
while True:
    for picture, model in zip(contents, models):
        for ending in ("png", "tif", "jpg"):
            write_picture(f"{folder}/p.{ending}", picture)
        write_model(f"{folder}/m.labcolor", model)
    print("ready", flush=True)
"""


@pytest.mark.slow
def test_killed_twenty_times_it_leaves_whole_files(tmp_path):
    """SIGKILL at random moments while pictures and models are written: each file is whole, old or new."""
    for _ in range(20):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(random.uniform(0.05, 0.3))
            process.send_signal(signal.SIGKILL)
        for ending in ("png", "tif", "jpg"):
            assert len(np.unique(read_picture(tmp_path / f"p.{ending}"))) == 1
        packed = PackedModel(read_model(tmp_path / "m.labcolor"), "m.labcolor")
        arrays = packed.arrays({"w": ((50000,), np.dtype(np.float32))})
        assert (arrays["w"] == packed.about["n"]).all()


FULL = """
import resource, signal, sys, numpy as np
from labcolor.io.pictures import write_picture
from labcolor.networks.model_file import write_model
from labcolor.errors import FileError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
noise = np.random.default_rng(0).integers(0, 65536, (300, 300, 3)).astype(np.uint16)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
for name in ("p.png", "p.tif", "p.jpg"):
    try:
        write_picture(f"{sys.argv[1]}/{name}", noise)
    except FileError as error:
        print(error)
try:
    write_model(f"{sys.argv[1]}/m.labcolor", bytes(100000))
except FileError as error:
    print(error)
"""


@pytest.mark.slow
def test_files_that_cannot_grow_leave_the_old_ones(tmp_path):
    """Where nothing more can be written, each writer says so in one error and the old file stays as it was."""
    names = ("m.labcolor", "p.jpg", "p.png", "p.tif")
    for name in names:
        (tmp_path / name).write_bytes(b"old")
    environment = {**os.environ, "NUMBA_DISABLE_CACHING": "1"}
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    lines = result.stdout.splitlines()
    assert len(lines) == 4
    assert all("cannot be written" in line for line in lines)
    assert sorted(path.name for path in tmp_path.iterdir()) == list(names)
    assert all((tmp_path / name).read_bytes() == b"old" for name in names)


@pytest.mark.slow
def test_kernels_run_where_their_cache_cannot_be_written(tmp_path):
    """A full disk at the very first call, when the compiled kernels would be kept, changes nothing for the caller."""
    code = (
        "import resource, signal, numpy as np\n"
        "from labcolor import rgb_to_lab\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "print(rgb_to_lab(np.full((2, 2, 3), 255, np.uint8))[0, 0, 0])"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert result.stdout == "100.0\n"
    assert not [path for path in tmp_path.rglob("*.nbc") if path.stat().st_size]


def test_lack_of_memory_is_an_error(small, monkeypatch):
    """If memory runs out there is an error that says so, and never an uncolored picture."""

    def no_memory(*arguments):
        raise MemoryError

    monkeypatch.setattr(Picture, "colored", no_memory)
    with pytest.raises(OutOfMemoryError, match="did not fit in memory") as caught:
        small.predict(np.zeros((9, 9)))
    assert isinstance(caught.value, MemoryError)


@pytest.mark.parametrize("options", [{"like": np.zeros((9, 9))}, {"consistent": True}])
def test_lack_of_memory_for_known_colors(classifier, monkeypatch, options):
    """The same error comes where exemplars and the pictures of an album are looked at."""

    def no_memory(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(Exemplar, "seen", no_memory)
    with pytest.raises(OutOfMemoryError, match="did not fit in memory"):
        classifier.predict(np.zeros((9, 9)), **options)


@pytest.mark.slow
def test_an_interrupted_fit_leaves_things_usable(batch):
    """KeyboardInterrupt comes through at once; the old network still predicts, and a new fit works."""
    import keras

    def interrupt(step, logs):
        raise KeyboardInterrupt

    colorizer = Colorizer("tiny", epochs=1, crop_size=32, random_state=0).fit(batch)
    before = colorizer.predict(batch[0])
    with pytest.raises(KeyboardInterrupt):
        colorizer.fit(batch, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_begin=interrupt)])
    np.testing.assert_array_equal(colorizer.predict(batch[0]), before)
    colorizer.fit(batch)


@pytest.mark.slow
def test_joblib(small, batch):
    """A colorizer goes through joblib's processes."""
    from joblib import Parallel, delayed

    results = Parallel(n_jobs=2)(delayed(small.predict)(picture) for picture in batch[:2])
    for result, picture in zip(results, batch, strict=False):
        np.testing.assert_array_equal(result, small.predict(picture))


@pytest.mark.slow
def test_a_thousand_files_with_fifty_bad_ones(tmp_path, batch, small, capsys):
    """950 are colored, 50 reported with their reasons, and --resume does only what is missing."""
    small.save(tmp_path / "m.labcolor")
    (tmp_path / "in").mkdir()
    for index in range(950):
        write_picture(tmp_path / "in" / f"{index:04}.{('png', 'jpg', 'tif')[index % 3]}", batch[index % 5, :24, :32])
    whole = (tmp_path / "in" / "0000.png").read_bytes()
    bad = [b"", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", whole[:-60], whole[:40], b"\0" * 999]
    bad += [b"RIFF\0\0\0\0WEBP", b"II*\0\xff\xff\xff\xff"]
    for index in range(50):
        ending = ("png", "jpg", "tif", "webp", "gif")[index % 5]
        (tmp_path / "in" / f"bad{index}.{ending}").write_bytes(bad[index % len(bad)])
    command = ["colorize", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--model", str(tmp_path / "m.labcolor")]
    assert main(command) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "labcolor: 950 colored, 50 failed."
    assert sum("/bad" in line for line in lines) == 50
    assert len(list((tmp_path / "out").iterdir())) == 950
    for missing in list((tmp_path / "out").iterdir())[:7]:
        missing.unlink()
    for path in (tmp_path / "in").glob("bad*"):
        path.unlink()
    assert main([*command, "--resume"]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "labcolor: 7 colored, 0 failed, 943 skipped."


def test_forbidden_files(tmp_path):
    """A file that may not be read is said to be that (as root everything may be read)."""
    path = tmp_path / "p.png"
    write_picture(path, np.zeros((4, 4), np.uint8))
    path.chmod(0)
    if os.access(path, os.R_OK):
        assert read_picture(path).shape == (4, 4)
    else:
        with pytest.raises(PictureFileError, match="permission to read it is denied"):
            read_picture(path)


_inherited = []


def _predict_inherited(picture, engine):
    try:
        return _inherited[0].set_params(engine=engine).predict(picture)
    except LabcolorError as error:
        return str(error)


def _build_and_fit(_):
    messages = []
    for use in (get_architecture("reference").network, lambda: Colorizer(epochs=1).fit(np.zeros((1, 64, 64, 3)))):
        try:
            use()
        except LabcolorError as error:
            messages.append(str(error))
    return messages


@pytest.mark.slow
def test_a_forked_process_says_so_instead_of_hanging(small):
    """TensorFlow does not survive a fork: whatever needs it in a forked worker names the remedy; the rest works."""
    import multiprocessing

    import tensorflow  # noqa: F401 - loaded before the fork

    _inherited.append(copy.deepcopy(small))
    picture = np.zeros((9, 9))
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert "spawn" in pool.apply_async(_predict_inherited, (picture, "tensorflow")).get(60)
        found = pool.apply_async(_predict_inherited, (picture, "auto")).get(60)
        np.testing.assert_array_equal(found, small.predict(picture))
        messages = pool.apply_async(_build_and_fit, (None,)).get(60)
    assert len(messages) == 2
    assert all("spawn" in message for message in messages)

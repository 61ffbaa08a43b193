"""Speed and memory of a training, beside Keras's fit on tensors that are ready.

    python benchmarks/training.py [--only WORK | --keep] [--photos FOLDER] [--pictures N]

speed: pictures a second of ``Colorizer.fit`` from files and from a tar archive, from the second epoch on, and of
Keras's fit of the same network on ready tensors, in turn, the median of three. memory: the most that a process
takes while it trains on N pictures (by default all in FOLDER; without it, on files made for it). resume: from the start
of the same call after a kill to its first step.
"""

import argparse
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import tables
from skimage import data

from labcolor import Colorizer, LabCodec, build_autoencoder, write_picture

ROUNDS = 3
EPOCHS = 4


def make_pictures(folder, count):
    """Write pictures of the size of the training photographs."""
    random, photo = np.random.default_rng(0), data.astronaut()
    for index in range(count):
        y, x = random.integers(0, 512 - 181, 2)
        write_picture(folder / f"{index:06}.{'webp' if index % 2 else 'jpg'}", photo[y : y + 136, x : x + 181])


def clock():
    """Return a Keras callback that notes when each epoch ends, and its notes."""
    import keras

    times = []
    return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: times.append(time.perf_counter())), times


def rate(count, times):
    """Return the pictures a second from the second epoch on."""
    return count / statistics.median(np.diff(times))


def speed(count, table):
    """Compare pictures a second."""
    results = {"folder": [], "tar": [], "Keras": []}
    with tempfile.TemporaryDirectory() as place:
        folder, archive = Path(place) / "photos", Path(place) / "photos.tar"
        folder.mkdir()
        make_pictures(folder, count)
        with tarfile.open(archive, "w") as file:
            file.add(folder, ".")
        random, photo = np.random.default_rng(0), data.astronaut()
        corners = random.integers(0, 512 - 128, (count, 2))
        lightness, ab = LabCodec().encode(np.stack([photo[y : y + 128, x : x + 128] for y, x in corners]))
        for _ in range(ROUNDS):
            for name, source in (("folder", folder), ("tar", archive)):
                callback, times = clock()
                Colorizer(epochs=EPOCHS, random_state=0).fit(source, callbacks=[callback])
                results[name].append(rate(count, times))
            callback, times = clock()
            network = build_autoencoder()
            network.compile("adam", "mean_squared_error", jit_compile=False)
            network.fit(lightness, ab, batch_size=32, epochs=EPOCHS, verbose=0, callbacks=[callback])
            results["Keras"].append(rate(count, times))
    keras_rate = statistics.median(results["Keras"])
    for name, word in (("folder", "a folder"), ("tar", "a tar archive")):
        value = statistics.median(results[name])
        work = f"pictures a second from {word}, after the first epoch"
        table.add(work, f"{value:.1f}", f"{value / keras_rate:.2f}", "0.95")


def memory(photos, count, table):
    """Measure the most memory of one pass over many pictures with the smallest network that is worth it."""
    with tempfile.TemporaryDirectory() as place:
        if photos is None:
            photos = Path(place)
            make_pictures(photos, count)
        code = (
            "import resource, sys\n"
            "from labcolor import Colorizer\n"
            "from labcolor.networks import get_architecture\n"
            "tiny = get_architecture('reference').with_options(encoder=(8, 8, 8), decoder=(8, 8))\n"
            "colorizer = Colorizer(tiny, epochs=1, batch_size=64).fit(sys.argv[1])\n"
            "print(colorizer.model_.training['pictures'], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)"
        )
        started = time.perf_counter()
        output = subprocess.run([sys.executable, "-c", code, str(photos)], capture_output=True, text=True, check=True)
        pictures, peak = output.stdout.split()
    work = f"peak memory with {int(pictures):,} pictures, all read within {time.perf_counter() - started:.0f} s"
    table.add(work, f"{float(peak):.2f} GiB", "", "")


RESUMED = """
import sys, time
import keras
from labcolor import Colorizer
began = time.perf_counter()
def first(batch, logs):
    print(time.perf_counter() - began, flush=True)
    if len(sys.argv) > 3:
        time.sleep(60)
colorizer = Colorizer.from_pretrained().set_params(epochs=9, random_state=0)
step = keras.callbacks.LambdaCallback(on_train_batch_end=first)
colorizer.fit(sys.argv[1], checkpoint=sys.argv[2], checkpoint_minutes=0, callbacks=[step])
"""


def resume(count, table):
    """Measure the time from a call to its first step, from the beginning and after a kill."""
    with tempfile.TemporaryDirectory() as place:
        folder, checkpoint = Path(place) / "photos", Path(place) / "fit.checkpoint"
        folder.mkdir()
        make_pictures(folder, count)
        for name in ("from the beginning", "resumed"):
            command = [sys.executable, "-c", RESUMED, str(folder), str(checkpoint), "wait"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                seconds = float(process.stdout.readline())
                process.kill()
            size = f" from a checkpoint of {checkpoint.stat().st_size / 2**20:.0f} MiB" if name == "resumed" else ""
            table.add(f"first step of a training, {name}{size}", f"{seconds:.1f} s", "", "")


WORKS = ["speed", "resume", "memory"]


def main():
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=WORKS, help="measure one work only")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--pictures", type=int, default=192)
    arguments = tables.parse(parser, whole=True)
    with tables.Table("training", "work", "labcolor", "times Keras's", "aim") as table:
        for work in [arguments.only] if arguments.only else WORKS:
            if work == "memory":
                memory(arguments.photos, arguments.pictures, table)
            else:
                {"speed": speed, "resume": resume}[work](arguments.pictures, table)


if __name__ == "__main__":
    main()

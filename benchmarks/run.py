#!/usr/bin/env python3
"""Speed of labcolor beside the straightforward way, in one run.

    python benchmarks/run.py [--only WORK | --keep]

Each figure is the median of several calls; what is compared is called in turn, so that a machine that
slows down slows both. Nothing here is asserted: machines differ.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import psutil
import skimage.data
import tables
import tensorflow as tf
from skimage import color, transform

from labcolor import Colorizer, LabCodec, build_autoencoder, lab_to_rgb, rgb_to_lab, rgb_to_lightness, write_picture
from labcolor.colorizer import pipeline_of
from labcolor.io.inputs import one_picture
from labcolor.networks import PACKAGED_MODELS
from labcolor.pictures.small import SmallPicture

TABLE = tables.Table("speed", "work", "labcolor", "against", "that takes", "ratio", "aim")
MIB = 1 << 20


def measure(*calls, rounds=7):
    """Return the median seconds of each call, called in turn after one call of each to warm up."""
    times = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(rounds):
        for call, spent in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            spent.append(time.perf_counter() - start)
    return [statistics.median(spent) for spent in times]


def report(work, ours, against, other, unit="ms", scale=1e3, ratio=None, aim=""):
    """Add a row."""
    ratio = other / ours if ratio is None and other else ratio
    takes = f"{other * scale:.1f} {unit}" if other else ""
    TABLE.add(work, f"{ours * scale:.1f} {unit}", against, takes, f"{ratio:.2f}" if ratio else "", aim)


def photograph(height, width):
    """Return a real photograph, enlarged."""
    return (transform.resize(skimage.data.coffee(), (height, width), order=1) * 255).astype(np.uint8)


def straightforward(network, photo, height, width):
    """Color in the plain way: scikit-image's Lab, model.predict, scikit-image back."""
    lab = color.rgb2lab(np.repeat(photo[..., None], 3, axis=2) / np.float32(255))
    small = transform.resize(lab[..., 0], (height, width), order=1, anti_aliasing=True)
    ab = network.predict((small[None, ..., None] / 50 - 1).astype(np.float32), verbose=0)[0] * 128
    lab[..., 1:] = transform.resize(ab, lab.shape[:2], order=1)
    return (color.lab2rgb(lab) * 255 + 0.5).astype(np.uint8)


def lab_both_ways():
    """Measure RGB to Lab and back."""
    photo = photograph(1080, 1920)
    unit = photo / np.float32(255)
    ours, other = measure(lambda: rgb_to_lab(photo), lambda: color.rgb2lab(unit))
    report("rgb_to_lab, uint8 1920x1080", ours, "scikit-image, float32", other, aim="at least 6")
    lab = rgb_to_lab(photo)
    ours, other = measure(
        lambda: lab_to_rgb(lab, dtype=np.uint8), lambda: (color.lab2rgb(lab) * 255 + 0.5).astype(np.uint8)
    )
    report("lab_to_rgb to uint8 1920x1080", ours, "scikit-image, float32", other, aim="at least 6")


def one_photograph(name):
    """Measure one large photograph beside the network alone."""
    colorizer = Colorizer.from_pretrained(name)
    photo = one_picture(photograph(1080, 1920), "photograph").grey()[..., 0]
    pipeline = pipeline_of(colorizer)
    small = SmallPicture.of(one_picture(photo, "photograph"), pipeline.working_size)
    height, width = small.lightness.shape
    padded = np.zeros((1, *small.padded_shape(pipeline.model.architecture.multiple), 1), np.float32)
    ours, network = measure(lambda: colorizer.predict(photo), lambda: pipeline.engine.run(padded), rounds=15)
    label = f"predict, grey 1920x1080, {name} at {height}x{width}"
    report(label, ours, "its network alone", network, ratio=ours / network, aim="at most 2.5")
    if name == "reference":
        size = padded.shape[1:3]
        ours, other = measure(
            lambda: colorizer.predict(photo), lambda: straightforward(colorizer.network_, photo, *size)
        )
        report(label, ours, "scikit-image + model.predict", other, aim="at least 6")


def many_photographs(name):
    """Measure a batch beside the network alone."""
    colorizer = Colorizer.from_pretrained(name)
    rng = np.random.default_rng(0)
    photo = photograph(600, 900)
    places = rng.integers(0, [344, 644], (256, 2))
    pictures = np.stack([photo[y : y + 256, x : x + 256] for y, x in places])
    pipeline = pipeline_of(colorizer)
    small = SmallPicture.of(one_picture(pictures[0], "picture"), pipeline.working_size)
    batch = np.zeros((16, *small.padded_shape(pipeline.model.architecture.multiple), 1), np.float32)

    def network():
        for _ in range(16):
            pipeline.engine.run(batch)

    ours, other = measure(lambda: colorizer.predict(pictures), network, rounds=3)
    report(f"predict, 256 of 256x256, {name}", ours, "its network alone", other, ratio=ours / other, aim="at most 1.4")


def a_large_photograph():
    """Measure time and memory of large photographs."""
    code = """
import os, sys, time, threading
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, psutil
from labcolor import Colorizer
colorizer = Colorizer.from_pretrained()
colorizer.predict(np.zeros((64, 64), np.uint8))
photo = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
process = psutil.Process(); base = process.memory_info().rss; peak = base; stop = False
def watch():
    global peak
    while not stop:
        peak = max(peak, process.memory_info().rss); time.sleep(0.002)
thread = threading.Thread(target=watch); thread.start()
start = time.perf_counter(); colorizer.predict(photo); took = time.perf_counter() - start
stop = True; thread.join()
print(took, peak - base)
"""
    for height, width, aim in ((3000, 4000, "under 1024 MiB"), (10000, 10000, "under 1536 MiB")):
        program = code.replace("HEIGHT", str(height)).replace("WIDTH", str(width))
        output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
        took, memory = map(float, output.split())
        report(f"predict, grey {width}x{height}", took, f"peak memory {memory / MIB:.0f} MiB", 0, aim=aim)


def many_sizes():
    """Measure calls of ever new sizes."""
    colorizer = Colorizer.from_pretrained("reference")
    rng = np.random.default_rng(0)
    sizes = np.unique(rng.integers(200, 400, (4000, 2)), axis=0)
    sizes = rng.permutation(sizes)[:1000]
    total = int(np.sqrt((sizes[:, 0] * sizes[:, 1]).mean()))
    photo = photograph(400, 400)[..., 0]
    process = psutil.Process()
    colorizer.predict(photo)

    def different():
        for height, width in sizes:
            colorizer.predict(photo[:height, :width])

    def same():
        for _ in sizes:
            colorizer.predict(photo[:total, :total])

    start = time.perf_counter()
    different()
    first = time.perf_counter() - start
    memory = process.memory_info().rss
    ours, other = measure(different, same, rounds=2)
    gc.collect()
    grown = (process.memory_info().rss - memory) / MIB
    report("1,000 calls, 1,000 new sizes", first, "the same at one size", other, "s", 1, first / other, "at most 1.5")
    report(
        f"... again (memory grew {grown:.0f} MiB in 6,000 more calls)",
        ours,
        "the same at one size",
        other,
        "s",
        1,
        ours / other,
        "at most 1.5",
    )


def first_call():
    """Measure the first call in a new process."""
    ours = (
        "import os, numpy as np; from labcolor import Colorizer; "
        "Colorizer.from_pretrained('reference').predict(np.zeros((256, 256), np.uint8)); "
        "os._exit(0)"  # to tear TensorFlow down takes more than a second, and is not part of the call
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        Colorizer.from_pretrained("reference").network_.save(path)
        other = (
            "import os, numpy as np, keras; "
            f"keras.saving.load_model({str(path)!r}, compile=False).predict(np.zeros((1, 256, 256, 1)), verbose=0); "
            "os._exit(0)"
        )
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}

        def start(code):
            return lambda: subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, env=environment
            )

        first, second = measure(start(ours), start(other), rounds=5)
    report("first call in a new process", first, "Keras by hand", second, "s", 1, first / second, "at most 1")


def fit_from_files():
    """Measure training from a folder beside Keras on tensors."""
    rng = np.random.default_rng(0)
    photo = photograph(600, 900)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(192):
            y, x = rng.integers(0, [300, 600])
            ending = "webp" if index % 2 else "jpg"
            write_picture(Path(folder) / f"{index}.{ending}", photo[y : y + 256, x : x + 256])
        times = []

        class Clock(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                times.append(time.perf_counter())

            def on_train_end(self, logs=None):
                times.append(time.perf_counter())

        Colorizer(epochs=5, random_state=0).fit(folder, callbacks=[Clock()])
        ours = statistics.median(np.diff(times)[1:])
    crops = np.stack([photo[y : y + 128, x : x + 128] for y, x in rng.integers(0, [300, 600], (192, 2))])
    lightness, ab = LabCodec().encode(crops)
    network = build_autoencoder()
    network.compile("adam", "mean_squared_error", jit_compile=False)
    times.clear()
    data = tf.data.Dataset.from_tensor_slices((lightness, ab)).batch(32)
    network.fit(data, epochs=5, verbose=0, callbacks=[Clock()])
    other = statistics.median(np.diff(times)[1:])
    label = "fit, images/s from a folder, later epochs"
    report(label, 192 / ours, "Keras fit on tensors", 192 / other, "/s", 1, other / ours, "at least 0.9")


def lightness_alone():
    """Measure L alone beside the whole of Lab."""
    photo = photograph(1080, 1920)
    ours, other = measure(lambda: rgb_to_lightness(photo), lambda: rgb_to_lab(photo))
    report("rgb_to_lightness, uint8 1920x1080", ours, "rgb_to_lab", other)


WORKS = {
    "lab": lab_both_ways,
    "lightness": lightness_alone,
    "one": lambda: [one_photograph(name) for name in PACKAGED_MODELS],
    "many": lambda: [many_photographs(name) for name in PACKAGED_MODELS],
    "large": a_large_photograph,
    "sizes": many_sizes,
    "first": first_call,
    "fit": fit_from_files,
}


def main():
    """Run the works that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=WORKS, help="measure one work only")
    options = tables.parse(parser, whole=True)
    with TABLE:
        for name, work in WORKS.items():
            if options.only in (None, name):
                work()


if __name__ == "__main__":
    main()

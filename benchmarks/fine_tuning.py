"""What fine-tuning gains: the packaged model before and after a few minutes on 100 pictures of one kind.

    python benchmarks/fine_tuning.py PHOTOS [--film VIDEO] [--minutes 5] [--kinds coast forest glacier] [--model NAME]

PHOTOS holds tar files of photographs and a ``provenance.csv`` with the path that each had where it came from; the kind
is in that path. Measured is on the pictures of the kind among every 40th of all by name, which the packaged models have
not seen either. Of a film, frames of the first half are trained on, and frames of the last third measured. A fifteenth
of the minutes goes into finding out how many epochs fit into the rest.
"""

import argparse
import csv
import io
import tarfile
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import tables
from PIL import Image

from labcolor import Colorizer
from labcolor.metrics import ciede2000, colorfulness, psnr
from labcolor.networks import PACKAGED_MODELS
from labcolor.training.sources import hold_out

KINDS = {"coast": ("/coast/", "/sea/"), "forest": ("/forest/",), "glacier": ("/glacier/",)}
SETS = "fmi", "intel150"
PROBE = 3  # epochs for the estimate of speed; the first compiles


def photographs(folder, kind, count):
    """Return ``count`` pictures of a kind to train on, and all that are held out."""
    with (folder / "provenance.csv").open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    parts = hold_out(rows, 40)
    training, held_out = (
        [row["file"] for row in part if row["set"] in SETS and any(word in row["source_path"] for word in KINDS[kind])]
        for part in parts
    )
    training = [training[index] for index in np.linspace(0, len(training) - 1, count).astype(int)]
    found = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if name in {*training, *held_out}:
                    content = io.BytesIO(archive.extractfile(member).read())
                    found[name] = np.asarray(Image.open(content).convert("RGB"))
    return [found[name] for name in training if name in found], [found[name] for name in held_out if name in found]


def frames(path, count):
    """Return ``count`` frames of the first half of a film, and 30 of its last third."""
    reader = imageio_ffmpeg.read_frames(str(path), pix_fmt="rgb24")
    width, height = next(reader)["size"]
    film = [np.frombuffer(frame, np.uint8).reshape(height, width, 3).copy() for frame in reader]
    half, third = len(film) // 2, 2 * len(film) // 3
    chosen = np.linspace(0, half - 1, min(count, half)).astype(int)
    return [film[i] for i in chosen], [film[i] for i in np.linspace(third, len(film) - 1, 30).astype(int)]


def figures(colorizer, pictures):
    """Return the mean PSNR, CIEDE2000 and colorfulness of colored pictures."""
    colored = colorizer.set_params(engine="tensorflow").predict(pictures)  # the same arithmetic for all models
    rows = [(psnr(a, b), ciede2000(a, b), colorfulness(a)) for a, b in zip(colored, pictures, strict=True)]
    return np.mean(rows, axis=0)


def fine_tune(model, training, minutes, params):
    """Fine-tune a packaged model for some minutes."""
    times = []

    def clock(epoch, logs):
        times.append(time.perf_counter())

    import keras

    options = {"validation": 0.1, "callbacks": [keras.callbacks.LambdaCallback(on_epoch_end=clock)]}
    colorizer = Colorizer.from_pretrained(model).set_params(**params)
    started = time.perf_counter()
    colorizer.set_params(epochs=PROBE).fit(training, **options)
    per_epoch = (times[-1] - times[0]) / (PROBE - 1)
    compiling = times[-1] - started - PROBE * per_epoch
    left = 60 * minutes - (time.perf_counter() - started) - compiling
    colorizer.set_params(epochs=max(1, int(left / per_epoch))).fit(training, **options)
    return colorizer, time.perf_counter() - started


def main():
    """Fine-tune and measure each kind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    parser.add_argument("--model", choices=PACKAGED_MODELS, default="efficientnet")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--encoder-rate", type=float)
    parser.add_argument("--precision", default="float32")
    arguments = tables.parse(parser)

    params = {"learning_rate": arguments.learning_rate, "encoder_rate": arguments.encoder_rate, "random_state": 0}
    params |= {"precision": arguments.precision}
    packaged = Colorizer.from_pretrained(arguments.model)
    kinds = [*arguments.kinds, *(["film"] if arguments.film else [])]
    columns = "PSNR before", "after", "CIEDE2000 before", "after", "colorfulness before", "after", "of the truth", "how"
    with tables.Table(f"fine_tuning_{arguments.model}", "kind", *columns) as table:
        for kind in kinds:
            if kind == "film":
                training, held_out = frames(arguments.film, arguments.pictures)
            else:
                training, held_out = photographs(arguments.photos, kind, arguments.pictures)
            tuned, seconds = fine_tune(arguments.model, training, arguments.minutes, params)
            about = tuned.model_.training
            best = f"epoch {about['best_epoch']} of {about['epochs']}" if about["best_epoch"] else "no epoch was better"
            how = f"{len(training)} pictures, {seconds:.0f} s, {best}; {len(held_out)} held out"
            before, after = figures(packaged, held_out), figures(tuned, held_out)
            pairs = zip(before, after, (2, 2, 1), strict=True)
            cells = [f"{value:.{digits}f}" for *pair, digits in pairs for value in pair]
            truth = np.mean([colorfulness(picture) for picture in held_out])
            table.add("one film" if kind == "film" else kind, *cells, f"{truth:.1f}", how)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The engines side by side, in one run: start-up, memory, the network, pictures, many sizes, processes, video.

    python benchmarks/engine.py [--only WORD | --keep]
    python benchmarks/engine.py --only installation --keep

What is compared is called in turn, so that a machine that slows down slows both. "ratio" is how many times better
ONNX Runtime is than what it is compared with, which is TensorFlow where nothing else is said. Nothing here is asserted:
machines differ.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tables

ENGINES = "auto", "tensorflow"
TABLE = tables.Table("engine", "work", "labcolor", "against", "ratio", "aim")
PREPARE = """
import os, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
begun = time.perf_counter()
import numpy as np, labcolor
from labcolor.colorizer import pipeline_of
engine, threads = sys.argv[1], int(sys.argv[2])
labcolor.set_threads(threads or None)
colorizer = labcolor.Colorizer.from_pretrained().set_params(engine=engine)
grey = np.kron(np.random.default_rng(0).integers(0, 255, (27, 48)), np.ones((40, 40))).astype(np.uint8)
def peak():
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def median(call, rounds):
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return sorted(times)[rounds // 2]
"""
FIRST = "colorizer.predict(grey); print(time.perf_counter() - begun, peak(), pipeline_of(colorizer).engine.name)"
PROCESSOR = """
import hashlib
print(hashlib.sha256(colorizer.predict(grey)).hexdigest(), time.process_time())
"""
HEIGHT, WIDTH = 192, 352  # at which the default network sees 1920x1080
NETWORK = f"""
batch = np.random.default_rng(0).uniform(-1, 1, (1, {HEIGHT}, {WIDTH}, 1)).astype(np.float32)
run = pipeline_of(colorizer).engine.run
print(median(lambda: run(batch), 30))
"""
PICTURE = "print(median(lambda: colorizer.predict(grey), 15))"
SIZES = """
random = np.random.default_rng(1)
heights = random.integers(300, 700, int(sys.argv[3]))
widths = 13 * heights // 10 + random.integers(-40, 40, len(heights))
pictures = [grey[:height, :width] for height, width in zip(heights, widths)]
same = [grey[:510, :663]] * len(pictures)  # as many pixels
import psutil
memory = lambda: psutil.Process().memory_info().rss / 2**20
for one in same[:20]: colorizer.predict(one)
times = []
for work in (same, pictures):
    start, before = time.perf_counter(), memory()
    for one in work: colorizer.predict(one)
    times += [time.perf_counter() - start, memory() - before]
print(*times)
"""
MANY = """
for _ in range(3): colorizer.predict(grey)
print("ready", flush=True)
sys.stdin.readline()
count, end = 0, time.perf_counter() + 8
while time.perf_counter() < end:
    colorizer.predict(grey)
    count += 1
print(count / 8)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Begin a process of its own."""
    command = [sys.executable, "-c", PREPARE + code, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **pipes)


def run(code: str, *arguments: object) -> list[str]:
    """Run code in a process of its own, and return what it prints."""
    process = start(code, *arguments)
    printed, complaint = process.communicate()
    if process.returncode:
        raise RuntimeError(complaint)
    return printed.split()


def report(work: str, ours: float, other: float, unit: str, *, larger_is_better: bool = False, aim: str = "") -> None:
    """Add a row. ``unit`` is how a figure is written."""
    ratio = ours / other if larger_is_better else other / ours
    TABLE.add(work, unit.format(ours), unit.format(other), f"{ratio:.2f}", aim)


def alternating(code: str, threads: int, rounds: int) -> list[list[list[str]]]:
    """For each engine, what several processes printed, begun in turn."""
    results: list[list[list[str]]] = [[] for _ in ENGINES]
    for _ in range(rounds):
        for engine, printed in zip(ENGINES, results, strict=True):
            printed.append(run(code, engine, threads))
    return results


def medians(results: list[list[list[str]]], column: int = 0) -> tuple[float, float]:
    """Return the median of one column, for each engine."""
    ours, other = (statistics.median(float(line[column]) for line in printed) for printed in results)
    return ours, other


def start_up() -> None:
    """Measure the way from python to a colored 1080p picture, and what it takes of memory."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import numpy"], check=True)
    alone = time.perf_counter() - begun
    results = alternating(FIRST, 0, 5)
    print(f"(engine: {results[0][0][2]})")
    report("first 1080p picture, from `python` to the result", *medians(results), "{:.2f} s", aim="4")
    report("peak memory of that process", *medians(results, 1), "{:.0f} MiB", aim="3, below 300 MiB")
    TABLE.add("`python` and numpy alone", f"{alone:.2f} s", "", "", "")


def installation() -> None:
    """Measure the processor time of the first picture after an installation, when kernels are compiled, and later."""
    times: dict[str, list[list[str]]] = {"first": [], "later": []}
    for _ in range(5):
        with tempfile.TemporaryDirectory() as cache:
            os.environ["NUMBA_CACHE_DIR"] = cache
            for printed in times.values():
                printed.append(run(PROCESSOR, "auto", 0))
    del os.environ["NUMBA_CACHE_DIR"]
    if len({printed[0] for runs in times.values() for printed in runs}) != 1:
        raise RuntimeError("the results of compiled and of cached kernels differ.")
    first, later = (statistics.median(float(printed[1]) for printed in runs) for runs in times.values())
    with tables.Table("installation", "first 1080p picture, from `python` to the result", "processor time") as table:
        table.add("after an installation", f"{first:.1f} s")
        table.add("in later processes", f"{later:.1f} s")


def network() -> None:
    """Measure the network alone, at its size for 1920x1080."""
    for threads in (1, 0):
        name = f"network at {HEIGHT}x{WIDTH}, {'one thread' if threads else 'all cores'}"
        results = alternating(NETWORK, threads, 3)
        report(name, *(1e3 * value for value in medians(results)), "{:.1f} ms", aim="2")


def picture() -> None:
    """Measure a 1080p picture in a process that runs."""
    times = medians(alternating(PICTURE, 0, 3))
    report("`predict`, 1920x1080", *(1e3 * value for value in times), "{:.1f} ms", aim="1.6")


def sizes() -> None:
    """Measure pictures of as many sizes, against one size."""
    one, one_memory, many, many_memory = map(float, run(SIZES, "auto", 0, 1000))
    report("1,000 pictures of 1,000 sizes, against one size", many, one, "{:.1f} s", aim="0.83")
    growth = f"{many_memory:.0f} MiB", f"{one_memory:.0f} MiB"
    TABLE.add("growth of memory in 1,000 sizes, against that in one size before", *growth, "", "")


def processes() -> None:
    """Measure two processes of one thread each, against one of two."""

    def pictures_per_second(count: int, threads: int) -> float:
        workers = [start(MANY, "auto", threads) for _ in range(count)]
        for worker in workers:
            worker.stdout.readline()
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        return sum(float(worker.communicate()[0]) for worker in workers)

    report("two processes of one thread, against one of two", pictures_per_second(2, 1), pictures_per_second(1, 2),
           "{:.1f} /s", larger_is_better=True, aim="1.15")  # fmt: skip


VIDEO = """
import resource
from labcolor import colorize_video
source, destination = sys.argv[3:5]
def spent():
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return np.array([time.perf_counter(), *(usage.ru_utime + usage.ru_stime for usage in usages)])
colorize_video(source, destination, colorizer, overwrite=True)
start = spent()
colorize_video(source, destination, colorizer, overwrite=True)
print(*(spent() - start))
"""


def video() -> None:
    """Measure the coloring of a video, against the transcode of ffmpeg with the same settings."""
    import imageio_ffmpeg

    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    busy = []
    with tempfile.TemporaryDirectory() as folder:
        for width, height, aim in ((1920, 1080, "0.85"), (1280, 720, "0.7"), (768, 432, "0.55")):
            source, made = Path(folder) / f"{width}.mp4", Path(folder) / "made.mp4"
            test = f"testsrc2=size={width}x{height}:rate=25:duration=6,noise=alls=12:allf=t,format=yuv420p"
            quiet = [ffmpeg, "-y", "-v", "error"]
            subprocess.run([*quiet, "-f", "lavfi", "-i", test, "-c:v", "libx264", "-crf", "18", source], check=True)
            times: list[list[float]] = [[], []]
            for _ in range(3):
                spent = [float(value) for value in run(VIDEO, "auto", 0, source, made)]
                times[0].append(spent[0])
                begun = time.perf_counter()
                settings = ["-c:v", "libx264", "-crf", "20", "-preset", "faster"]  # the library's own
                subprocess.run([*quiet, "-i", source, *settings, made], check=True)
                times[1].append(time.perf_counter() - begun)
            ours, plain = map(statistics.median, times)
            work = f"`colorize_video`, {width}x{height}, against a plain transcode"
            report(work, ours, plain, "{:.1f} s", aim=aim)
            share = sum(spent[1:]) / (os.cpu_count() or 1) / spent[0]
            busy.append((f"{width}x{height}", f"{spent[2]:.1f} s", f"{spent[1]:.1f} s", f"{100 * share:.0f} %"))
    with tables.Table("engine_video", "video", "processor time of ffmpeg", "of labcolor", "cores busy") as table:
        for row in busy:
            table.add(*row)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="run the parts whose names have this word")
    options = tables.parse(parser, whole="installation" not in sys.argv)
    if options.only == "installation":  # a table of its own
        installation()
        return
    with TABLE:
        for part in (start_up, network, picture, sizes, processes, video):
            if options.only in part.__name__:
                part()
    if not options.only:
        installation()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Video: speed beside a plain transcode by the same encoder in the same run, memory, and steadiness of color.

    python benchmarks/video.py [CLIP ...] [--long SECONDS] [--photographs FOLDER]

Clips in color given on the command line, of one shot each, are measured for steadiness (CDC) and with reference frames;
speed and memory are measured on ffmpeg's test pictures in four sizes; cuts and flicker on synthetic films, made of the
photographs of a folder.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import films
import imageio_ffmpeg
import numpy as np

from labcolor import Colorizer, colorize_video, rgb_to_lab
from labcolor.io import ffmpeg
from labcolor.io.formats import target_of
from labcolor.io.probe import probe
from labcolor.pictures.picture import as_picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.cuts import AHEAD, CutDetector

PARTS = ["speed", "codecs", "memory", "steadiness", "references", "cuts", "flicker"]
LUMA = np.array([0.299, 0.587, 0.114])
PLAIN = ("-c:v", "libx264", "-preset", "faster", "-crf", "20", "-pix_fmt", "yuv420p")  # the library's own settings


def make_video(path, size, seconds):
    """Write a moving test video of 25 frames a second, with grain and a tone."""
    source = f"mandelbrot=size={size}:rate=25:start_scale=1,noise=alls=6:allf=t,format=gray,format=yuv420p"
    ffmpeg.run(["-f", "lavfi", "-i", source, "-f", "lavfi", "-i", "sine", "-t", str(seconds), "-y", str(path)])


def speed(name):
    """Print the rate of coloring beside that of a plain transcode."""
    colorizer = Colorizer.from_pretrained(name)
    print(f"\n| {name}: size | labcolor | plain transcode | share | aim |\n|---|---|---|---|---|")
    aims = {"320x240": "", "768x432": "0.33", "1280x720": "25 fps", "1920x1080": "0.5"}
    with tempfile.TemporaryDirectory() as folder:
        source, ours, plain = (Path(folder) / f"{word}.mp4" for word in ("in", "ours", "plain"))
        for size, aim in aims.items():
            make_video(source, size, 12)
            colorize_video(source, ours, colorizer)
            rates = []
            for _ in range(3):
                report = colorize_video(source, ours, colorizer)
                start = time.perf_counter()
                ffmpeg.run(["-i", str(source), *PLAIN, "-c:a", "copy", "-y", str(plain)])
                rates.append((report.frames / report.seconds, report.frames / (time.perf_counter() - start)))
            first, second = (statistics.median(column) for column in zip(*rates, strict=True))
            print(f"| {size} | {first:.1f} fps | {second:.1f} fps | {first / second:.2f} | {aim} |", flush=True)


CODECS = (("h264", ".mp4"), ("hevc", ".mp4"), ("vp9", ".webm"), ("prores", ".mov"), ("dnxhr", ".mov"), ("ffv1", ".mkv"))


def codecs(name, size="768x432", seconds=4):
    """Print the rate of coloring with each codec beside that of a plain transcode with the same settings."""
    colorizer = Colorizer.from_pretrained(name)
    print(f"\n| {name}, {size}: codec | labcolor | plain transcode | share |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.mp4"
        make_video(source, size, seconds)
        for codec, ending in CODECS:
            ours, plain = Path(folder) / f"ours{ending}", Path(folder) / f"plain{ending}"
            rates = []
            for _ in range(2):
                report = colorize_video(source, ours, colorizer, codec=codec)
                info = probe(source)
                usual = dict.fromkeys(("codec", "quality", "preset", "pixel_format"))
                target = target_of(
                    ours, info, **{**usual, "codec": codec}, tone_map=False, deinterlace="auto", size=info.size
                )
                start = time.perf_counter()
                ffmpeg.run(["-i", str(source), *target.arguments, "-an", "-y", str(plain)])
                rates.append((report.frames / report.seconds, report.frames / (time.perf_counter() - start)))
            first, second = (max(column) for column in zip(*rates, strict=True))
            print(f"| {codec} | {first:.1f} fps | {second:.1f} fps | {first / second:.2f} |", flush=True)


def memory(long):
    """Print the peak memory for a short and a long video."""
    code = (
        "import resource, sys; from labcolor import colorize_video; colorize_video(sys.argv[1], sys.argv[2]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    print("\n| length, 320x240 | peak memory of the process |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        for seconds in (10, long):
            make_video(source, "320x240", seconds)
            command = [sys.executable, "-c", code, str(source), str(target)]
            peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            print(f"| {seconds} s | {float(peak):.0f} MiB |", flush=True)


def divergence(first, second):
    """Return the mean over channels of the Jensen-Shannon divergence, in nats, of two pictures' histograms."""
    total = 0.0
    channels = first.shape[2]
    for channel in range(channels):
        p, q = (np.bincount(x[..., channel].reshape(-1), minlength=256) / x[..., 0].size for x in (first, second))
        mean = (p + q) / 2
        for part in (p, q):
            there = part > 0
            total += (part[there] * np.log(part[there] / mean[there])).sum() / 2
    return total / channels


def cdc(frames):
    """Return the color-distribution consistency: the mean divergence over strides 1, 2 and 4 (Liu et al. 2021)."""
    return np.mean(
        [np.mean([divergence(a, b) for a, b in zip(frames, frames[stride:], strict=False)]) for stride in (1, 2, 4)]
    )


def frames_of(path, limit=150):
    """Return decoded frames, (H, W, 3) uint8."""
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in itertools.islice(reader, limit)]


def chroma(frame):
    """Return ab as bytes."""
    return np.clip(rgb_to_lab(frame)[..., 1:] + 128.5, 0, 255).astype(np.uint8)


def steadiness(clips, name):
    """Print the CDC of RGB, of ab alone, and the mean change of ab, of the videos that come out."""
    colorizer = Colorizer.from_pretrained(name)
    print(f"\n| {name}: clip | | CDC | CDC of ab alone | change of ab from frame to frame |\n|---|---|---|---|---|")
    for clip in clips:
        with tempfile.TemporaryDirectory() as folder:
            smoothings = {"grey": 0, "frame by frame": 0, "smoothed": 0.96}
            for word, smoothing in smoothings.items():
                path = Path(folder) / "out.mkv"
                colorize_video(clip, path, colorizer, smoothing=smoothing, saturation=0 if word == "grey" else 1)
                frames = frames_of(path)
                ab = [chroma(frame) for frame in frames]
                change = np.mean([np.abs(b.astype(int) - a).mean() for a, b in itertools.pairwise(ab)])
                print(f"| {Path(clip).name} | {word} | {cdc(frames):.5f} | {cdc(ab):.5f} | {change:.3f} |", flush=True)


def lightness(film):
    """Return L of frames of luma, as the network sees them."""
    pictures = (as_picture(np.clip(np.rint(frame), 0, 255).astype(np.uint8), "frame") for frame in film)
    return [SmallPicture.of(picture, films.HEIGHT).lightness for picture in pictures]


def cuts(photos, clips):
    """Print the precision and recall of the cuts that are found."""
    print("\n| film | frames | cuts | found | false |\n|---|---|---|---|---|")
    named = [(name, lightness(film), true) for name, film, true in films.films_with_cuts(photos)]
    real = [[frame @ LUMA for frame in frames_of(clip, 400)] for clip in clips]
    named += [(Path(clip).name, lightness(film), []) for clip, film in zip(clips, real, strict=True)]
    parts = [[film[start : start + 50] for start in range(0, 150, 50)] for film in real]
    turns = [part for turn in zip(*parts, strict=True) for part in turn]  # of each clip in turn
    if len(real) > 1:
        film = [frame[: films.HEIGHT, : films.WIDTH] for part in turns for frame in part]
        named.append(("clips in turn", lightness(film), [(cut, cut) for cut in range(50, len(film), 50)]))
    totals = np.zeros(3, int)
    for name, film, true in named:
        detector = CutDetector()
        found = [detector.update(frame, film[index + 1 : index + 1 + AHEAD]) for index, frame in enumerate(film)]
        left, hits, false = list(true), 0, 0
        for cut in (cut for cut in found if cut is not None):
            match = next((span for span in left if span[0] - 1 <= cut <= span[1] + 1), None)
            if match is None:
                false += 1
            else:
                left.remove(match)
                hits += 1
        totals += len(true), hits, false
        print(f"| {name} | {len(film)} | {len(true)} | {hits} | {false} |", flush=True)
    print(f"\nprecision {totals[1] / (totals[1] + totals[2]):.3f}, recall {totals[1] / totals[0]:.3f}")


def write_grey(path, film):
    """Write frames of luma as a video without a loss."""
    frames = np.clip(np.rint(film), 0, 255).astype(np.uint8)
    raw = path.with_suffix(".raw")
    raw.write_bytes(frames.tobytes())
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    given = ["-f", "rawvideo", "-pixel_format", "gray", "-video_size", size, "-framerate", "25", "-i", str(raw)]
    ffmpeg.run([*given, "-pix_fmt", "yuv420p", "-c:v", "ffv1", "-y", str(path)])


def changes(frames):
    """Return the mean change of ab from frame to frame."""
    ab = [rgb_to_lab(frame)[..., 1:] for frame in frames]
    return np.mean([np.abs(after - before).mean() for before, after in itertools.pairwise(ab)])


def flicker(photos, name):
    """Print how much colors change from frame to frame, where exposure flickers, in the dark, and in faint contrast."""
    colorizer = Colorizer.from_pretrained(name)
    print(f"\n| {name}: film of one shot | false cuts | change of ab | without memory |\n|---|---|---|---|")
    makers = {
        "clean": lambda film: film,
        "flicker 2 %, grain, weave": lambda film: films.old(film, 0.02),
        "flicker 6 %, grain, weave": lambda film: films.old(film, 0.06),
        "dark (5 %), grain": lambda film: film * 0.05 + films.RANDOM.normal(0, 2, film.shape),
        "washed out (5 %), grain": lambda film: 190 + film * 0.05 + films.RANDOM.normal(0, 2, film.shape),
    }
    for word, make in makers.items():
        rows = []
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder) / "in.mkv", Path(folder) / "out.mkv"
            for photo in photos[:3]:
                write_grey(source, make(films.shot(photo, 60, 0.2)))
                for memory in ("scenes", "none"):
                    report = colorize_video(source, out, colorizer, codec="ffv1", memory=memory)
                    rows.append((len(report.cuts), changes(frames_of(out))))
        with_memory, without = np.mean(rows[::2], axis=0), np.mean(rows[1::2], axis=0)
        print(f"| {word} | {3 * with_memory[0]:.0f} | {with_memory[1]:.3f} | {without[1]:.3f} |", flush=True)


def references(clips, name):
    """Print what one reference, the true first or middle frame of a clip of one shot, brings."""
    colorizer = Colorizer.from_pretrained(name)
    print(f"\n| {name}: clip | | PSNR | CDC of ab alone | change of ab | drift of ab | fps |")
    print("|---|---|---|---|---|---|---|")
    for clip in clips:
        true = frames_of(clip, None)
        middle = len(true) // 2
        still = np.abs((true[0].astype(float) - true[-1]) @ LUMA) < 6
        options = {
            "automatic, without memory": {"memory": "none"},
            "automatic": {},
            "first frame": {"references": {0: true[0]}},
            "middle frame": {"references": {middle: true[middle]}},
        }
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "out.mkv"
            colorize_video(clip, path, colorizer, end=1)
            for word, chosen in options.items():
                report = colorize_video(clip, path, colorizer, **chosen)
                frames = frames_of(path, None)
                psnr = np.mean(
                    [-10 * np.log10(np.mean((a / 255.0 - b / 255.0) ** 2)) for a, b in zip(frames, true, strict=True)]
                )
                first, last = (rgb_to_lab(frames[index])[still][:, 1:] for index in (0, -1))
                drift = np.abs(first - last).mean()
                steady = cdc([chroma(frame) for frame in frames[:150]]), changes(frames[:150])
                rate = report.frames / report.seconds
                print(
                    f"| {Path(clip).name} | {word} | {psnr:.2f} | {steady[0]:.5f} | {steady[1]:.3f} | {drift:.2f} "
                    f"| {rate:.1f} |",
                    flush=True,
                )


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*")
    parser.add_argument("--model", default="efficientnet")
    parser.add_argument("--long", type=int, default=300, help="seconds of the long video")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--photographs", type=Path, help="folder of .jpg photographs for synthetic films")
    arguments = parser.parse_args()
    if arguments.only in (None, "speed"):
        speed(arguments.model)
    if arguments.only in (None, "codecs"):
        codecs(arguments.model)
    if arguments.only in (None, "memory"):
        memory(arguments.long)
    if arguments.clips and arguments.only in (None, "steadiness"):
        steadiness(arguments.clips, arguments.model)
    if arguments.clips and arguments.only in (None, "references"):
        references(arguments.clips, arguments.model)
    if arguments.photographs and arguments.only in (None, "cuts", "flicker"):
        photos = films.photographs(arguments.photographs)
        if arguments.only != "flicker":
            cuts(photos, arguments.clips)
        if arguments.only != "cuts":
            flicker(photos, arguments.model)


if __name__ == "__main__":
    main()

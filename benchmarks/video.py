#!/usr/bin/env python3
"""Video: presets and codecs of the encoder, memory, and steadiness of color. ``engine.py`` measures the speed.

    python benchmarks/video.py [CLIP ...] [--long SECONDS] [--photographs FOLDER] [--only PART]

Clips in color given on the command line, of one shot each, are measured for steadiness, with reference frames and with
presets of the encoder; codecs and memory are measured on ffmpeg's test pictures; cuts, flicker, scenes that come
back and the reach of hints on the photographs of a folder and on synthetic films made of them.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
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
import tables
from PIL import Image

from labcolor import Colorizer, Encoding, Look, colorize_video, lab_to_rgb, rgb_to_lab
from labcolor.io import ffmpeg
from labcolor.io.decoder import open_footage
from labcolor.io.formats import target_of
from labcolor.pictures.picture import as_picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.cells import cells_of
from labcolor.video.cuts import AHEAD, CutDetector

PARTS = ["presets", "codecs", "memory", "steadiness", "references", "cuts", "flicker", "scenes", "hints"]
LUMA = np.array([0.299, 0.587, 0.114])


def make_video(path, size, seconds):
    """Write a moving test video of 25 frames a second, with grain and a tone."""
    source = f"mandelbrot=size={size}:rate=25:start_scale=1,noise=alls=6:allf=t,format=gray,format=yuv420p"
    ffmpeg.run(["-f", "lavfi", "-i", source, "-f", "lavfi", "-i", "sine", "-t", str(seconds), "-y", str(path)])


PRESETS = "medium", "fast", "faster", "veryfast"


def similarity(path, source):
    """Return the SSIM of Y of a video with its source, as ffmpeg measures it, as text."""
    given = ["-i", str(path), "-i", str(source), "-lavfi", "[0:v][1:v]ssim", "-f", "null", "-"]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", *given]
    told = subprocess.run(program, check=True, capture_output=True, text=True).stderr
    return re.search(r"SSIM Y:(\d\.\d{4})", told)[1].removeprefix("0")


def presets(clips, name):
    """Print what presets of the H.264 encoder take, how large the results are, and how near to their source."""
    colorizer = Colorizer.from_pretrained(name)
    with tempfile.TemporaryDirectory() as folder, tables.Table("video_presets", "clip", *PRESETS) as table:
        grainy, out = Path(folder) / "grainy.mp4", Path(folder) / "out.mp4"
        make_video(grainy, "1280x720", 6)
        for clip in [*map(Path, clips), grainy]:
            took = {preset: [] for preset in PRESETS}
            told = {}
            for _ in range(3):
                for preset in PRESETS:
                    took[preset].append(
                        colorize_video(
                            clip, out, colorizer, encoding=Encoding(codec="h264", preset=preset), overwrite=True
                        ).seconds
                    )
                    told[preset] = f"{out.stat().st_size / 1000:,.0f} kB, {similarity(out, clip)}"
            cells = [f"{statistics.median(took[preset]):.2f} s, {told[preset]}" for preset in PRESETS]
            table.add("the test video with grain, 1280x720" if clip == grainy else clip.stem, *cells)


CODECS = (("h264", ".mp4"), ("hevc", ".mp4"), ("vp9", ".webm"), ("prores", ".mov"), ("dnxhr", ".mov"), ("ffv1", ".mkv"))


def codecs(name, size="768x432", seconds=4):
    """Print the rate of coloring with each codec beside that of a plain transcode with the same settings."""
    colorizer = Colorizer.from_pretrained(name)
    columns = "labcolor", "plain transcode", "share"
    with tempfile.TemporaryDirectory() as folder, tables.Table("video_codecs", f"codec, {size}", *columns) as table:
        source = Path(folder) / "in.mp4"
        make_video(source, size, seconds)
        for codec, ending in CODECS:
            ours, plain = Path(folder) / f"ours{ending}", Path(folder) / f"plain{ending}"
            rates = []
            for _ in range(2):
                report = colorize_video(source, ours, colorizer, encoding=Encoding(codec), overwrite=True)
                target = target_of(ours, open_footage(source), Encoding(codec))
                start = time.perf_counter()
                ffmpeg.run(["-i", str(source), *target.arguments, "-an", "-y", str(plain)])
                rates.append((report.frames / report.seconds, report.frames / (time.perf_counter() - start)))
            first, second = (max(column) for column in zip(*rates, strict=True))
            table.add(codec, f"{first:.1f} fps", f"{second:.1f} fps", f"{first / second:.2f}")


def memory(long):
    """Print the peak memory for a short and a long video."""
    code = (
        "import resource, sys; from labcolor import colorize_video; colorize_video(sys.argv[1], sys.argv[2]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    columns = "length, 320x240", "peak memory of the process"
    with tempfile.TemporaryDirectory() as folder, tables.Table("video_memory", *columns) as table:
        source, target = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        for seconds in (10, long):
            make_video(source, "320x240", seconds)
            command = [sys.executable, "-c", code, str(source), str(target)]
            peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            table.add(f"{seconds} s", f"{float(peak):.0f} MiB")


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


def frames_of(path):
    """Return decoded frames, (H, W, 3) uint8."""
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader]


def chroma(frame):
    """Return ab as bytes."""
    return np.clip(rgb_to_lab(frame)[..., 1:] + 128.5, 0, 255).astype(np.uint8)


def psnr(frames, true):
    """Return the mean PSNR of frames."""
    return np.mean(
        [-10 * np.log10(max(1e-9, np.mean((a / 255.0 - b / 255.0) ** 2))) for a, b in zip(frames, true, strict=True)]
    )


def changes(frames):
    """Return the mean change of ab from frame to frame."""
    ab = [rgb_to_lab(frame)[..., 1:] for frame in frames]
    return np.mean([np.abs(after - before).mean() for before, after in itertools.pairwise(ab)])


FIGURES = {"PSNR": 2, "CDC": 5, "CDC of ab alone": 5, "change of ab": 3, "drift of ab": 2, "CPU ms per frame": 1}
FIRST = 150  # frames of which CDC and change are the mean


def figures(frames, true):
    """Return the figures of a colored clip.

    Drift is the difference of ab between the first frame and the last, where the picture is the same in both. A grey
    clip has no CDC of ab alone, so that this is all that coloring adds.
    """
    still = np.abs((true[0].astype(float) - true[-1]) @ LUMA) < 6
    first, last = (rgb_to_lab(frames[index])[still][:, 1:] for index in (0, -1))
    drift = np.abs(first - last).mean()
    ab = cdc([chroma(frame) for frame in frames[:FIRST]])
    return psnr(frames, true), cdc(frames[:FIRST]), ab, changes(frames[:FIRST]), drift


def pans(folder, place, count=8):
    """Write and return clips in color, of a camera that pans over photographs of a folder."""
    paths = []
    for number, photo in enumerate(films.photographs(folder, "RGB", np.uint8)[:count]):
        paths.append(place / f"{number}.mkv")
        write_film(paths[-1], films.shot(photo, 50, 1.0, 0.1))
    return paths


def measured(table, clips, kinds, name):
    """Add the mean figures of clips of one name, as they are and colored with several options."""
    colorizer = Colorizer.from_pretrained(name)
    for word, paths in clips.items():
        for kind, options_of in kinds.items():
            rows = []
            for path in paths:
                true = frames_of(path)
                if options_of is None:
                    rows.append((*figures(true, true), np.nan))
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    before = sum(os.times()[:4])  # of this process and of ffmpeg
                    report = colorize_video(path, Path(folder) / "out.mkv", colorizer, **options_of(true))
                    used = sum(os.times()[:4]) - before
                    found = frames_of(Path(folder) / "out.mkv")
                rows.append((*figures(found, true), 1000 * used / report.frames))
            shown = zip(np.mean(rows, axis=0), FIGURES.values(), strict=True)
            cells = ["" if np.isnan(value) else f"{value:.{digits}f}" for value, digits in shown]
            table.add(word, kind, *(["", *cells[1:]] if options_of is None else cells))


def steadiness(clips, name):
    """Print how near to the truth and how steady clips are: grey, frame by frame, smoothed, and with the memory."""
    kinds = {
        "the clip in color": None,
        "grey": lambda true: {"saturation": 0},
        "frame by frame": lambda true: {"look": Look(smoothing=0, consistency=False)},
        "smoothed": lambda true: {"look": Look(consistency=False)},
        "smoothed, memory": lambda true: {},
    }
    with tables.Table("video_steadiness", "clip", "colored", *FIGURES) as table:
        measured(table, clips, kinds, name)


def references(clips, name):
    """Print what one reference, the true first or middle frame of a clip of one shot, brings."""
    kinds = {
        "the clip in color": None,
        "automatic": lambda true: {},
        "first frame": lambda true: {"references": {0: true[0]}},
        "middle frame": lambda true: {"references": {len(true) // 2: true[len(true) // 2]}},
    }
    with tables.Table("video_references", "clip", "reference", *FIGURES) as table:
        measured(table, clips, kinds, name)


def lightness(film):
    """Return L of frames of luma, as the network sees them."""
    pictures = (as_picture(np.clip(np.rint(frame), 0, 255).astype(np.uint8), "frame") for frame in film)
    return [SmallPicture.of(picture, films.HEIGHT).lightness for picture in pictures]


def detected(film, pace=1.0):
    """Return the cuts of frames of L, or of their cells."""
    detector, film = CutDetector(pace=pace), [cells_of(frame) for frame in film]
    found = [detector.update(frame, film[index + 1 : index + 1 + AHEAD]) for index, frame in enumerate(film)]
    return [*itertools.chain(*found), *detector.finish()]


def resized(frame):
    """Return a whole frame in the size of the synthetic films."""
    return np.asarray(Image.fromarray(frame).resize((films.WIDTH, films.HEIGHT), Image.Resampling.BOX))


def joined(clips, seconds):
    """Print the false cuts of long films of parts of clips in turn, whose exposure flickers, with grain and weave."""
    if len(clips) < 2:
        return
    parts = [np.stack([resized(frame) @ LUMA for frame in frames_of(clip)]).astype(np.float32) for clip in clips]
    with tables.Table("video_joined", "flicker", "frames", "cuts", "found", "false") as table:
        for flicker in (0.02, 0.06, 0.12):
            film, true = [], []
            for turn in range(round(seconds / 3 * 25 / 125)):
                part = parts[turn % len(parts)]
                start = int(films.RANDOM.integers(len(part) - 125))
                true += [len(film)] if turn else []
                film += [cells_of(frame) for frame in lightness(films.old(part[start : start + 125], flicker))]
            cuts = {cut.frame for cut in detected(film)}
            counts = len(film), len(true), len(cuts & set(true)), len(cuts - set(true))
            table.add(f"{flicker:.0%}", *(f"{count:,}" for count in counts))


def cuts(photos, clips, seconds):
    """Print the precision and recall of the cuts that are found."""
    joined(clips, seconds)
    made = itertools.chain(films.films_with_cuts(photos), films.films_with_transitions(photos[::-1]))
    named = [(name, lightness(film), true) for name, film, true in made]
    real = [[frame @ LUMA for frame in frames_of(clip)[:400]] for clip in clips]
    named += [(Path(clip).stem, lightness(film), []) for clip, film in zip(clips, real, strict=True)]
    parts = [[film[start : start + 50] for start in range(0, 150, 50)] for film in real]
    turns = [part for turn in zip(*parts, strict=True) for part in turn]  # of each clip in turn
    if len(real) > 1:
        film = [frame[: films.HEIGHT, : films.WIDTH] for part in turns for frame in part]
        named.append(("clips in turn", lightness(film), [(cut, cut) for cut in range(50, len(film), 50)]))
    totals = np.zeros(4, int)
    with tables.Table("video_cuts", "film", "frames", "cuts", "found", "false") as table:
        for name, film, true in named:
            left, hits, false = list(true), 0, 0
            for cut in detected(film):
                match = next((span for span in left if span[0] - 1 <= cut.frame <= span[1] + 1), None)
                if match is None:
                    false += 1
                else:
                    left.remove(match)
                    hits += 1
            counts = len(film), len(true), hits, false
            totals += counts
            table.add(name, *map(str, counts))
        table.add("all of them", *(f"{total:,}" for total in totals))
    _, true, hits, false = totals
    print(f"\nprecision {hits / (hits + false):.3f}, recall {hits / true:.3f}")


def write_film(path, film):
    """Write frames of luma or of RGB as a video without a loss."""
    frames = np.clip(np.rint(film), 0, 255).astype(np.uint8)
    raw = path.with_suffix(".raw")
    raw.write_bytes(frames.tobytes())
    pixels, stored = ("gray", "yuv420p") if frames.ndim == 3 else ("rgb24", "yuv444p")
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    given = ["-f", "rawvideo", "-pixel_format", pixels, "-video_size", size, "-framerate", "25", "-i", str(raw)]
    ffmpeg.run([*given, "-pix_fmt", stored, "-c:v", "ffv1", "-y", str(path)])
    raw.unlink()


def flicker(photos, name):
    """Print how much colors change from frame to frame, where exposure flickers, in the dark, and in faint contrast."""
    colorizer = Colorizer.from_pretrained(name)
    makers = {
        "clean": lambda film: film,
        "grain, weave": lambda film: films.old(film, 0),
        "flicker 2 %, grain, weave": lambda film: films.old(film, 0.02),
        "flicker 6 %, grain, weave": lambda film: films.old(film, 0.06),
        "dark (5 %), grain": lambda film: film * 0.05 + films.RANDOM.normal(0, 2, film.shape),
        "washed out (5 %), grain": lambda film: 190 + film * 0.05 + films.RANDOM.normal(0, 2, film.shape),
    }
    columns = "film of one shot", "false cuts", "change of ab", "without memory"
    with tempfile.TemporaryDirectory() as folder, tables.Table("video_flicker", *columns) as table:
        source, out = Path(folder) / "in.mkv", Path(folder) / "out.mkv"
        for word, make in makers.items():
            rows = []
            for photo in photos[:3]:
                write_film(source, make(films.shot(photo, 60, 0.2)))
                for memory in (True, False):
                    report = colorize_video(
                        source,
                        out,
                        colorizer,
                        encoding=Encoding(codec="ffv1"),
                        look=Look(consistency=memory),
                        overwrite=True,
                    )
                    rows.append((len(report.cuts), changes(frames_of(out))))
            with_memory, without = np.mean(rows[::2], axis=0), np.mean(rows[1::2], axis=0)
            table.add(word, f"{3 * with_memory[0]:.0f}", f"{with_memory[1]:.3f}", f"{without[1]:.3f}")


def films_with_returns(photos, clips):
    """Yield films of several shots: a name, luma, and pairs of frames that are alike, before and after another shot."""
    for first, second in zip(photos[:12:2], photos[1:12:2], strict=True):
        pan = films.shot(first, 80, 0.5)
        film = np.concatenate([pan[:40], films.shot(second, 40, 0.5), pan[40:]])
        yield "photographs", films.old(film, 0.02, 4, 0.5), [(39, 80)]
    if len(clips) > 1:
        parts = [np.stack([frame @ LUMA for frame in frames_of(clip)[:100]]) for clip in clips[:2]]
        turns = [part[start : start + 50, : films.HEIGHT, : films.WIDTH] for start in (0, 50) for part in parts]
        yield "clips in turn", np.concatenate(turns), [(49, 100), (99, 150)]


def scenes(photos, clips, name):
    """Print how far colors differ when a scene comes back after another shot, and what the other shot takes of it."""
    colorizer = Colorizer.from_pretrained(name)
    rows = {}
    for word, film, returns in films_with_returns(photos, clips):
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder) / "in.mkv", Path(folder) / "out.mkv"
            write_film(source, film)
            others = None
            for memory in (False, True):
                cuts = [frame for pair in returns for frame in (pair[0] + 1, pair[1])]
                colorize_video(
                    source,
                    out,
                    colorizer,
                    encoding=Encoding(codec="ffv1"),
                    look=Look(consistency=memory),
                    overwrite=True,
                    shots=sorted(set(cuts)),
                )
                ab = [rgb_to_lab(frame)[..., 1:] for frame in frames_of(out)]
                there = np.stack(ab[returns[0][0] + 1 : returns[0][1]])
                others = there if others is None else others
                back = np.mean([np.abs(ab[after] - ab[before]).mean() for before, after in returns])
                usual = np.mean([np.abs(ab[before] - ab[before - 1]).mean() for before, _ in returns])
                rows.setdefault((word, "scenes" if memory else "none"), []).append(
                    (back, usual, np.abs(there - others).mean())
                )
    columns = "change of ab at the return", "from frame to frame", "in the other shot"
    with tables.Table("video_scenes", "film", "memory", *columns) as table:
        for (word, memory), found in rows.items():
            table.add(word, memory, *(f"{value:.2f}" for value in np.mean(found, axis=0)))


def hints(folder, name, count=40):
    """Print how far a stroke of 20 x 40 pixels reaches: of the true color, and of the opposite hue."""
    colorizer = Colorizer.from_pretrained(name)
    rows = {"none": [], "the true color": [], "the opposite hue": [], "the same, half of the picture fenced off": []}
    random = np.random.default_rng(0)
    for path in sorted(folder.rglob("*.jpg"))[:count]:
        true = np.asarray(Image.open(path).convert("RGB"))
        ab = rgb_to_lab(true)[..., 1:]
        row, column = (int(random.integers(0, side - size)) for side, size in zip(ab.shape, (20, 40), strict=False))
        color = ab[row : row + 20, column : column + 40].mean(axis=(0, 1))
        opposite = -color * max(1, 40 / (np.linalg.norm(color) + 1e-6))
        plain = colorizer.predict(true)
        for word, found in rows.items():
            hints = []
            if "fenced" in word:
                quarter, bottom = ab.shape[1] // 4, ab.shape[0] - 1
                middle = 3 * quarter if column + 20 < ab.shape[1] / 2 else quarter
                hints.append((middle, 0, middle, bottom, "fence", quarter))
            if word != "none":
                lab = np.float32([60, *(color if word == "the true color" else opposite)])
                stroke = (column + 10, row + 10, column + 30, row + 10)
                hints.append((*stroke, lab_to_rgb(lab, dtype=np.uint8).tobytes().hex(), 10))
            result = colorizer.predict(true, hints=hints)
            moved = np.linalg.norm(rgb_to_lab(result)[..., 1:] - rgb_to_lab(plain)[..., 1:], axis=2) > 8
            found.append((psnr([result], [true]), 100 * moved.mean()))
    with tables.Table("video_hints", "stroke of 20 x 40 pixels", "PSNR", "ab changes by more than 8 in") as table:
        for word, found in rows.items():
            mean, share = np.mean(found, axis=0)
            table.add(word, f"{mean:.2f}", f"{share:.1f} % of the picture")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*")
    parser.add_argument("--model", default="efficientnet")
    parser.add_argument("--long", type=int, default=300, help="seconds of the long videos")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--photographs", type=Path, help="folder of .jpg photographs for synthetic films")
    arguments = tables.parse(parser)
    if arguments.only in (None, "presets"):
        presets(arguments.clips, arguments.model)
    if arguments.only in (None, "codecs"):
        codecs(arguments.model)
    if arguments.only in (None, "memory"):
        memory(arguments.long)
    with tempfile.TemporaryDirectory() as folder:
        clips = {Path(clip).stem: [clip] for clip in arguments.clips}
        if arguments.photographs and arguments.only in (None, "steadiness", "references"):
            clips["pans over photographs"] = pans(arguments.photographs, Path(folder))
        if arguments.only in (None, "steadiness"):
            steadiness(clips, arguments.model)
        if arguments.only in (None, "references"):
            references(clips, arguments.model)
    if arguments.photographs:
        photos = films.photographs(arguments.photographs)
        if arguments.only in (None, "cuts"):
            cuts(photos, arguments.clips, arguments.long)
        if arguments.only in (None, "flicker"):
            flicker(photos, arguments.model)
        if arguments.only in (None, "scenes"):
            scenes(photos, arguments.clips, arguments.model)
        if arguments.only in (None, "hints"):
            hints(arguments.photographs, arguments.model)


if __name__ == "__main__":
    main()

"""Synthetic films, made of photographs, whose cuts are known: dissolves, wipes, fades, flashes, flicker, motion."""

from __future__ import annotations

import itertools

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 160, 212
RANDOM = np.random.default_rng(1)


def photographs(folder, mode="L", dtype=np.float32):
    """Return the photographs of a folder and its subfolders in grey, or as RGB, wider than high."""
    found = []
    for path in sorted(folder.rglob("*.jpg")):
        photo = np.asarray(Image.open(path).convert(mode), dtype)
        found.append(photo if photo.shape[0] < photo.shape[1] else photo.swapaxes(0, 1)[:, ::-1])
    return found


def shot(photo, frames, speed=1.0, zoom=0.0):
    """Return a shot of a camera that pans over a photograph."""
    angle, image = RANDOM.uniform(0, 2 * np.pi), Image.fromarray(np.ascontiguousarray(photo))
    height = 0.62 * photo.shape[0]
    size = np.array([height, height * WIDTH / HEIGHT])
    most = np.array(photo.shape[:2]) - size
    film = []
    for frame in range(frames):
        corner = np.clip(most / 2 + np.array([np.sin(angle), np.cos(angle)]) * speed * frame, 0, most)
        scale = 1 - zoom * frame / frames
        (top, left), (down, across) = corner + size * (1 - scale) / 2, size * scale
        film.append(image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, (left, top, left + across, top + down)))
    return np.stack([np.asarray(frame) for frame in film])


def travel(photo, frames, speed, zoom=0.0):
    """Return a shot of a camera that travels through a photograph: its speed in pixels of the film a frame."""
    sides, view = np.array(photo.shape), 0.5 * photo.shape[0] * np.array([1, WIDTH / HEIGHT])
    angle = RANDOM.uniform(-0.5, 0.5) + RANDOM.choice([0, np.pi])
    path = np.array([np.sin(angle), np.cos(angle)]) * speed * frames * view[0] / HEIGHT
    path *= min(1, *((sides - view) / np.maximum(np.abs(path), 1e-6)))
    corner = np.maximum(-path, 0) + RANDOM.uniform(0, 1, 2) * (sides - view - np.abs(path))
    image, film = Image.fromarray(np.ascontiguousarray(photo)), []
    for frame in range(frames):
        share = frame / frames if zoom > 0 else 1 - frame / frames
        size = view * (1 - abs(zoom) * share)
        top, left = corner + path * frame / frames + (view - size) / 2
        box = left, top, left + size[1], top + size[0]
        film.append(image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box))
    return np.stack([np.asarray(frame) for frame in film])


def old(film, flicker, grain=8.0, weave=1.0):
    """Return a film with an exposure that flickers, grain, and weave."""
    frames = []
    for frame in film:
        down, across = RANDOM.normal(0, weave, 2)
        moved = Image.fromarray(frame).transform(
            (WIDTH, HEIGHT), Image.Transform.AFFINE, (1, 0, across, 0, 1, down), Image.Resampling.BILINEAR
        )
        gain, offset = 1 + RANDOM.normal(0, flicker), RANDOM.normal(0, 30 * flicker)
        frames.append(np.asarray(moved) * gain + offset + RANDOM.normal(0, grain, frame.shape))
    return np.clip(np.stack(frames), 0, 255)


def dissolved(first, second, length):
    """Return two shots that dissolve into each other."""
    share = np.linspace(0, 1, length + 2)[1:-1, None, None]
    return np.concatenate([first[:-length], first[-length:] * (1 - share) + second[:length] * share, second[length:]])


def wiped(first, second, length, kind):
    """Return two shots of which the second wipes the first away, with a soft edge."""
    down, across = np.meshgrid(np.linspace(-1, 1, HEIGHT), np.linspace(-1, 1, WIDTH), indexing="ij")
    fields = {"sideways": across, "down": down, "diagonal": across + down, "barn doors": np.abs(across)}
    field = fields.get(kind, np.hypot(across * WIDTH / HEIGHT, down))
    field = (field - field.min()) / np.ptp(field)
    progress = np.linspace(0, 1, length + 2)[1:-1, None, None]
    share = np.clip((progress * 1.03 - field) / 0.03, 0, 1)
    return np.concatenate([first[:-length], first[-length:] * (1 - share) + second[:length] * share, second[length:]])


def films_with_transitions(photos):
    """Yield films of moving cameras with dissolves and wipes, as :func:`films_with_cuts`."""
    photos = itertools.cycle(photos)
    for length in (8, 12, 16, 24, 36):
        film, cuts = travel(next(photos), 45 + length, RANDOM.uniform(0.6, 3)), []
        for _ in range(12):
            cuts.append((len(film) - length, len(film)))
            after = travel(next(photos), 45 + 2 * length, RANDOM.uniform(0.6, 3), RANDOM.choice([-0.2, 0, 0.3]))
            film = dissolved(film, after, length)
        yield f"dissolves of {length}, camera moves", film, cuts
    for kind in ("sideways", "down", "diagonal", "barn doors", "iris"):
        film, cuts = travel(next(photos), 45, 0.5), []
        for length in (8, 16, 24, 36):
            cuts.append((len(film) - length, len(film)))
            film = wiped(film, travel(next(photos), 45 + 2 * length, RANDOM.choice([0.1, 1, 2])), length, kind)
        yield f"wipes, {kind}", film, cuts
    for speed in (1, 2, 4, 8):
        yield f"one shot, camera moves {speed} pixels a frame", travel(next(photos), 240, speed, 0.3), []
        film = old(travel(next(photos), 240, speed), 0.06)
        yield f"the same, flicker 6 % ({speed})", film, []
    film, cuts = travel(next(photos), 60, 1), []
    for length in (8, 16, 16, 24, 24):
        cuts.append((len(film) - length, len(film)))
        film = dissolved(film, travel(next(photos), 45 + 2 * length, 1.5), length)
    yield "dissolves of 8 to 24, camera moves, flicker 4 %", old(film, 0.04), cuts


def films_with_cuts(photos):
    """Yield films: their name, their frames, and the first and last frame at which each cut counts as found."""

    def several(photos, frames, **how):
        film = np.concatenate([shot(photo, frames, **how) for photo in photos])
        return film, [(number, number) for number in range(frames, len(film), frames)]

    photos = itertools.cycle(photos)

    def take(count):
        return [next(photos) for _ in range(count)]

    yield "slow pans", *several(take(12), 20)
    film, cuts = several(take(12), 20)
    yield "old film, flicker 6 %", old(film, 0.06), cuts
    film, cuts = several(take(12), 20)
    yield "old film, flicker 12 %", old(film, 0.12, 12, 1.5), cuts
    film, cuts = several(take(12), 20)
    yield "dark shots", film * 0.12 + RANDOM.normal(0, 1.5, film.shape), cuts
    yield "fast motion", *several(take(12), 12, speed=14, zoom=0.2)
    yield "short shots", *several(take(10), 6)
    for flicker in (0.02, 0.06, 0.15):
        yield f"one shot, flicker {100 * flicker:g} %", old(shot(next(photos), 100, 0.3), flicker), []
    film, cuts = several(take(6), 40, speed=0.5)
    for number in range(0, 240, 40):
        film[number + 10 : number + 12] = film[number + 10 : number + 12] * 1.5 + 90
        film[number + 20] = 250
        film[number + 25 : number + 28] = film[number + 25 : number + 28] * 2.2 + 60
    yield "flashes", film, cuts
    for length in (8, 16, 30):
        film, cuts = shot(next(photos), 40, 0.5), []
        for photo in take(5):
            cuts.append((len(film) - length, len(film)))
            film = dissolved(film, shot(photo, 40 + length, 0.5), length)
        yield f"dissolves of {length}", film, cuts
    film, cuts = several(take(6), 50, speed=0.5)
    fade = np.concatenate([np.linspace(0, 1, 12), np.ones(26), np.linspace(1, 0, 12)])
    yield "fades through black", film * np.tile(fade, 6)[:, None, None], [(cut - 2, cut + 4) for cut, _ in cuts]
    film, cuts = several(take(6), 50, speed=0.5)
    shares = np.tile(fade, 6)[:, None, None]
    yield "fades through white", film * shares + 255 * (1 - shares), [(cut - 2, cut + 4) for cut, _ in cuts]
    fade = np.concatenate([np.ones(20), np.linspace(1, 0, 12), np.linspace(0, 1, 12), np.ones(20)])
    yield "a fade within one shot", shot(next(photos), 64, 0.5) * fade[:, None, None], []

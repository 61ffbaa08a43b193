"""Shots hold together: one thing keeps one color, across shots of one scene too, and the dark does not flash."""

import numpy as np
import pytest
import skimage.data

from labcolor import Look, colorize_frames, rgb_to_lab
from labcolor.known.matching import match
from labcolor.video.memory import SHARPNESS, ColorMemory

RANDOM = np.random.default_rng(0)
ROWS, COLUMNS = 12, 16
THINGS = np.array([[0, 1, 2, 3], [2, 3, 0, 1], [1, 0, 3, 2]]).repeat(4, axis=0).repeat(4, axis=1)
PLACES = (5 * RANDOM.normal(0, 1, (4, 8))).astype(np.float32)


def keys(noise=0.05):
    """Where the places of a frame with four things are."""
    return (PLACES[THINGS.reshape(-1)] + RANDOM.normal(0, noise, (ROWS * COLUMNS, 8))).astype(np.float32)


def colors(values):
    """Chroma of a frame, from the color of each thing."""
    return np.asarray(values, np.float32)[THINGS]


LIGHT = np.full((ROWS, COLUMNS), 50, np.float32)
COLORS = np.array([(40, 0), (-30, 20), (0, -40), (10, 30)], np.float32)


def test_what_is_similar_is_recalled():
    """Each place gets the color of the thing that it shows, and says how similar it is."""
    ab, distance, *_ = match(keys(), PLACES, COLORS, SHARPNESS)
    np.testing.assert_allclose(ab, colors(COLORS).reshape(-1, 2), atol=0.1)
    assert distance.max() < 1
    assert match(keys() + 100, PLACES, COLORS, SHARPNESS).distance.min() > 1000


def test_one_thing_keeps_one_color():
    """While guesses for a thing swing, its color stays close to its mean; the others stay as they are."""
    memory = ColorMemory()
    held, guessed = [], []
    for frame in range(40):
        swing = COLORS + np.array([[25 * np.cos(frame), 0], [0, 0], [0, 0], [0, 0]], np.float32)
        guessed.append(colors(swing))
        held.append(memory.hold(guessed[-1], keys(), LIGHT))
    assert np.abs(np.diff(held, axis=0)).mean() < 0.4 * np.abs(np.diff(guessed, axis=0)).mean()
    assert np.abs(held[-1] - colors(COLORS)).mean() < 3


def test_a_new_thing_keeps_its_own_color():
    """What was never seen is not colored like what is known, and is then remembered."""
    memory = ColorMemory()
    memory.hold(colors(COLORS), keys(), LIGHT)
    there = keys().reshape(ROWS, COLUMNS, 8)
    there[4:8, 4:8] += 60
    ab = colors(COLORS).copy()
    ab[4:8, 4:8] = (-50, -50)
    assert np.abs(memory.hold(ab, there.reshape(-1, 8), LIGHT)[5:7, 5:7] - (-50, -50)).max() < 3
    for _ in range(30):
        memory.hold(ab, there.reshape(-1, 8), LIGHT)
    changed = ab.copy()
    changed[4:8, 4:8] = (0, 0)
    assert np.abs(memory.hold(changed, there.reshape(-1, 8), LIGHT)[5:7, 5:7] - (-50, -50)).mean() < 25


def test_a_darker_exposure_has_weaker_colors():
    """When the picture darkens, what is remembered weakens in proportion, and is not forgotten."""
    memory = ColorMemory()
    for _ in range(20):
        memory.hold(colors(COLORS), keys(), LIGHT)
    dark = memory.hold(np.zeros_like(colors(COLORS)), keys(), LIGHT / 4)
    share = (50 / 4 + 16) / (50 + 16)
    assert np.abs(dark - share * colors(COLORS)).mean() < 3
    assert np.abs(memory.hold(colors(COLORS), keys(), LIGHT) - colors(COLORS)).mean() < 3


def test_a_brighter_exposure_is_learned_anew():
    """After a fade-in, things have the colors that are guessed in the light, not the weak ones of the first frames."""
    memory = ColorMemory()
    for step in range(1, 11):
        light = LIGHT * step / 10
        held = memory.hold(colors(COLORS) * (light[..., None] + 16) / 66, keys(), light)
    assert np.abs(held - colors(COLORS)).mean() < 3


def test_a_scene_is_known_again():
    """A memory knows the frames of its scene, and no others."""
    memory = ColorMemory()
    assert memory.alike(keys()) < 0
    memory.hold(colors(COLORS), keys(), LIGHT)
    assert memory.alike(keys()) > 0
    assert memory.alike(keys() + 30) < 0


def test_another_photograph_is_another_scene(classifier):
    """After a cut, what was remembered of another photograph changes nothing."""
    coffee, astronaut = (
        getattr(skimage.data, name)().mean(axis=-1).astype(np.uint8) for name in ("coffee", "astronaut")
    )
    film = [coffee[133:, 200:], astronaut[170:, 170:]]
    scenes = list(colorize_frames(film, classifier, shots=[1]))
    np.testing.assert_array_equal(scenes[1], next(colorize_frames(film[1:], classifier)))


@pytest.mark.parametrize(("level", "contrast"), [(4, 1), (215, 1)])
def test_what_shows_nothing_is_not_colored(reference, level, contrast):
    """Where there is only darkness, or only glare, with grain, the guesses of the network do not flash."""
    film = level + RANDOM.normal(0, contrast, (4, 96, 128))
    film = np.clip(np.rint(film), 0, 255).astype(np.uint8)
    ab = [np.abs(rgb_to_lab(frame)[..., 1:]).mean() for frame in colorize_frames(film, reference)]
    guessed = [
        np.abs(rgb_to_lab(frame)[..., 1:]).mean() for frame in colorize_frames(film, reference, look=Look(smoothing=0))
    ]
    assert np.mean(ab) < 0.3 * np.mean(guessed)
    film[:, :12], film[:, -12:] = 0, 0  # bars show nothing either
    ab = [np.abs(rgb_to_lab(frame)[12:-12, :, 1:]).mean() for frame in colorize_frames(film, reference)]
    assert np.mean(ab) < 0.3 * np.mean(guessed)

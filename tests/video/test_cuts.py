"""Cuts: one for each event, none for flicker, flashes, fades of one shot or fast motion."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from labcolor.video.cells import cells_of
from labcolor.video.cuts import AHEAD, CutDetector

SIZE = 120, 160


def scene(seed, size=(240, 480)):
    """A picture with structure of many sizes, L."""
    random = np.random.default_rng(seed)
    parts = [ndimage.gaussian_filter(random.normal(0, 1, size), width) * width for width in (3, 10, 30)]
    total = sum(parts)
    return np.clip(50 + 20 * total / total.std(), 0, 100).astype(np.float32)


def shot(seed, frames=20, speed=0.5):
    """A shot of a camera that pans over a picture."""
    wide = scene(seed)
    starts = [60 + round(speed * frame) for frame in range(frames)]
    return np.stack([wide[40 : 40 + SIZE[0], start : start + SIZE[1]] for start in starts])


def old(film, flicker=0.06):
    """A film whose exposure flickers, with grain and weave."""
    random = np.random.default_rng(0)
    frames = []
    for frame in film:
        moved = ndimage.shift(frame, random.normal(0, 0.7, 2), order=1, mode="nearest")
        frames.append(moved * random.normal(1, flicker) + random.normal(0, 50 * flicker) + random.normal(0, 3, SIZE))
    return np.clip(frames, 0, 100).astype(np.float32)


def cuts(film, ahead=AHEAD):
    """Frames of the cuts that are found."""
    return [cut.frame for cut in found(film, ahead)]


def found(film, ahead=AHEAD):
    """Cuts that are found."""
    detector, film = CutDetector(), [cells_of(frame) for frame in film]
    cuts = [detector.update(frame, film[index + 1 : index + 1 + ahead]) for index, frame in enumerate(film)]
    return [*itertools.chain(*cuts), *detector.finish()]


THREE = np.concatenate([shot(seed) for seed in range(3)])


@pytest.mark.parametrize("ahead", [0, AHEAD])
@pytest.mark.parametrize(
    "film",
    {
        "clean": THREE,
        "flicker, grain and weave": old(THREE),
        "dark": THREE * 0.08,
        "fast motion": np.concatenate([shot(seed, speed=9) for seed in range(3)]),
        "an exposure that changes": THREE * np.linspace(0.3, 1, 60)[:, None, None],
    }.items(),
    ids=lambda item: item[0],
)
def test_each_cut_is_found_once(film, ahead):
    """Three shots have two cuts: clean, in flicker, in the dark, and with fast motion, which are none themselves."""
    assert cuts(film[1].astype(np.float32), ahead) == [20, 40]


@pytest.mark.parametrize("flicker", [0.02, 0.06, 0.12])
def test_flicker_is_no_cut(flicker):
    """One shot with grain, weave and flicker has no cut in a hundred frames."""
    assert cuts(old(shot(5, 100), flicker)) == []


def test_flashes_are_no_cuts():
    """Frames that are white, over-exposed or of another picture, and gone after a moment, are no cuts."""
    film = shot(7, 60)
    film[10] = 100
    film[20:23] = np.clip(film[20:23] * 2 + 30, 0, 100)
    film[40] = scene(8)[: SIZE[0], : SIZE[1]]
    assert cuts(film) == []


def test_fades():
    """A fade to black and back is a cut where another shot follows, at its first frame that shows something."""
    down, up = np.linspace(1, 0, 12)[:, None, None], np.linspace(0, 1, 12)[:, None, None]
    first, same, other = shot(3, 30), shot(3, 30), shot(4, 30)
    first[-12:] *= down
    for after in (same, other):
        after[:12] *= up
    assert cuts(np.concatenate([first, np.zeros((4, *SIZE), np.float32), same])) == []
    (cut,) = cuts(np.concatenate([first, np.zeros((4, *SIZE), np.float32), other]))
    assert 34 <= cut <= 37


@pytest.mark.parametrize("length", [8, 16, 30])
def test_a_dissolve_is_one_cut_in_its_middle(length):
    """Between two shots that dissolve into each other is one cut, within the dissolve."""
    first, second = shot(0, 60, 0.2), shot(1, 60, 0.2)
    share = np.linspace(0, 1, length)[:, None, None].astype(np.float32)
    both = first[-length:] * (1 - share) + second[:length] * share
    (cut,) = cuts(np.concatenate([first[:-length], both, second[length:]]))
    assert 60 - length <= cut <= 60


def travel(seed, frames, speed):
    """A shot of a camera that travels at a speed, which may be below 0."""
    wide = scene(seed, (140, 160 + round(abs(speed) * frames) + 2))
    starts = [round(speed * (frame if speed > 0 else frame - frames)) for frame in range(frames)]
    return np.stack([wide[10 : 10 + SIZE[0], start : start + SIZE[1]] for start in starts])


@pytest.mark.parametrize("length", [8, 16, 30])
def test_a_dissolve_is_found_while_the_camera_moves(length):
    """Two shots of moving cameras that dissolve into each other are divided once, near the middle, as a dissolve."""
    first, second = travel(0, 40 + length, 1.5), travel(1, 40 + length, -2.0)
    share = np.linspace(0, 1, length)[:, None, None].astype(np.float32)
    both = first[-length:] * (1 - share) + second[:length] * share
    (cut,) = found(np.concatenate([first[:-length], both, second[length:]]))
    assert cut.kind == "dissolve"
    assert cut.confidence > 0.8
    assert abs(cut.frame - 40 - length / 2) <= length / 4 + 3


@pytest.mark.parametrize("speed", [0.5, 1.5, 3, -6])
def test_a_camera_that_moves_is_no_cut(speed):
    """A shot of a moving camera is one shot, whatever the speed, with flicker and without."""
    film = travel(2, 100, speed)
    assert cuts(film) == []
    assert cuts(old(film)) == []


@pytest.mark.parametrize("kind", ["sideways", "iris"])
def test_a_wipe_is_found_once(kind):
    """A wipe is one cut, of its kind, in its middle."""
    down, across = np.mgrid[-1 : 1 : SIZE[0] * 1j, -1 : 1 : SIZE[1] * 1j]
    field = (across + 1) / 2 if kind == "sideways" else np.hypot(across, down) / np.sqrt(2)
    first, second = travel(3, 64, 0.5), travel(4, 64, 0.5)
    share = np.clip((np.linspace(0, 1, 24)[:, None, None] - field) / 0.02 + 0.5, 0, 1)
    both = first[-24:] * (1 - share) + second[:24] * share
    (cut,) = found(np.concatenate([first[:-24], both, second[24:]]).astype(np.float32))
    assert cut.kind == "wipe"
    assert 44 <= cut.frame <= 60


def test_each_cut_has_its_kind():
    """A straight cut is a cut, and what follows black is a fade; both are sure."""
    down, up = np.linspace(1, 0, 12)[:, None, None], np.linspace(0, 1, 12)[:, None, None]
    second, third = shot(1, 40), shot(2, 40)
    second[-12:] *= down
    third[:12] *= up
    cut, fade = found(np.concatenate([shot(0), second, np.zeros((4, *SIZE), np.float32), third]))
    assert (cut.frame, cut.kind, fade.kind) == (20, "cut", "fade")
    assert 64 <= fade.frame <= 68
    assert min(cut.confidence, fade.confidence) > 0.8


def test_the_frames_of_a_fade_are_no_shots():
    """A film of 160 x 90 in whole numbers that fades in from black, with grain, is one shot."""
    random = np.random.default_rng(0)
    film = shot(6, 60)[:, :90]
    film[:40] *= np.linspace(0, 1, 40)[:, None, None]
    noisy = np.clip(np.rint(film * 2 + random.normal(0, 1, film.shape)), 0, 200) / 2
    assert cuts(np.rint(film * 2).astype(np.float32) / 2) == []
    assert cuts(noisy.astype(np.float32)) == []

"""Steady colors: held where the picture rests, new where it moves, and never carried across a cut."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy import ndimage

from labcolor import Look, colorize_frames, rgb_to_lab
from labcolor.colorizer import pipeline_of
from labcolor.inference.pipeline import Prediction
from labcolor.io.inputs import as_pictures
from labcolor.io.times import pace_of
from labcolor.pictures.small import SmallPicture
from labcolor.video.frame_difference import outline
from labcolor.video.shots import Shot
from labcolor.video.stream import ChromaStream
from labcolor.video.temporal import ChromaSmoother, chroma_between

RANDOM = np.random.default_rng(0)


def grain(frames=12):
    """A photograph at rest, with film grain."""
    import skimage.data

    still = skimage.data.camera()[::2, ::2].astype(float)
    return np.clip(still + RANDOM.normal(0, 8, (frames, *still.shape)), 0, 255).astype(np.uint8)


def network_maps(colorizer, frames):
    """The small pictures of frames, and the chroma that the network gives each."""
    pipeline = pipeline_of(colorizer)
    small = [SmallPicture.of(picture, pipeline.working_size) for picture in as_pictures(frames)[0]]
    return small, pipeline.chroma(small)


def smoothed(smoother, lightness, ab):
    """The smoothed chroma of the next frame of L."""
    return smoother.update(outline(lightness, ab.shape), ab)


def flicker(colorizer, frames, smoothing):
    """Mean change of ab from frame to frame, of the small maps."""
    smoother = ChromaSmoother(smoothing, stride=pipeline_of(colorizer).stride)
    small, chroma = network_maps(colorizer, frames)
    ab = np.stack([smoothed(smoother, one.lightness, map_) for one, map_ in zip(small, chroma, strict=True)])
    return np.abs(np.diff(ab, axis=0))[2:].mean()


def test_a_still_scene_does_not_flicker(reference):
    """With film grain on a still scene, colors change at least five times less than frame by frame."""
    frames = grain()
    assert flicker(reference, frames, 0) > 5 * flicker(reference, frames, 0.96)


def test_colors_do_not_trail_behind_a_moving_square():
    """Two frames after a square has left a place, that place has the background's color again."""
    smoother = ChromaSmoother(0.96)
    for step in range(12):
        lightness = np.full((64, 96), 40, np.float32) + RANDOM.normal(0, 1, (64, 96)).astype(np.float32)
        ab = np.zeros((64, 96, 2), np.float32)
        where = slice(20, 40), slice(4 * step, 4 * step + 20)
        lightness[where] += 30
        ab[where] = (50, -40)
        result = smoothed(smoother, lightness, ab)
        left_two_frames_ago = result[20:40, : max(0, 4 * (step - 2))]
        assert np.abs(left_two_frames_ago).max(initial=0) < 5
        assert np.abs(result[where] - (50, -40)).max() < 10


def test_motion_leaves_no_track():
    """While the network thinks anew of a whole still road, what a car uncovers is as far behind as the road around."""
    smoother = ChromaSmoother(0.96, stride=4)
    for step in range(10):
        lightness = np.full((64, 96), 40, np.float32) + RANDOM.normal(0, 1, (64, 96)).astype(np.float32)
        ab = np.full((16, 24, 2), 0 if step < 4 else 40, np.float32)
        lightness[24:40, 8 * step : 8 * step + 16] += 40
        ab[6:10, 2 * step : 2 * step + 4] = -30
        result = smoothed(smoother, lightness, ab)
        road, uncovered = result[:3, :4], result[6:10, : max(0, 2 * step - 2)]
        assert np.abs(uncovered - road.mean()).max(initial=0) < 8
        assert np.abs(result[7:9, 2 * step + 1 : 2 * step + 3] + 30).max() < 8
    assert road.mean() < 12


def test_colors_follow_a_slow_fade():
    """While a still picture fades in over two seconds, its chroma is never more than 0.4 seconds late."""
    smoother = ChromaSmoother(0.96)
    still = RANDOM.uniform(50, 70, (4, 6)).repeat(16, axis=0).repeat(16, axis=1).astype(np.float32)
    for frame in range(51):
        result = smoothed(smoother, still * np.float32(frame / 50), np.full((64, 96, 2), frame, np.float32))
        assert result.min() >= frame - 10


def test_flicker_and_weave_do_not_break_the_smoothing():
    """On a still shot whose exposure flickers and which weaves, colors are as steady as on the clean shot."""
    still = ndimage.gaussian_filter(np.random.default_rng(1).normal(0, 1, (80, 120)), 4)
    still = (50 + 15 * still / still.std()).astype(np.float32)
    guesses = RANDOM.normal(0, 10, (40, 20, 30, 2)).astype(np.float32)
    change = {}
    for name, strength in {"clean": 0, "flicker": 1}.items():
        smoother = ChromaSmoother(0.96, stride=4)
        results = []
        for guess in guesses:
            gain, offset, weave = 1 + strength * RANDOM.normal(0, 0.06), strength * RANDOM.normal(0, 3), RANDOM.normal()
            lightness = ndimage.shift(still, (strength * 0.3 * weave, 0), order=1, mode="nearest") * gain + offset
            results.append(smoothed(smoother, lightness.astype(np.float32), guess))
        change[name] = np.abs(np.diff(results[5:], axis=0)).mean()
    assert change["flicker"] < 1.3 * change["clean"]


@pytest.mark.parametrize(("length", "gradual", "largest"), [(16, True, 7), (16, False, 60), (0, True, 60)])
def test_colors_dissolve_with_the_picture(length, gradual, largest):
    """At a cut within a dissolve colors pass little by little; at a hard cut, or where it is so wished, at once."""
    first, second = (RANDOM.uniform(20, 80, (12, 16)).repeat(4, axis=0).repeat(4, axis=1) for _ in range(2))
    colors = [np.full((48, 64, 2), (value, 0), np.float32) for value in (30, -30)]
    smoother = ChromaSmoother(0.96)
    results = []
    for number in range(60):
        if number == 30:
            for _ in range(2):  # twice is as once
                smoother.reset(gradual=gradual)
        share = np.clip((number - 30 + length / 2) / length, 0, 1) if length else float(number >= 30)
        lightness = (first * (1 - share) + second * share).astype(np.float32)
        results.append(smoothed(smoother, lightness, colors[number >= 30]))
    steps = np.abs(np.diff([one[..., 0].mean() for one in results]))
    assert largest * 0.5 < steps.max() <= largest
    np.testing.assert_allclose(results[-1], colors[1], atol=0.1)


@pytest.mark.parametrize("side", [0, 1])
def test_frames_between_take_the_side_that_they_are_like(side):
    """Beside a hard cut, a frame without a network's answer gets the colors of its own scene; of none, no colors."""
    scenes = RANDOM.uniform(0, 100, (3, 16, 24)).astype(np.float32).repeat(4, axis=1).repeat(4, axis=2)
    colors = np.full((2, 16, 24, 2), 30, np.float32) * np.float32([[[[1]]], [[[-1]]]])
    frame = scenes[side] + RANDOM.normal(0, 1, scenes[0].shape).astype(np.float32)
    pairs = [(outline(scenes[index], colors[index].shape), colors[index]) for index in range(2)]
    found = chroma_between(outline(frame, colors[side].shape), *pairs)
    assert np.abs(found - colors[side]).mean() < 2  # of 30; in places their L is the same
    assert chroma_between(outline(scenes[2], colors[side].shape), *pairs) is None


def skimage_grey(picture):
    """L as grey."""
    return as_pictures(picture)[0][0].grey()[..., 0]


def test_frames_between_at_rest_and_in_motion(reference, photographs):
    """Of a moving picture, too, chroma from the neighbors is close to the network's own."""
    grey = skimage_grey(photographs[0])
    frames = [np.ascontiguousarray(grey[100:356, start : start + 256]) for start in (100, 101, 102)]
    small, maps = network_maps(reference, frames)
    first, middle, last = (outline(one.lightness, maps[0].shape) for one in small)
    guessed = chroma_between(middle, (first, maps[0]), (last, maps[2]))
    assert np.abs(guessed - maps[1]).mean() < 0.2 * np.abs(maps[1]).mean()


@pytest.mark.parametrize(
    ("change", "seen"), [("none", [3, 23]), ("enters", [3, 15, 35]), ("moves", [3, 15, 19, 23, 27, 31, 35, 39])]
)
def test_the_network_sees_rarely_what_rests_and_at_once_what_enters(small, monkeypatch, change, seen):
    """Of groups of four frames at rest it sees every fifth; and the next one when something enters, or moves."""
    frames = np.repeat(grain(1), 40, axis=0)
    if change == "enters":
        frames[12:, 40:160, 40:160] = 255 - frames[12:, 40:160, 40:160]
    if change == "moves":
        frames[12:] = np.stack([np.roll(frame, 12 * place, axis=1) for place, frame in enumerate(frames[12:])])
    pipeline = pipeline_of(small)
    run, found = pipeline.predictions, []
    monkeypatch.setattr(pipeline, "predictions", lambda given, *options: found.extend(given) or run(given, *options))
    stream = ChromaStream(pipeline, Look(consistency=False), shots=[Shot(0, 40)])
    shown = [SmallPicture.of(picture, pipeline.working_size) for picture in as_pictures(frames)[0]]
    maps = [ab for start in range(0, 40, 4) for ab in stream.add(shown[start : start + 4])]
    assert len(maps) == 40
    assert {shown.index(one) for one in found} >= set(seen)
    assert change == "moves" or len(found) == len(seen)


def test_frames_of_a_shot_are_equally_quiet(classifier, monkeypatch):
    """Where the variance alternates from frame to frame, the share of color does not; a new shot starts afresh."""
    pipeline = pipeline_of(classifier)
    variances = itertools.cycle([500.0, 1300.0])

    def predictions(given, *_):
        shapes = [(*one.chroma_shape(pipeline.stride), 2) for one in given]
        return [Prediction(np.full(shape, 20, np.float32), next(variances)) for shape in shapes]

    monkeypatch.setattr(pipeline, "predictions", predictions)
    frames = RANDOM.integers(0, 255, (24, 64, 80), np.uint8)  # each of which the network sees
    shown = [SmallPicture.of(picture, pipeline.working_size) for picture in as_pictures(frames)[0]]
    stream = ChromaStream(pipeline, Look(consistency=False), shots=[Shot(0, 20), Shot(20, 24)])
    colors = [ab.mean() for start in range(0, 24, 4) for ab in stream.add(shown[start : start + 4])]
    alone = [pipeline.quieted(np.float32(20), variance) for variance in (500.0, 1300.0)]
    assert alone[0] > 3 * alone[1]
    assert max(colors[10:20]) < 1.5 * min(colors[10:20])
    assert len(stream.cuts) == 1


def test_colors_settle_in_time_not_in_frames():
    """At twice the rate, a color needs twice as many frames to follow a new one, and a dissolve to pass."""
    lightness = np.full((40, 60), 50, np.float32)
    colors = [np.full((40, 60, 2), value, np.float32) for value in (0, 40)]
    means = []
    for pace in (1.0, 2.0):
        smoother = ChromaSmoother(0.9, pace)
        smoothed(smoother, lightness, colors[0])
        for _ in range(round(8 * pace)):
            result = smoothed(smoother, lightness, colors[1])
        means.append(result.mean())
    assert 10 < means[0] < 30
    assert means[1] == pytest.approx(means[0], abs=0.1)
    assert [pace_of(Fraction(rate)) for rate in ("24000/1001", "24", "25", "50", "12000/1001")] == [1, 1, 1, 2, 0.5]


def test_without_smoothing_things_still_keep_their_color(classifier):
    """Smoothing and consistency are two choices: only without both is each frame a still picture."""
    frames = grain(3)[:, :128, :160]
    plain, held = (
        list(colorize_frames(frames, classifier, look=Look(smoothing=0, consistency=kept))) for kept in (False, True)
    )
    np.testing.assert_array_equal(plain[2], classifier.predict(frames[2]))
    change = [np.abs(rgb_to_lab(one[2])[..., 1:] - rgb_to_lab(one[1])[..., 1:]).mean() for one in (plain, held)]
    assert change[1] < 0.9 * change[0]

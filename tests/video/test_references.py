"""Reference frames: their colors are carried through their shot, and nowhere else."""

import time
import tracemalloc
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest
import skimage.data

from labcolor import Look, Shot, colorize_frames, colorize_video, lab_to_rgb, rgb_to_lab, write_picture
from labcolor.errors import InputError, InputTypeError
from labcolor.io import ffmpeg
from labcolor.metrics import psnr
from labcolor.video.colorize import frame_stream
from labcolor.video.pipes import color_raw
from labcolor.video.references import as_references

# Not the colors of the photographs: whatever comes out came from the reference.
TINTS = {"coffee": (1.0, 0.55, 0.8), "chelsea": (0.55, 0.9, 1.0)}
SIZE = 120, 160
LUMA = np.array([0.299, 0.587, 0.114])


def shot(name, frames=8):
    """A shot of a camera that pans over a photograph, in grey, and its frames in odd colors."""
    photo = getattr(skimage.data, name)()[::2, ::2].mean(axis=-1, keepdims=True) * 0.8
    colored = [photo[20 : 20 + SIZE[0], start : start + SIZE[1]] * TINTS[name] for start in range(frames)]
    colored = np.clip(colored, 0, 255).astype(np.uint8)
    return (colored @ LUMA).round().astype(np.uint8), colored


def error(results, colored):
    """Mean distance of ab."""
    return np.mean(
        [np.abs(rgb_to_lab(one)[..., 1:] - rgb_to_lab(two)[..., 1:]) for one, two in zip(results, colored, strict=True)]
    )


@pytest.fixture(scope="module")
def shots():
    """Two shots after each other."""
    return [np.concatenate(parts) for parts in zip(shot("coffee"), shot("chelsea"), strict=True)]


@pytest.fixture(scope="module")
def plain(classifier, shots):
    """The same without references."""
    return list(colorize_frames(shots[0], classifier, shots=[8]))


def test_a_reference_colors_its_shot_and_no_other(classifier, shots, plain):
    """All frames of the reference's shot take its colors; those of the next shot stay as they are without."""
    grey, colored = shots
    results = list(colorize_frames(grey, classifier, shots=[8], references={4: colored[4]}))
    assert error(results[:8], colored[:8]) < 0.35 * error(plain[:8], colored[:8])
    np.testing.assert_array_equal(results[8:], plain[8:])


def test_a_reference_serves_shots_of_the_same_scene(classifier, shots, plain):
    """A shot that comes back after another takes the colors of the reference in its first part."""
    grey, colored = (np.concatenate([part[:4], part[8:12], part[:4]]) for part in shots)
    results = list(colorize_frames(grey, classifier, shots=[4, 8], references={2: colored[2]}))
    assert error(results[8:], colored[8:]) < 0.35 * error(plain[:4], colored[:4])


def test_a_reference_is_exact_on_its_own_frame(classifier, shots):
    """The reference's own frame has its chroma at full resolution, and the frames beside it nearly so."""
    grey, colored = shots
    results = list(colorize_frames(grey[:8], classifier, shots=[], references={4: colored[4]}))
    lab = rgb_to_lab(np.repeat(grey[4][..., None], 3, axis=2))
    lab[..., 1:] = rgb_to_lab(colored[4])[..., 1:]
    assert psnr([results[4]], [lab_to_rgb(lab, dtype=np.uint8)]) > 50
    assert error([results[3], results[5]], [colored[3], colored[5]]) < 2


def test_a_grey_reference_says_that_it_stays_grey(classifier, shots, plain):
    """Grey in three channels or in one is a color, which the shot takes over."""
    grey, _ = shots
    for reference in (grey[2], np.repeat(grey[2][..., None], 3, axis=2)):
        results = list(colorize_frames(grey[:4], classifier, shots=[], references={2: reference}))
        assert np.abs(rgb_to_lab(np.stack(results))[..., 1:]).mean() < 1
    assert np.abs(rgb_to_lab(np.stack(plain[:4]))[..., 1:]).mean() > 4


def test_colors_follow_the_camera(classifier, shots):
    """Stripes on a wall, which differ in color alone, keep their colors while the camera pans over them."""
    photo = skimage.data.brick()[:160].astype(float)
    stripes = np.where(np.arange(photo.shape[1]) // 32 % 2, 0, 1)[:, None] * (0.3, 0, -0.3) + (0.85, 0.85, 0.85)
    wall = photo[..., None] * stripes / (stripes @ LUMA)[:, None] * 0.6
    frames = np.clip([wall[:120, start : start + 160] for start in range(0, 48, 4)], 0, 255).astype(np.uint8)
    results = list(colorize_frames(frames @ LUMA / 255, classifier, shots=[], references={0: frames[0]}))
    assert error(results[6:], frames[6:]) < 4


def test_what_comes_back_takes_the_colors_of_its_reference(classifier):
    """In one shot, three references show three parts of it; the first part keeps its colors when it comes back."""
    parts = [shot("coffee", 1)[1][0], shot("chelsea", 1)[1][0], shot("coffee", 1)[1][0][:, ::-1, ::-1]]
    frames = np.stack([*parts, parts[0]])
    grey = (frames @ LUMA).round().astype(np.uint8)
    errors = []
    for numbers in ((0, 1, 2), (1, 2)):
        references = {number: frames[number] for number in numbers}
        errors.append(error(list(colorize_frames(grey, classifier, shots=[], references=references))[3:], frames[3:]))
    assert errors[0] < 0.6 * errors[1]


def test_a_few_strokes_are_enough(classifier, shots, plain):
    """A transparent picture with one stroke of color, and the same hint as ab, color what looks like it, later too."""
    grey, _ = shots
    stroke = np.zeros((*SIZE, 4), np.uint8)
    stroke[50:70, 60:80] = (200, 60, 160, 255)
    hint = np.full((*SIZE, 2), np.nan, np.float32)
    hint[50:70, 60:80] = rgb_to_lab(stroke[60, 70, :3][None, None])[0, 0, 1:]
    for reference in (stroke, hint):
        results = list(colorize_frames(grey[:7], classifier, shots=[], references={0: reference}))
        far = [np.abs(rgb_to_lab(one[6])[54:66, 60:70, 1:] - hint[60, 70]).mean() for one in (results, plain)]
        assert far[0] < 0.5 * far[1]


def test_files_folders_and_times(classifier, shots, tmp_path):
    """In a video, a folder of references, frames and times give the same result, before the reference's frame too."""
    grey, colored = (part[4:12] for part in shots)
    for number, frame in enumerate(grey):
        write_picture(tmp_path / f"{number:03}.png", np.repeat(frame[..., None], 3, axis=2))
    ffmpeg.run(["-framerate", "4", "-i", str(tmp_path / "%03d.png"), "-c:v", "ffv1", str(tmp_path / "in.mkv")])
    folder = tmp_path / "references"
    folder.mkdir()
    write_picture(folder / "ref_000002.png", colored[2])
    results = []
    for references in ({2: colored[2]}, {0.5: colored[2]}, {"0:00.5": folder / "ref_000002.png"}, folder):
        report = colorize_video(
            tmp_path / "in.mkv", tmp_path / "out.mkv", classifier, references=references, overwrite=True
        )
        assert report.cuts == (4,)
        results.append(ffmpeg.run(["-i", str(tmp_path / "out.mkv"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]))
    assert len(set(results)) == 1
    frames = np.frombuffer(results[0], np.uint8).reshape(-1, *SIZE, 3)
    assert error(frames[:1], colored[:1]) < 6


def test_a_list_of_shots_chooses_references(classifier, shots, tmp_path):
    """A shot takes no reference where its list says none, and that of another shot where the list names it."""
    grey, colored = (part[4:] for part in shots)
    (tmp_path / "raw").write_bytes(grey.tobytes())
    size = ["-f", "rawvideo", "-pixel_format", "gray", "-video_size", "160x120", "-framerate", "4"]
    ffmpeg.run([*size, "-i", str(tmp_path / "raw"), "-c:v", "ffv1", str(tmp_path / "in.mkv")])
    results = []
    for chosen in ((), None, (8,)):
        listed = [Shot(0, 4), Shot(4, 8, references=chosen), Shot(8, 12, references=())]
        colorize_video(
            tmp_path / "in.mkv",
            tmp_path / "out.mkv",
            classifier,
            shots=listed,
            references={8: colored[8]},
            overwrite=True,
        )
        pixels = ffmpeg.run(["-i", str(tmp_path / "out.mkv"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        results.append(error(np.frombuffer(pixels, np.uint8).reshape(-1, *SIZE, 3)[4:8], colored[4:8]))
    none, alike, named = results
    assert named < 0.5 * none
    assert alike < 0.5 * none


GIVEN = np.full((*SIZE, 3), (200, 80, 60), np.uint8)


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ({0: GIVEN[:60]}, "size of the video, 160x120, got 160x60"),
        ({300: GIVEN}, "references: expected frames from 0 to"),
        ({-1: GIVEN}, "references: expected a whole number of at least 0, got -1"),
        ({4: GIVEN, 1.0: GIVEN}, "got two for frame 4"),
        ({0: np.zeros((*SIZE, 4), np.uint8)}, "transparent"),
        ({0: np.full((*SIZE, 2), np.nan)}, "only nan"),
    ],
)
def test_bad_references(classifier, shots, tmp_path, references, message):
    """A reference that cannot be used is one clear error, before anything is written."""
    source = tmp_path / "in.mkv"
    lines = shots[0][:8].tobytes()
    (tmp_path / "raw").write_bytes(lines)
    size = ["-f", "rawvideo", "-pixel_format", "gray", "-video_size", "160x120", "-framerate", "4"]
    ffmpeg.run([*size, "-i", str(tmp_path / "raw"), "-c:v", "ffv1", str(source)])
    with pytest.raises(InputError, match=message):
        colorize_video(source, tmp_path / "out.mkv", classifier, references=references)
    assert not (tmp_path / "out.mkv").exists()


def test_bad_kinds_of_references(classifier, tmp_path):
    """What is no mapping, an empty folder, a time without a rate, and a shot of a reference that lacks say so."""
    with pytest.raises(InputTypeError, match="references: expected a folder, or a mapping"):
        colorize_frames([], classifier, references=[GIVEN])
    with pytest.raises(InputError, match="ref_000120"):
        colorize_frames([], classifier, references=tmp_path)
    with pytest.raises(InputTypeError, match="number of a frame"):
        colorize_frames([], classifier, references={1.5: GIVEN})
    with pytest.raises(InputError, match="shots: expected references that are given, got frame 3"):
        colorize_frames([], classifier, references={0: GIVEN}, shots=[Shot(0, 9, references=(3,))])


@pytest.mark.parametrize("given", [GIVEN[:60], GIVEN[:1, :1], GIVEN[:60, :, :2] / 255])
def test_references_of_another_size_than_a_frame(classifier, given):
    """Frames one by one, and those of a pipe, say which size was expected, whether or not the reference is theirs."""
    for number in (0, 7):
        colored = colorize_frames([np.zeros(SIZE, np.uint8)] * 2, classifier, references={number: given})
        with pytest.raises(InputError, match=rf"references\[{number}\]: expected the size of the video, 160x120, got"):
            list(colored)
    stream = frame_stream(
        classifier, Fraction(25), saturation=1.0, references={0: given}, shots=None, look=Look(smoothing=0)
    )
    with pytest.raises(InputError, match="expected the size of the video, 160x120, got"):
        color_raw(BytesIO(bytes(3 * 160 * 120)), BytesIO(), (160, 120), stream)


def test_a_reference_for_each_shot_of_a_film(classifier):
    """Thousands of references, as a still of each shot, cost a frame next to nothing."""
    references = dict.fromkeys(range(0, 30000, 2), np.full((16, 16, 3), (200, 80, 60), np.uint8))
    frames = [np.full((16, 16), 90, np.uint8)] * 4
    shots = [Shot(number, number + 2) for number in range(0, 30000, 2)]
    colored = colorize_frames(frames, classifier, references=references, shots=shots, look=Look(smoothing=0))
    begin = time.process_time()
    assert len(list(colored)) == 4
    assert time.process_time() - begin < 4


def test_saturation_leaves_the_colors_of_references(classifier, shots):
    """At saturation 0 a reference alone has color, near its frame and far from it; a shot that is grey has none."""
    grey, colored = (part[4:12] for part in shots)
    given = {2: colored[2]}
    results = list(colorize_frames(grey, classifier, saturation=0, shots=[4], references=given))
    assert error(results[:4], colored[:4]) < 0.35 * error(grey[:4, ..., None].repeat(3, axis=3), colored[:4])
    assert error(results[4:], grey[4:, ..., None].repeat(3, axis=3)) == 0
    listed = [Shot(0, 4, grey=True), Shot(4, 8, references=(2,), saturation=0)]
    results = list(colorize_frames(grey, classifier, shots=listed, references=given))
    assert error(results[:4], grey[:4, ..., None].repeat(3, axis=3)) == 0


def test_references_are_held_as_they_came():
    """A film's references take the memory of their pictures, and no maps of floats beside them."""
    pictures = np.random.default_rng(0).integers(0, 255, (8, 300, 400, 3), np.uint8)
    tracemalloc.start()
    given = as_references(dict(enumerate(pictures)), None)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 0.1 * pictures.nbytes
    assert all(one.whole for one in given)
    np.testing.assert_array_equal(given[3].ab(), rgb_to_lab(pictures[3])[..., 1:].astype(np.float32))


def test_a_model_without_hints_takes_no_references(reference):
    """References need a model that spreads hints."""
    with pytest.raises(InputError, match="cannot spread known colors"):
        colorize_frames([], reference, references={0: GIVEN})

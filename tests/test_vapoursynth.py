"""The filter of VapourSynth, where that is installed."""

import io
from fractions import Fraction

import numpy as np
import pytest

from labcolor.errors import InputError, InputTypeError
from labcolor.vapoursynth import colorize
from labcolor.video.colorize import frame_stream
from labcolor.video.look import Look
from labcolor.video.pipes import color_y4m

vs = pytest.importorskip("vapoursynth")


def clip_of(photographs, form, frames=24):
    """Return a clip that pans over a photograph, then over another one."""
    photos = [np.ascontiguousarray(photo[:160, :300].mean(2).astype(np.uint8)) for photo in photographs[:2]]

    def pan(n, f):
        result = f.copy()
        values = photos[n >= frames // 2][8:152, n % 100 : n % 100 + 200].astype(np.uint16) << form.bits_per_sample - 8
        np.asarray(result[0])[:] = values
        return result

    blank = vs.core.std.BlankClip(format=form.id, width=200, height=144, length=frames, fpsnum=25, keep=True)
    return blank.std.ModifyFrame(blank, pan)


def planes(clip, number):
    return [np.asarray(plane).copy() for plane in clip.get_frame(number)]


@pytest.fixture(scope="module")
def form():
    return vs.core.get_video_format(vs.YUV420P10)


def test_same_colors_as_a_pipe(photographs, classifier, form):
    """Frames in order have the planes that ``labcolor pipe`` writes, and their own luma."""
    clip = clip_of(photographs, form)
    source = b"YUV4MPEG2 W200 H144 F25:1 C420p10 XCOLORRANGE=LIMITED\n" + b"".join(
        b"FRAME\n" + b"".join(plane.tobytes() for plane in planes(clip, number)) for number in range(len(clip))
    )
    sink = io.BytesIO()
    color_y4m(
        io.BytesIO(source),
        sink,
        lambda rate: frame_stream(classifier, rate, saturation=1.0, references=None, shots=None, look=Look()),
    )
    found = b"".join(
        b"FRAME\n" + b"".join(np.asarray(plane).tobytes() for plane in frame)
        for frame in colorize(clip, classifier).frames()
    )
    assert sink.getvalue().partition(b"\n")[2] == found


def test_any_order(photographs, classifier, form):
    """Each of the last frames is the same again, in any order; an early one is colored after a late one."""
    colored = colorize(clip_of(photographs, form, 80), classifier)
    whole = [planes(colored, number) for number in range(80)]
    for number in (79, 30, 60):
        assert all(map(np.array_equal, planes(colored, number), whole[number]))
    assert np.abs(planes(colored, 3)[1].astype(int) - whole[3][1]).mean() < 8


def test_grey_becomes_full_chroma(photographs, classifier):
    """A grey clip of odd size becomes 4:4:4 with the same luma, and names its color matrix."""
    grey = clip_of(photographs, vs.core.get_video_format(vs.GRAY8), 2).std.Crop(right=1)
    colored = colorize(grey, classifier, saturation=1.5)
    assert (colored.format.name, colored.width, colored.fps) == ("YUV444P8", 199, Fraction(25))
    assert np.array_equal(planes(colored, 1)[0], planes(grey, 1)[0])
    assert colored.get_frame(0).props["_Matrix"] == vs.MATRIX_ST170_M
    assert np.abs(planes(colored, 1)[1].astype(int) - 128).max() > 5


@pytest.mark.parametrize("form", ["RGB24", "YUV420PS", "YUV410P8"])
def test_other_formats(form):
    """A format without luma in integers, or with other chroma, is refused with the call that converts it."""
    with pytest.raises(InputError, match=r"clip\.resize\.Bicubic"):
        colorize(vs.core.std.BlankClip(format=getattr(vs, form)))


def test_no_clip(classifier, form, photographs):
    """Something else than a clip, and a wrong look, are refused at once."""
    with pytest.raises(InputTypeError, match="expected a clip of VapourSynth"):
        colorize("old.mkv")
    with pytest.raises((InputError, InputTypeError), match="look"):
        colorize(clip_of(photographs, form, 2), classifier, look="steady")


def test_a_clip_of_several_sizes():
    """A clip whose format or size changes is refused with the call that converts it."""
    parts = [vs.core.std.BlankClip(format=vs.YUV420P8, width=width, length=2) for width in (64, 80)]
    parts.append(vs.core.std.BlankClip(format=vs.GRAY8, length=2))
    for first, second in ((parts[0], parts[1]), (parts[0], parts[2])):
        with pytest.raises(InputError, match=r"clip\.resize\.Bicubic"):
            colorize(vs.core.std.Splice([first, second], mismatch=True))

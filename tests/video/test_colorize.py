"""Videos: frames, rate, size, sound and luma kept; whole files or none."""

import functools
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from labcolor import Colorizer, Decoding, Encoding, Look, colorize_frames, colorize_video, read_picture, write_picture
from labcolor.cli import main
from labcolor.errors import InputError, NotFittedError, VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.codecs import CODECS, CONTAINERS
from labcolor.io.decoder import Decoder, open_footage
from labcolor.io.probe import probe

REFERENCE = ["--model", "reference"]
RANDOM = np.random.default_rng(0)
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1")


def make(path, *, rate="25", size="64x48", seconds=1, sound=True, extra=()):
    """A clip of ffmpeg's test picture, with a tone."""
    source = ["-f", "lavfi", "-i", f"testsrc2=rate={rate}:size={size}:duration={seconds}"]
    ffmpeg.run(["-y", *source, *(SOUND if sound else ()), *extra, str(path)])
    return path


def lumas(path):
    """All frames' luma, and the exact rate."""
    with Decoder(open_footage(path)) as decoder:
        return np.stack(list(decoder)), probe(path).rate


def sound_hash(path):
    """A hash of the packets of sound."""
    return ffmpeg.run(["-i", str(path), "-map", "0:a", "-c", "copy", "-f", "hash", "-"])


@pytest.fixture
def clip(tmp_path):
    """A second of film with AAC sound."""
    return make(tmp_path / "clip.mp4")


@pytest.mark.parametrize("ending", CONTAINERS)
def test_every_container(small, clip, tmp_path, ending):
    """Each container that is promised can be written, and holds every frame, the size and the sound."""
    destination = tmp_path / f"out{ending}"
    report = colorize_video(clip, destination, small)
    assert report.frames == 25
    assert report.rate == 25
    assert report.complaints == ""
    frames, rate = lumas(destination)
    assert frames.shape == (25, 48, 64)
    assert rate == 25
    assert len(probe(destination).sound) == (ending != ".gif")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["clip.mp4", destination.name])


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "60000/1001", "25/2", "10"])
def test_rational_rates_and_sound_are_kept_exactly(small, tmp_path, rate):
    """24000/1001 stays 24000/1001, each frame is there, and the sound is copied bit by bit."""
    source = make(tmp_path / "in.mkv", rate=rate, extra=["-c:a", "aac"])
    report = colorize_video(source, tmp_path / "out.mp4", small)
    assert report.rate == Fraction(rate)
    before, after = lumas(source), lumas(tmp_path / "out.mp4")
    assert after[1] == before[1] == Fraction(rate)
    assert len(after[0]) == len(before[0]) == report.frames
    assert sound_hash(source) == sound_hash(tmp_path / "out.mp4")


def test_sound_that_does_not_fit_is_encoded_anew(small, tmp_path):
    """FLAC cannot go into mp4 everywhere: it becomes AAC there, of the same length, and stays FLAC in mkv."""
    source = make(tmp_path / "in.mkv", extra=["-c:a", "flac"])
    colorize_video(source, tmp_path / "out.mp4", small)
    colorize_video(source, tmp_path / "out.mkv", small)
    assert [track.codec for track in probe(tmp_path / "out.mp4").sound] == ["aac"]
    assert probe(tmp_path / "out.mp4").duration == pytest.approx(1, abs=0.1)
    assert [track.codec for track in probe(tmp_path / "out.mkv").sound] == ["flac"]


def test_several_sound_tracks_and_subtitles(small, tmp_path):
    """Two tracks of sound and a subtitle survive."""
    (tmp_path / "s.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nhello\n")
    extra = ["-f", "lavfi", "-i", "sine=880:duration=1", "-i", str(tmp_path / "s.srt")]
    extra += ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s", "-c:s", "srt"]
    source = make(tmp_path / "in.mkv", extra=extra)
    for ending, subtitles in ((".mkv", "subrip"), (".mp4", "mov_text"), (".webm", "webvtt")):
        colorize_video(source, tmp_path / f"out{ending}", small)
        film = probe(tmp_path / f"out{ending}")
        assert len(film.sound) == 2
        assert [track.codec for track in film.subtitles] == [subtitles]


@pytest.mark.parametrize("size", ["131x101", "64x49", "63x48"])
def test_odd_sizes_get_one_more_line(small, tmp_path, size):
    """An odd side gets a copy of its last line, and the film stays readable."""
    source = make(tmp_path / "in.mkv", size=size, extra=["-c:v", "ffv1"])
    colorize_video(source, tmp_path / "out.mp4", small)
    before, after = lumas(source)[0], lumas(tmp_path / "out.mp4")[0]
    assert after.shape[1:] == tuple(side + side % 2 for side in before.shape[1:])
    assert np.abs(after[:, : before.shape[1], : before.shape[2]].astype(int) - before).mean() < 8


def test_a_rotated_film_stands_upright(small, clip, tmp_path):
    """A phone's rotation is applied, once."""
    turned = tmp_path / "turned.mp4"
    ffmpeg.run(["-display_rotation", "90", "-i", str(clip), "-c", "copy", str(turned)])
    colorize_video(turned, tmp_path / "out.mp4", small)
    assert colorize_video(turned, tmp_path / "again.mp4", small).converted == ("a rotation by 90 degrees was applied",)
    assert lumas(tmp_path / "out.mp4")[0].shape == (25, 64, 48)
    assert "rotation" not in str(subprocess.run([ffmpeg.executable(), "-i", tmp_path / "out.mp4"], capture_output=True))


@pytest.mark.slow
def test_variable_rate_does_not_drift(small, tmp_path):
    """A film from which frames are missing keeps its length beside the sound."""
    choose = ["-vf", "select='lt(n,20)+not(mod(n,3))'", "-fps_mode", "vfr"]
    source = make(tmp_path / "in.mp4", seconds=3, extra=choose)
    report = colorize_video(source, tmp_path / "out.mp4", small)
    assert report.frames / report.rate == pytest.approx(3, abs=0.15)
    assert report.converted == ("a variable rate became constant",)
    assert report.rate == 25
    before, after = lumas(source)[0], lumas(tmp_path / "out.mp4")[0]
    for frame in (5, 30, 60):  # what is shown at a time is what was shown then
        assert np.abs(before[frame].astype(int) - after[frame]).mean() < 4


@pytest.mark.parametrize("size", ["64x48", "1280x720"])
@pytest.mark.slow
def test_luma_is_kept(reference, tmp_path, size):
    """The result's luma is as near to the source's as that of a plain transcode by the same encoder."""
    clip = make(tmp_path / "clip.mp4", size=size, seconds=0.4)
    source, _ = lumas(clip)
    colorize_video(clip, tmp_path / "out.mp4", reference)
    plain = ["-c:v", "libx264", "-preset", "faster", "-crf", "20", "-pix_fmt", "yuv420p"]
    ffmpeg.run(["-i", str(clip), *plain, str(tmp_path / "plain.mp4")])

    def psnr(path):
        return 10 * np.log10(255**2 / np.mean((lumas(path)[0].astype(float) - source) ** 2))

    assert psnr(tmp_path / "out.mp4") > psnr(tmp_path / "plain.mp4") - 0.5


@pytest.mark.parametrize("ending", [".mp4", ".webm", ".gif"])
@pytest.mark.parametrize("repeat", [1, 3])
@pytest.mark.slow
def test_colors_are_those_of_the_pictures(reference, photographs, tmp_path, repeat, ending):
    """A film of a photograph gets the colors that the photograph gets, within what 4:2:0 and the encoder lose."""
    photo = photographs[0][::2, ::2].repeat(repeat, 0).repeat(repeat, 1)
    assert (len(photo) >= 720) == (repeat > 1)  # where BT.709 begins
    grey = np.repeat(photo[..., 1:2], 3, axis=2)
    write_picture(tmp_path / "p.png", grey)
    ffmpeg.run(
        ["-loop", "1", "-i", str(tmp_path / "p.png"), "-t", "0.2", "-pix_fmt", "yuv444p", str(tmp_path / "in.mkv")]
    )
    colorize_video(tmp_path / "in.mkv", tmp_path / f"out{ending}", reference, saturation=1.5)
    ffmpeg.run(["-i", str(tmp_path / f"out{ending}"), "-frames:v", "1", "-pix_fmt", "rgb24", str(tmp_path / "o.png")])
    expected = reference.predict(grey, saturation=1.5).astype(int)
    assert np.abs(read_picture(tmp_path / "o.png") - expected).mean() < (6 if ending == ".gif" else 4)


def test_resize_and_side_by_side(small, clip, tmp_path):
    """The result can have another size, and stand beside its original, which has no color."""
    colorize_video(
        clip, tmp_path / "out.mp4", small, encoding=Encoding(side_by_side=True), decoding=Decoding(resize=(40, 30))
    )
    assert lumas(tmp_path / "out.mp4")[0].shape == (25, 30, 80)
    pixels = ffmpeg.run(["-i", str(tmp_path / "out.mp4"), "-f", "rawvideo", "-pix_fmt", "yuv444p", "-"])
    planes = np.frombuffer(pixels, np.uint8).reshape(25, 3, 30, 80)
    assert np.abs(planes[:, 1:, :, :36].astype(int) - 128).max() <= 2


def test_progress(small, clip, tmp_path):
    """A callable hears of the frames done and in all."""
    heard = []
    colorize_video(clip, tmp_path / "out.mp4", small, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (25, 25)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


def test_cuts_are_reported(small, tmp_path):
    """Two different scenes after each other make one cut, at the right frame."""
    scenes = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x48:d=0.4:r=25",
        "-f",
        "lavfi",
        "-i",
        "mandelbrot=s=64x48:r=25,trim=duration=0.4",
    ]
    ffmpeg.run([*scenes, "-filter_complex", "[0][1]concat", str(tmp_path / "in.mp4")])
    assert colorize_video(tmp_path / "in.mp4", tmp_path / "out.mp4", small).cuts == (10,)


def test_frames_from_anywhere(small):
    """The generator colors frames of any kind one by one, and asks for no frame ahead."""
    asked = []

    def camera():
        for index in range(4):
            asked.append(index)
            yield RANDOM.integers(0, 256, (20, 30, 4) if index == 2 else (40, 30), dtype=np.uint8)

    for index, frame in enumerate(colorize_frames(camera(), small)):
        assert frame.shape == ((20, 30, 4) if index == 2 else (40, 30, 3))
        assert asked[-1] == index
    plain = list(colorize_frames([np.eye(30)] * 2, small, look=Look(smoothing=0)))
    np.testing.assert_array_equal(plain[1], small.predict(np.eye(30)))
    with pytest.raises(InputError, match=r"frames\[0\]: expected one picture"):
        next(colorize_frames([np.zeros((2, 9, 9, 3))], small))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"saturation": -1}, "saturation: expected"),
        ({"look": "vivid"}, "look: expected a Look"),
        ({"encoding": "h264"}, "encoding: expected an Encoding"),
        ({"destination": "out.wmv"}, "name that ends in"),
        ({"destination": "out"}, "name that ends in"),
        ({"destination": "clip.mp4"}, "replace its own source"),
        ({"destination": "missing/out.mp4"}, "no folder"),
        ({"destination": None}, "expected a path"),
        ({"source": 5}, "expected a path"),
        ({"source": "missing.mp4"}, "does not exist"),
        ({"source": "."}, "numbered pictures, found none"),
        ({"source": "text.mp4"}, "expected a video"),
        ({"source": "empty.mp4"}, "expected a video"),
        ({"source": "sound.wav"}, "only sound"),
        ({"source": "half.mp4"}, "expected a video"),
    ],
)
def test_mistakes(small, clip, tmp_path, monkeypatch, options, words):
    """A wrong parameter or file gets one clear error, and nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "half.mp4").write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    ffmpeg.run([*SOUND, "sound.wav"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    arguments = {"source": "clip.mp4", "destination": "out.mp4", "colorizer": small, **options}
    with pytest.raises((InputError, VideoFileError), match=words):
        colorize_video(**arguments)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Look, {"smoothing": 1}),
        (Look, {"smoothing": "a bit"}),
        (Look, {"smoothing": float("nan")}),
        (Look, {"consistency": "none"}),
        (Decoding, {"resize": 64}),
        (Decoding, {"resize": (64, 0)}),
        (Decoding, {"resize": (64, 48, 3)}),
        (Decoding, {"tone_map": 1}),
        (Encoding, {"pixel_format": 8}),
        (Encoding, {"side_by_side": "left"}),
    ],
)
def test_choices_are_checked_where_they_are_made(kind, options):
    """A value that no video could have is refused before there is a video."""
    with pytest.raises(InputError, match=f"{next(iter(options))}: expected"):
        kind(**options)


def test_a_missing_encoder_is_said(small, clip, tmp_path, monkeypatch):
    """If ffmpeg lacks an encoder, an error says so before the work begins, and the old destination stays."""
    monkeypatch.setitem(CODECS, "h264", replace(CODECS["h264"], encoder="no_such_encoder"))
    (tmp_path / "out.mp4").write_bytes(b"old")
    with pytest.raises(VideoFileError, match="no encoder no_such_encoder for h264"):
        colorize_video(clip, tmp_path / "out.mp4", small, overwrite=True)
    assert (tmp_path / "out.mp4").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_what_can_be_decoded_of_a_damaged_film_is_colored(small, tmp_path):
    """Damage in the middle and a missing end are reported, and the rest is colored."""
    source = make(tmp_path / "in.ts", seconds=4, size="320x240", sound=False, extra=["-c:v", "mpeg2video", "-q:v", "2"])
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 6000] = RANDOM.bytes(6000)
    source.write_bytes(content[: len(content) * 3 // 4])
    report = colorize_video(source, tmp_path / "out.mp4", small)
    assert 50 < report.frames < 100
    assert report.complaints.startswith("[")  # no message is cut in the middle of a word
    assert len(lumas(tmp_path / "out.mp4")[0]) == report.frames


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.slow
def test_interrupted_it_leaves_the_old_film_and_no_process(tmp_path, kind):
    """Killed or interrupted in the middle, the destination is as it was and no ffmpeg goes on."""
    source = make(tmp_path / "in.mp4", seconds=60, size="640x360")
    destination = tmp_path / "out.mp4"
    destination.write_bytes(b"old")
    command = [sys.executable, "-m", "labcolor", "video", str(source), str(destination), "--overwrite"]
    # A shell's background job ignores SIGINT, and one of nohup SIGHUP, and so would what it starts.
    heed = functools.partial(signal.signal, kind if kind != signal.SIGKILL else signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=heed) as process:
        deadline = time.monotonic() + 120  # a loaded machine takes its time to import
        children = []
        while process.poll() is None and time.monotonic() < deadline and len(children) < 2:
            time.sleep(0.1)
            children = psutil.Process(process.pid).children(recursive=True)
        time.sleep(0.5)
        try:
            assert len(children) == 2
            process.send_signal(kind)
            assert process.wait(60) != 0
        finally:
            process.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive
    assert destination.read_bytes() == b"old"
    left = list(tmp_path.glob(".labcolor-*"))
    assert (kind == signal.SIGKILL) == bool(left)
    for path in left:  # an hour later, the next video removes it
        os.utime(path, (time.time() - 3600,) * 2)
    make(tmp_path / "short.mp4", seconds=0.1)
    assert main(["video", str(tmp_path / "short.mp4"), str(tmp_path / "next.mp4")]) == 0
    assert not list(tmp_path.glob(".labcolor-*"))


@pytest.mark.slow
def test_a_limit_on_file_size_stands_for_a_full_disk(clip, tmp_path):
    """If the destination cannot grow, there is one error, and the old film stays."""
    (tmp_path / "out.mkv").write_bytes(b"old")
    code = (
        "import resource, signal, sys; from labcolor.cli import main\n"
        f"main(['video', {str(clip)!r}, {str(tmp_path / 'before.mkv')!r}])\n"  # numba has filled its cache then
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        f"sys.exit(main(['video', {str(clip)!r}, {str(tmp_path / 'out.mkv')!r}, '--overwrite']))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert re.search(r"out\.mkv: cannot be encoded: .*(File too large|signal)", result.stderr)
    assert (tmp_path / "out.mkv").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before.mkv", "clip.mp4", "out.mkv"]


@pytest.mark.parametrize("name", ["out.mp4", "out/%04d.png"])
def test_what_is_there_is_replaced_only_on_demand(small, clip, tmp_path, name):
    """A file and the pictures of a sequence stay unless the caller says otherwise, in the library and the command."""
    short = Decoding(end=0.2)
    colorize_video(clip, tmp_path / name, small, decoding=Decoding(end=0.4))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(
        InputError, match=r"exists already\. Choose another name, or pass overwrite=True \(--overwrite\)"
    ):
        colorize_video(clip, tmp_path / name, small, progress=lambda *done: pytest.fail("began"))
    assert main(["video", str(clip), str(tmp_path / name)]) == 2
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert colorize_video(clip, tmp_path / name, small, decoding=short, overwrite=True).frames == 5
    if "%" in name:
        assert len(list((tmp_path / "out").iterdir())) == 5


def test_an_interrupted_replacement_of_a_sequence_is_taken_back(small, clip, tmp_path, monkeypatch):
    """Ctrl-C while pictures get their names leaves all of the old ones, or none of the new ones."""
    colorize_video(clip, tmp_path / "out/%04d.png", small, decoding=Decoding(end=0.4))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    rename, count = Path.replace, itertools.count()

    def interrupted(path, target):
        result = rename(path, target)
        if next(count) == 12:  # the old ones are away, and two of the new ones are there
            os.kill(os.getpid(), signal.SIGINT)
        return result

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(Path, "replace", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            colorize_video(clip, tmp_path / "out/%04d.png", small, saturation=2, overwrite=True)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_damaged_source_has_its_own_exit_code(tmp_path, capsys):
    """What can be decoded is colored, and a script can tell that it is not all."""
    source = make(tmp_path / "in.ts", sound=False, extra=["-c:v", "mpeg2video", "-q:v", "2"])
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = RANDOM.bytes(2000)
    source.write_bytes(content)
    assert main(["video", str(source), str(tmp_path / "out.mp4"), "--model", "reference"]) == 3
    assert "damaged" in capsys.readouterr().err
    assert main(["video", str(tmp_path), "-o", str(tmp_path / "colored"), "--model", "reference"]) == 3
    (tmp_path / "empty").mkdir()
    assert main(["video", str(tmp_path / "empty"), "-o", str(tmp_path / "none")]) not in (0, 3)


def test_command_line(clip, tmp_path, capsys):
    """The command colors a film and says how long it took; mistakes have their exit codes."""
    assert main(["video", str(clip), str(tmp_path / "out.mp4"), "--resize", "32x24", "--side-by-side", *REFERENCE]) == 0
    assert "25 frames in" in capsys.readouterr().err
    assert main(["video", str(clip), str(tmp_path / "out.xyz"), *REFERENCE]) == 2
    assert main(["video", str(tmp_path / "none.mp4"), str(tmp_path / "out2.mp4"), *REFERENCE]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_default_colorizer_is_the_packaged_one(clip, tmp_path):
    """Without a colorizer the packaged model is used."""
    part = Decoding(end=0.2)
    assert colorize_video(clip, tmp_path / "a.mp4", decoding=part).frames == 5
    colorize_video(clip, tmp_path / "b.mp4", Colorizer.from_pretrained(), decoding=part)
    np.testing.assert_array_equal(lumas(tmp_path / "a.mp4")[0], lumas(tmp_path / "b.mp4")[0])


@pytest.mark.parametrize(
    ("codec", "layout", "ending", "expected"),
    [
        ("ac3", "5.1", ".webm", "opus"),
        ("libmp3lame", "stereo", ".mov", "mp3"),
        ("pcm_s16be", "stereo", ".mkv", "flac"),
        ("libmp3lame", "stereo:sample_rates=11025", ".mp4", "mp3"),
        ("pcm_s16le", "7.1.4", ".mp4", "aac"),
    ],
)
@pytest.mark.slow
def test_unusual_sound(small, tmp_path, codec, layout, ending, expected):
    """Sound that a container cannot hold as it is is encoded anew, surround too."""
    extra = ["-c:a", codec, "-af", f"aformat=channel_layouts={layout}"]
    source = make(tmp_path / "in.mov", extra=extra)
    colorize_video(source, tmp_path / f"out{ending}", small)
    assert [track.codec for track in probe(tmp_path / f"out{ending}").sound] == [expected]


@pytest.mark.parametrize("name", ["-y.mp4", "%03d.mp4", "http:a.mp4", "concat:a|b.mp4", "a'b \\n.mp4"])
def test_names_are_no_options_or_protocols(small, tmp_path, monkeypatch, name):
    """Whatever a path looks like, it is a path."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "plain.mp4").rename(name)
    assert colorize_video(name, f"out{name}", small).frames == 25
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, f"out{name}"])


def test_a_playlist_opens_no_connection(small, tmp_path):
    """A film that is a list of addresses on the network is refused, and nobody is called."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        source = tmp_path / "in.m3u8"
        source.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n#EXT-X-ENDLIST\n")
        with pytest.raises(VideoFileError, match=r"in\.m3u8"):
            colorize_video(source, tmp_path / "out.mp4", small)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_sound_that_cannot_be_decoded_is_left_out(small, tmp_path):
    """Of two tracks, the one of an unknown codec does not keep the film from its colors, and is reported."""
    tracks = ["-f", "lavfi", "-i", "sine=duration=1", "-map", "0:v", "-map", "1:a", "-map", "2:a", "-c:a", "pcm_s16le"]
    source = make(tmp_path / "in.avi", extra=tracks)
    content = source.read_bytes()
    place = content.index(b"auds", content.index(b"auds") + 4)
    place = content.index(b"strf", place) + 8
    source.write_bytes(content[:place] + b"\x99\x99" + content[place + 2 :])
    report = colorize_video(source, tmp_path / "out.mp4", small)
    assert [track.codec for track in probe(source).sound] == ["pcm_s16le", "none"]
    assert [track.codec for track in probe(tmp_path / "out.mp4").sound] == ["aac"]
    assert report.complaints == ""
    assert report.converted == ("sound track 1 became aac", "sound track 2 cannot be decoded and is dropped")


def test_fields_become_frames(small, tmp_path):
    """An interlaced film comes out without combs, frame for frame."""
    fields = ["-vf", "tinterlace=interleave_top,fieldorder=tff", "-c:v", "mpeg2video", "-flags", "+ilme+ildct"]
    source = make(tmp_path / "in.mpg", rate="50", size="96x64", extra=[*fields, "-q:v", "1"])
    assert probe(source).fields
    assert colorize_video(source, tmp_path / "out.mp4", small).frames == 25
    assert not probe(tmp_path / "out.mp4").fields

    def comb(luma):
        return np.abs(np.diff(luma.astype(float), 2, axis=1)).mean()

    woven = np.frombuffer(ffmpeg.run(["-i", str(source), "-pix_fmt", "gray", "-f", "rawvideo", "-"]), np.uint8).reshape(
        -1, 64, 96
    )
    assert comb(lumas(tmp_path / "out.mp4")[0]) < 0.8 * comb(woven)


@pytest.mark.slow
def test_a_screen_recorders_clock_makes_no_thousand_frames_a_second(small, tmp_path):
    """A film whose times are in milliseconds keeps its length, at a rate that it needs."""
    dropped = ["-vf", "select='gt(random(0),0.2)',setpts='PTS+floor(random(1)*9)/1000/TB'", "-fps_mode", "passthrough"]
    source = make(tmp_path / "in.webm", rate="1000/39", seconds=2, sound=False, extra=dropped)
    report = colorize_video(source, tmp_path / "out.mp4", small)
    assert 20 < report.rate <= 60
    assert report.frames / report.rate == pytest.approx(2, abs=0.1)
    fast = make(tmp_path / "fast.mp4", rate="240000/1001", seconds=0.2, sound=False)
    assert colorize_video(fast, tmp_path / "out.mp4", small, overwrite=True).rate == Fraction(240000, 1001)


def test_paths_that_cannot_be(small, clip, tmp_path):
    """A name that is too long and a folder as a destination are told before the work begins."""
    (tmp_path / "folder.mp4").mkdir()
    for source, destination, words in [
        (tmp_path / ("x" * 300 + ".mp4"), tmp_path / "out.mp4", "does not exist"),
        (clip, tmp_path / ("x" * 300 + ".mp4"), "cannot be written"),
        (clip, tmp_path / "folder.mp4", "got a folder"),
    ]:
        with pytest.raises((InputError, VideoFileError), match=words):
            colorize_video(source, destination, small, progress=lambda done, total: pytest.fail("began"))


@pytest.mark.slow
def test_a_decoder_that_dies_is_no_end_of_a_film(small, tmp_path):
    """If the decoding process is killed, that is an error, and there is no short film."""
    source = make(tmp_path / "in.mp4", seconds=20, size="320x240")

    def kill(done, total):
        for child in psutil.Process().children():
            if "extractplanes" in " ".join(child.cmdline()):
                child.kill()

    with pytest.raises(VideoFileError, match="in the middle of decoding"):
        colorize_video(source, tmp_path / "out.mp4", small, progress=kill)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


@pytest.mark.parametrize("kind", [OSError, BrokenPipeError, KeyboardInterrupt])
def test_errors_of_the_callers_own_come_through(small, clip, tmp_path, kind):
    """What a progress function raises is not taken for a fault of the disk or of ffmpeg."""

    def fail(done, total):
        raise kind("mine")

    with pytest.raises(kind, match=r"^mine$"):
        colorize_video(clip, tmp_path / "out.mp4", small, progress=fail)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize("colorizer", ["model.labcolor", Colorizer(), Colorizer])
def test_what_is_no_colorizer(colorizer, clip, tmp_path):
    """A path, a class or a colorizer that is not fitted is refused at once."""
    for call in (
        lambda: colorize_frames([], colorizer),
        lambda: colorize_video(clip, tmp_path / "o.mp4", colorizer, overwrite=True),
    ):
        with pytest.raises((InputError, NotFittedError), match=r"(?i)colorizer"):
            call()


def test_frames_of_other_libraries(small):
    """Frames of PyAV, also of more than 8 bits, and of decord are pictures."""
    rgb = RANDOM.integers(0, 256, (24, 32, 3), dtype=np.uint8)

    class PyavFrame:
        """Stands for av.VideoFrame."""

        def __init__(self, bits):
            self.format = SimpleNamespace(components=[SimpleNamespace(bits=bits)] * 3)

        def to_ndarray(self, **kind):
            return {"rgb24": rgb, "rgb48le": rgb.astype(np.uint16) * 257}[kind["format"]]

    decord = SimpleNamespace(asnumpy=lambda: rgb)
    eight, ten, other = colorize_frames([PyavFrame(8), PyavFrame(10), decord], small, look=Look(smoothing=0))
    np.testing.assert_array_equal(eight, small.predict(rgb))
    np.testing.assert_array_equal(other, eight)
    assert ten.dtype == np.uint16

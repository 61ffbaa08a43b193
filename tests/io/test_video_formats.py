"""Formats of video: what a file holds comes out again, or the report says what was lost."""

import os
import re
import subprocess
from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest

from labcolor import Decoding, Encoding, Look, colorize_video, read_picture, write_picture
from labcolor.cli import main
from labcolor.errors import InputError, VideoFileError
from labcolor.io import ffmpeg
from labcolor.io.decoder import Decoder, open_footage
from labcolor.io.probe import probe
from labcolor.io.times import advanced, as_rate, as_seconds
from labcolor.video import jobs

RANDOM = np.random.default_rng(0)
KINDS = Decoding, Encoding
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=1.2")


def make(path, *extra, size="64x48", rate="25", seconds=0.4, sound=False):
    """A clip of ffmpeg's test picture."""
    source = ["-f", "lavfi", "-i", f"testsrc2=rate={rate}:size={size}:duration={seconds}"]
    ffmpeg.run(["-y", *source, *(SOUND if sound else ()), *extra, str(path)])
    return path


def lumas(path, **options):
    """All frames' luma, with the numbers of the file."""
    with Decoder(open_footage(path, Decoding(**options))) as decoder:
        return np.stack(list(decoder))


def shown(path):
    """What ffmpeg says of a file."""
    command = [ffmpeg.executable(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True).stderr


def times(path, stream):
    """The times of a stream's packets, in seconds."""
    text = ffmpeg.run(["-copyts", "-i", str(path), "-map", f"0:{stream}", "-c", "copy", "-f", "framemd5", "-"]).decode()
    base = Fraction(text[text.index("#tb 0: ") + 7 :].split()[0])
    return [float(base * int(line.split(",")[2])) for line in text.splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize(
    "pixels",
    ["yuv420p", "yuv422p10le", "yuv444p12le", "gray", "gray16le", "yuvj420p", "yuv440p10le"],
)
def test_a_lossless_codec_keeps_luma_bit_for_bit(small, tmp_path, pixels):
    """In FFV1, luma of any depth and range comes out as it went in."""
    source = make(tmp_path / "in.mkv", "-c:v", "ffv1", "-strict", "-1", "-pix_fmt", pixels)
    report = colorize_video(source, tmp_path / "out.mkv", small, encoding=Encoding(codec="ffv1"))
    assert report.converted == ()
    before, after = probe(source), probe(tmp_path / "out.mkv")
    assert after.pixels.depth == before.pixels.depth
    assert after.full == before.full
    np.testing.assert_array_equal(lumas(tmp_path / "out.mkv"), lumas(source))


@pytest.mark.parametrize(
    ("ending", "codec", "pixels"),
    [
        (".mov", "prores", "yuv422p10le"),
        (".mov", "dnxhr", "yuv422p10le"),
        (".mp4", "hevc", "yuv420p10le"),
        (".mkv", "ffv1", "yuv422p10le"),
    ],
)
def test_archive_codecs_keep_ten_bits(small, tmp_path, ending, codec, pixels):
    """Ten bits stay ten bits, near the source, and colors have their place."""
    source = make(tmp_path / "in.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv422p10le", size="256x144", seconds=0.12)
    colorize_video(source, tmp_path / f"out{ending}", small, encoding=Encoding(codec=codec))
    assert probe(tmp_path / f"out{ending}").format == pixels
    before, after = lumas(source).astype(int), lumas(tmp_path / f"out{ending}").astype(int)
    assert np.abs(before - after).mean() < 8  # of 1023


def test_what_is_lost_is_said(small, tmp_path):
    """Depth, chroma format, range, cover and sound that do not fit the result are listed."""
    write_picture(tmp_path / "cover.png", RANDOM.integers(0, 256, (16, 16, 3), np.uint8))
    source = make(
        tmp_path / "in.mkv", "-c:v", "ffv1", "-pix_fmt", "yuv444p10le", "-c:a", "flac", sound=True, seconds=0.2
    )
    assert colorize_video(source, tmp_path / "out.mp4", small).converted == (
        "10 bits became 8",
        "4:4:4 became 4:2:0",
        "sound track 1 became aac",
    )
    report = colorize_video(
        source,
        tmp_path / "out.mp4",
        small,
        encoding=Encoding(pixel_format="yuv444p10", preset="ultrafast"),
        overwrite=True,
    )
    assert report.converted == ("sound track 1 became aac",)
    assert probe(tmp_path / "out.mp4").format == "yuv444p10le"
    assert report.size == (64, 48)


def test_colors_are_tagged_as_in_the_source(small, tmp_path):
    """A small film that is tagged BT.709 stays so, and its chroma is made for that matrix."""
    tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv,setsar=12/11"
    source = make(tmp_path / "in.mp4", "-vf", tags, "-pix_fmt", "yuv420p")
    for name in ("out.mp4", "out.mkv"):
        colorize_video(source, tmp_path / name, small)
        after = probe(tmp_path / name)
        assert (after.matrix, after.primaries, after.transfer, after.aspect) == ("bt709", "bt709", "bt709", "12:11")
    plain = make(tmp_path / "plain.mp4", "-pix_fmt", "yuv420p")
    colorize_video(plain, tmp_path / "plain_out.mp4", small)
    assert probe(tmp_path / "plain_out.mp4").matrix == "smpte170m"


@pytest.mark.parametrize("ending", [".mov", ".mp4", ".mkv"])
def test_time_code_is_kept(small, tmp_path, ending):
    """The time code of a track of its own is kept, and goes on where a part begins."""
    source = make(tmp_path / "in.mov", "-timecode", "01:00:00:00", "-pix_fmt", "yuv420p")
    colorize_video(source, tmp_path / f"out{ending}", small)
    assert probe(tmp_path / f"out{ending}").timecode == "01:00:00:00"
    colorize_video(source, tmp_path / f"part{ending}", small, decoding=Decoding(start=0.2))
    assert probe(tmp_path / f"part{ending}").timecode == "01:00:00:05"


def test_time_code_goes_into_dpx_and_out_of_it(small, tmp_path, monkeypatch):
    """Each DPX picture has its time code, also in a part and after an interruption, and a film made of them has it."""
    source = make(tmp_path / "in.mov", "-timecode", "01:00:00:20", "-pix_fmt", "yuv420p")
    monkeypatch.setattr(jobs, "SEGMENT", 4)

    def stop(done, total):
        if done >= 4:
            raise KeyboardInterrupt

    def codes(folder):
        heads = [path.read_bytes()[:2048] for path in sorted(folder.iterdir())]
        return [(head[1923:1919:-1] if head[:4] == b"XPDS" else head[1920:1924]).hex() for head in heads]

    options = {"decoding": Decoding(start=0.08), "resume": True}
    with pytest.raises(KeyboardInterrupt):
        colorize_video(source, tmp_path / "out/%04d.dpx", small, progress=stop, **options)
    report = colorize_video(source, tmp_path / "out/%04d.dpx", small, **options)
    assert report.converted == ()
    assert codes(tmp_path / "out") == ["01000022", "01000023", "01000024", *(f"010001{frame:02}" for frame in range(5))]
    assert (
        "time code is dropped"
        in colorize_video(source, tmp_path / "png/%04d.png", small, decoding=Decoding(start=0.08)).converted
    )
    colorize_video(tmp_path / "out", tmp_path / "back.mov", small, decoding=Decoding(rate=25, start=0.04))
    assert probe(tmp_path / "back.mov").timecode == "01:00:00:23"
    colorize_video(tmp_path / "out", tmp_path / "again/%04d.dpx", small, decoding=Decoding(rate=25))
    assert codes(tmp_path / "again") == codes(tmp_path / "out")
    np.testing.assert_array_equal(lumas(tmp_path / "out"), lumas(tmp_path / "png"))


@pytest.mark.parametrize("first", [".mp4", ".mkv"])
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_covers_flags_chapters_and_attachments_are_kept(small, tmp_path, first, ending):
    """Cover art, marks of tracks, chapters, tags and attached files come along."""
    write_picture(tmp_path / "cover.png", RANDOM.integers(0, 256, (16, 16, 3), np.uint8))
    (tmp_path / "font.ttf").write_bytes(b"font")
    chapters = ";FFMETADATA1\ntitle=Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\ntitle=One\n"
    (tmp_path / "about.txt").write_text(chapters)
    second = ["-f", "lavfi", "-i", "sine=880:duration=1.2", "-i", str(tmp_path / "about.txt")]
    marks = ["-disposition:a:0", "0", "-disposition:a:1", "default+comment", "-metadata:s:a:1", "language=deu"]
    streams = ["-map", "0:v", "-map", "1:a", "-map", "2:a", "-map_metadata", "3", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    if first == ".mp4":
        cover = ["-map", "4:v", "-c:v:1", "copy", "-disposition:v:1", "attached_pic"]
        more = [*second, "-i", str(tmp_path / "cover.png"), *streams, *marks, *cover]
    else:
        attach = ["-attach", str(tmp_path / "cover.png"), "-metadata:s:t:0", "mimetype=image/png"]
        attach += ["-attach", str(tmp_path / "font.ttf"), "-metadata:s:t:1", "mimetype=font/ttf"]
        more = [*second, *streams, *marks, *attach]
    source = make(tmp_path / f"in{first}", *more, sound=True)
    before = probe(source)
    assert (len(before.covers), [track.flags for track in before.sound]) == (1, [(), ("default", "comment")])
    report = colorize_video(source, tmp_path / f"out{ending}", small)
    after, text = probe(tmp_path / f"out{ending}"), shown(tmp_path / f"out{ending}")
    assert len(after.covers) == 1
    assert [track.flags for track in after.sound] == [track.flags for track in before.sound]
    assert "Chapter #0:0: start 0.000000, end 0.300000" in text
    assert "Film" in text
    assert "(deu): Audio" in text
    assert after.attachments == (before.attachments if ending == ".mkv" else 0)
    assert report.converted == (("attached files are dropped (1)",) if ending == ".mp4" and first == ".mkv" else ())


@pytest.mark.parametrize("rate", ["25", "30", "50"])
@pytest.mark.parametrize("ending", [".mkv", pytest.param(".mp4", marks=pytest.mark.slow)])
def test_a_picture_that_begins_after_its_sound(small, tmp_path, rate, ending):
    """If the picture starts at 21 ms, no frame is doubled, and picture and sound keep their distance."""
    plain = make(tmp_path / "plain.mp4", "-pix_fmt", "yuv420p", rate=rate, sound=True)
    shift = ["-itsoffset", "0.021", "-i", str(plain), "-i", str(plain), "-map", "0:v", "-map", "1:a", "-c", "copy"]
    ffmpeg.run([*shift, str(tmp_path / "in.mkv")])
    report = colorize_video(tmp_path / "in.mkv", tmp_path / f"out{ending}", small)
    assert report.frames == 0.4 * int(rate)
    gaps = [min(times(path, 0)) - min(times(path, 1)) for path in (tmp_path / "in.mkv", tmp_path / f"out{ending}")]
    assert gaps[1] == pytest.approx(gaps[0], abs=0.0015)


@pytest.mark.parametrize(("codec", "size"), [("prores", "64x48"), ("dnxhr", "256x144")])
def test_a_cover_does_not_disturb_a_codec_with_profiles(small, tmp_path, codec, size):
    """The profile of the video does not reach the cover, which .mkv keeps and .mov drops, as the report says."""
    write_picture(tmp_path / "cover.png", RANDOM.integers(0, 256, (16, 16, 3), np.uint8))
    cover = ["-i", str(tmp_path / "cover.png"), "-map", "0:v", "-map", "1:v", "-c:v:1", "copy"]
    source = make(tmp_path / "in.mp4", *cover, "-disposition:v:1", "attached_pic", size=size)
    for ending, kept in ((".mov", 0), (".mkv", 1)):
        report = colorize_video(source, tmp_path / f"out{ending}", small, encoding=Encoding(codec))
        assert len(probe(tmp_path / f"out{ending}").covers) == kept
        assert ("the cover picture is dropped" in report.converted) == (not kept)


def comb(luma):
    """How much each line differs from its neighbors."""
    return np.abs(np.diff(luma.astype(float), 2, axis=1)).mean()


def test_fields_are_found_by_the_frames_own_flags(small, tmp_path):
    """DV in AVI, whose container says nothing of fields, comes out without combs; the caller may decide otherwise."""
    fields = ["-vf", "tinterlace=interleave_bottom,fieldorder=bff,setsar=16/15", "-c:v", "dvvideo"]
    source = make(
        tmp_path / "in.avi", *fields, "-pix_fmt", "yuv420p", "-flags", "+ildct", size="720x576", rate="50", seconds=0.2
    )
    woven = comb(lumas(source, deinterlace="never"))
    assert comb(lumas(source)) < 0.8 * woven
    assert probe(source).primaries == "unknown"
    report = colorize_video(source, tmp_path / "frames.mp4", small, encoding=Encoding(preset="ultrafast"))
    assert (report.rate, report.frames) == (25, 5)
    after = probe(tmp_path / "frames.mp4")  # of 625 lines
    assert (after.matrix, after.primaries, after.transfer) == ("bt470bg", "bt470bg", "smpte170m")
    assert report.converted == ("fields became frames",)
    for ending, codec in ((".mp4", "h264"), (".mov", "prores"), (".mkv", "ffv1")):  # fields stay, and say that they do
        kept = tmp_path / f"kept{ending}"
        report = colorize_video(
            source, kept, small, encoding=Encoding(codec=codec), decoding=Decoding(deinterlace="never"), overwrite=True
        )
        assert (probe(kept).fields, report.rate, report.converted) == ("bff", 25, ())
    report = colorize_video(
        source,
        tmp_path / "out.mp4",
        small,
        encoding=Encoding(codec="hevc"),
        decoding=Decoding(deinterlace="never", end=0.04),
    )
    assert report.converted == ("fields are no longer marked as such",)
    forced = make(tmp_path / "plain.mkv", "-c:v", "ffv1", "-vf", "tinterlace=interleave_top,setfield=prog", rate="50")
    np.testing.assert_array_equal(lumas(forced), lumas(forced, deinterlace="never"))
    assert comb(lumas(forced, deinterlace="always")) < comb(lumas(forced))


def test_hdr_is_refused_or_mapped(small, tmp_path):
    """A film in PQ is refused before the work begins, with the remedy; mapped, it is tagged as what it is."""
    tags = "setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084:range=tv"
    source = make(tmp_path / "in.mkv", "-vf", f"format=yuv420p10le,{tags}", "-c:v", "ffv1")
    with pytest.raises(VideoFileError, match=r"got HDR \(PQ\)\. Pass tone_map=True"):
        colorize_video(source, tmp_path / "out.mp4", small)
    report = colorize_video(source, tmp_path / "out.mp4", small, decoding=Decoding(tone_map=True), overwrite=True)
    assert report.converted[0] == "HDR (PQ) became standard range"
    after = probe(tmp_path / "out.mp4")
    assert (after.matrix, after.primaries, after.transfer, after.hdr) == ("bt709", "bt709", "bt709", "")
    assert lumas(tmp_path / "out.mp4").std() > 10


def test_a_part_of_a_film(small, tmp_path):
    """From start to end, frame for frame, with the sound of that part."""
    source = make(tmp_path / "in.mkv", "-c:v", "ffv1", "-c:a", "pcm_s16le", sound=True, seconds=1)
    heard = []
    options = {"encoding": Encoding("ffv1"), "decoding": Decoding(start=0.2, end="0:00.6")}
    options["progress"] = lambda *done: heard.append(done)
    report = colorize_video(source, tmp_path / "out.mkv", small, **options)
    assert report.frames == 10
    assert heard[-1] == (10, 10)
    np.testing.assert_array_equal(lumas(tmp_path / "out.mkv"), lumas(source)[5:15])
    assert probe(tmp_path / "out.mkv").duration == pytest.approx(0.4, abs=0.03)
    assert min(times(tmp_path / "out.mkv", 1)) < 0.03


def test_time_codes_and_times():
    """Time code counts on with and without dropped numbers, and times are read as people write them."""
    rate = Fraction(30000, 1001)
    assert advanced("00:09:59;29", 1, rate) == "00:10:00;00"
    assert advanced("00:00:59;29", 1, rate) == "00:01:00;02"
    assert advanced("00:00:00;00", 107892, rate) == "01:00:00;00"
    assert advanced("23:59:59:24", 1, Fraction(25)) == "00:00:00:00"
    assert [as_seconds("start", text) for text in (0, 1.5, "90", "1:30.5", "00:01:30")] == [0, 1.5, 90, 90.5, 90]
    assert [as_seconds("start", 100 / 24), as_seconds("start", 1e-5)] == [Fraction(25, 6), Fraction(1, 100000)]
    assert as_rate("rate", 24000 / 1001) == Fraction(24000, 1001)
    assert [as_seconds("start", np.int64(3)), as_rate("rate", np.float32(2.5))] == [3, 2.5]
    for value in (None, "fast", 0, -1, float("nan"), np.datetime64("2000")):
        with pytest.raises(InputError, match="rate: expected frames per second"):
            as_rate("rate", value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"codec": "prores"}, r"prores fits \.mov, \.mkv, got \.mp4"),
        ({"codec": "av2"}, "codec: expected one of"),
        ({"codec": "dnxhr", "destination": "out.mov"}, "at least 256x120"),
        ({"quality": 99}, "quality: expected"),
        ({"preset": "quick"}, "preset: expected"),
        ({"pixel_format": "yuv411p"}, "pixel_format: expected"),
        ({"destination": "out.mkv", "codec": "ffv1", "quality": 5}, "quality: ffv1 has no quality"),
        ({"destination": "out.mkv", "codec": "ffv1", "preset": "fast"}, "preset: ffv1 has no preset"),
        ({"destination": "out.gif", "codec": "h264"}, r"codec: \.gif has no codec"),
        ({"destination": "frames/%06d.jpg"}, "sequence that ends in"),
        ({"destination": "a/b/%06d.png"}, "no folder"),
        ({"start": "later"}, "start: expected"),
        ({"start": -1}, "start: expected"),
        ({"start": None}, "start: expected"),
        ({"start": 99}, "start: expected a time before the end"),
        ({"start": 0.3, "end": 0.3}, "end: expected a time after start"),
        ({"rate": 25}, "rate: expected an image sequence"),
        ({"deinterlace": True}, "deinterlace: expected"),
        ({"source": "https://example.org/a.mp4"}, "got the address"),
        ({"source": "one.png"}, "got a single picture"),
        ({"source": "gap/%04d.png"}, "2 is missing"),
        ({"source": "gap"}, "2 is missing"),
        ({"source": "sizes/%04d.png"}, "1 has 8x8 pixels of 8 bits and 2 9x8 pixels"),
        ({"source": "depths"}, "pixels of 8 bits and 2 8x8 pixels of 16 bits"),
        ({"source": "two"}, "expected one sequence, found"),
        ({"source": "none/%04d.png"}, "no folder"),
        ({"source": "gap/%05d.png"}, "found none"),
        ({"source": "sizes", "rate": 0}, "rate: expected"),
    ],
)
def test_bad_input_is_told_before_work_begins(small, tmp_path, monkeypatch, options, words):
    """What a container or codec cannot hold, a sequence with gaps: one error, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "in.mp4", "-pix_fmt", "yuv420p")
    grey = np.zeros((8, 8), np.uint8)
    pictures = {
        "one.png": grey,
        "gap/0001.png": grey,
        "gap/0003.png": grey,
        "sizes/0001.png": grey,
        "sizes/0002.png": np.zeros((8, 9), np.uint8),
        "depths/0001.png": grey,
        "depths/0002.png": grey.astype(np.uint16),
        "two/a01.png": grey,
        "two/b01.png": grey,
    }
    for name, picture in pictures.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_picture(tmp_path / name, picture)
    before = sorted(tmp_path.rglob("*"))
    arguments = {"source": "in.mp4", "destination": "out.mp4", **options}
    source, destination = arguments.pop("source"), arguments.pop("destination")

    def color():
        chosen = {kind: {f.name: arguments.pop(f.name) for f in fields(kind) if f.name in arguments} for kind in KINDS}
        groups = {kind.__name__.lower(): kind(**values) for kind, values in chosen.items()}
        colorize_video(source, destination, small, progress=lambda *done: pytest.fail("began"), **groups, **arguments)

    with pytest.raises((InputError, VideoFileError), match=words):
        color()
    assert sorted(tmp_path.rglob("*")) == before


def test_avi_holds_ffv1_and_the_report_lists_what_it_lacks(small, tmp_path):
    """FFV1 in AVI keeps luma, rate, pixel aspect, time code and PCM; H.264 in it is refused."""
    (tmp_path / "chapters.txt").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=A\n")
    tags = "setsar=16/15,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    given = ["-i", str(tmp_path / "chapters.txt"), "-map", "0:v", "-map", "1:a", "-map_metadata", "2"]
    kept = ["-timecode", "01:00:00:00", "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s24le"]
    source = make(tmp_path / "in.mov", *given, "-vf", tags, "-c:v", "ffv1", *kept, sound=True)
    report = colorize_video(source, tmp_path / "out.avi", small)
    assert report.converted == ("tags of colors are dropped", "chapters are dropped (1)")
    info = probe(tmp_path / "out.avi")
    assert (info.rate, info.aspect, info.timecode, info.sound[0].codec) == (25, "16:15", "01:00:00:00", "pcm_s24le")
    np.testing.assert_array_equal(lumas(tmp_path / "out.avi"), lumas(source))
    with pytest.raises(InputError, match=r"h264 fits \.mp4, \.mov, \.mkv, got \.avi"):
        colorize_video(source, tmp_path / "other.avi", small, encoding=Encoding("h264"))


@pytest.mark.parametrize("ending", ["png", "tif", "dpx"])
def test_image_sequences(small, tmp_path, ending):
    """A sequence becomes a sequence, picture for picture, with the colors of its pictures and their depth."""
    folder = tmp_path / "in"
    folder.mkdir()
    # drawn anew: of some frames, L at the middle of two steps of the network's input is rounded to the other one
    frames = np.sort(np.random.default_rng(0).integers(0, 65536, (5, 24, 32), dtype=np.uint16), axis=2)
    for number, frame in enumerate(frames, 17):
        write_picture(folder / f"film.{number:05d}.tif", frame)
    report = colorize_video(folder, tmp_path / f"out/%04d.{ending}", small, look=Look(smoothing=0))
    assert (report.frames, report.rate, report.converted) == (5, 24, ())
    names = [f"{number:04d}.{ending}" for number in range(17, 22)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    if ending != "dpx":
        first = read_picture(tmp_path / "out" / names[0])
        assert first.dtype == np.uint16
        expected = small.predict(frames[0]).astype(int)
        assert np.abs(first.astype(int) - expected).max() <= 2
    film = tmp_path / "film.mov"
    report = colorize_video(
        tmp_path / f"out/%04d.{ending}",
        film,
        small,
        encoding=Encoding(codec="prores"),
        decoding=Decoding(rate="24000/1001"),
    )
    assert report.rate == probe(film).rate == Fraction(24000, 1001)
    with pytest.raises(InputError, match="exists already"):
        colorize_video(folder, tmp_path / f"out/%04d.{ending}", small)


def test_a_folder_of_pictures_becomes_a_folder(small, tmp_path):
    """A sequence that goes to a folder keeps its names."""
    (tmp_path / "100%").mkdir()
    for number in range(9, 12):
        write_picture(tmp_path / f"100%/{number}.png", np.full((9, 11), 20 * number, np.uint8))
    assert colorize_video(tmp_path / "100%", tmp_path / "out", small).frames == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["10.png", "11.png", "9.png"]
    assert read_picture(tmp_path / "out/9.png").shape == (9, 11, 3)


def test_stale_files_are_removed_and_others_stay(small, tmp_path):
    """A hidden file or folder of a dead process goes; one that is locked or young, and others' hidden files, stay."""
    fcntl = pytest.importorskip("fcntl")  # Windows has none
    names = ["0123456789ab.mp4", "ba9876543210.mkv", "00112233aabb.mp4"]
    stale, locked, young = paths = [tmp_path / f".labcolor-{name}" for name in names]
    for path in (*paths, tmp_path / ".labcolor-notes", tmp_path / ".other.mp4"):
        path.touch()
    folder = tmp_path / ".labcolor-aabbccddeeff.frames"
    folder.mkdir()
    (folder / "000001.png").touch()
    for path in (stale, locked, folder, tmp_path / ".labcolor-notes", tmp_path / ".other.mp4"):
        os.utime(path, (1e9, 1e9))
    source = make(tmp_path / "in.mp4", "-pix_fmt", "yuv420p", seconds=0.1)
    with locked.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.utime(locked, (1e9, 1e9))
        colorize_video(source, tmp_path / "out.mp4", small)
    assert sorted(path.name for path in tmp_path.glob(".*")) == sorted(
        [locked.name, young.name, ".labcolor-notes", ".other.mp4"]
    )


def flash_and_click(path):
    """The times of the brightest frame and of the first loud sample, and the seconds of sound that are played."""
    frames = ["-copyts", "-i", str(path), "-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"]
    text = ffmpeg.run([*frames, "-f", "null", "-"]).decode()
    moments = [float(time) for time in re.findall(r"pts_time:(\S+)", text)]
    light = [float(mean) for mean in re.findall(r"YAVG=(\S+)", text)]
    command = [
        ffmpeg.executable(),
        "-copyts",
        "-i",
        path,
        "-map",
        "0:a",
        "-af",
        "ashowinfo",
        "-ac",
        "1",
        "-ar",
        "48000",
    ]
    result = subprocess.run([*command, "-f", "s16le", "-"], capture_output=True, check=True)
    first = float(re.search(rb"pts_time:([-\d.]+)", result.stderr)[1])
    loud = np.frombuffer(result.stdout, np.int16).astype(int)
    return moments[int(np.argmax(light))], first + np.argmax(np.abs(loud) > 3000) / 48000, len(loud) / 48000


@pytest.mark.parametrize(
    "codec", ["pcm_s16le", pytest.param("aac", marks=pytest.mark.slow), pytest.param("flac", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("ending", [".mp4", pytest.param(".mkv", marks=pytest.mark.slow)])
def test_sound_before_the_picture_is_kept(small, tmp_path, codec, ending):
    """A click stays with its flash, and what is heard before the picture begins is still heard."""
    film = "color=black:s=64x48:r=25:d=0.8,drawbox=t=fill:c=white:enable='eq(n,10)'"
    click = "aevalsrc='if(between(t,0.6,0.605),sin(2*PI*3000*t),0)':d=1:s=48000"
    inputs = ["-itsoffset", "0.2", "-f", "lavfi", "-i", film, "-f", "lavfi", "-i", click]
    ffmpeg.run([*inputs, "-c:v", "ffv1", "-c:a", codec, str(tmp_path / "in.mkv")])
    colorize_video(tmp_path / "in.mkv", tmp_path / f"out{ending}", small)
    flash, heard, length = flash_and_click(tmp_path / f"out{ending}")
    assert flash - heard == pytest.approx(0, abs=0.003)
    assert length == pytest.approx(1, abs=0.05)
    colorize_video(tmp_path / "in.mkv", tmp_path / f"part{ending}", small, decoding=Decoding(start=0.2))
    flash, heard, _ = flash_and_click(tmp_path / f"part{ending}")
    assert flash - heard == pytest.approx(0, abs=0.003)


def test_options_on_the_command_line(tmp_path):
    """The command passes on what it is told of codec, pixels, part and rate."""
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(6):
        write_picture(frames / f"{number:03d}.png", np.full((32, 40), 40 * number, np.uint8))
    command = ["video", str(frames), str(tmp_path / "out.mov"), "--model", "reference", "--rate", "12"]
    command += ["--codec", "h264", "--pixel-format", "yuv422p10", "--quality", "10", "--preset", "ultrafast"]
    assert main([*command, "--start", "0.25", "--end", "00:00:00.5"]) == 0
    film = probe(tmp_path / "out.mov")
    assert (film.rate, film.format, len(lumas(tmp_path / "out.mov"))) == (12, "yuv422p10le", 3)
    assert main([*command[:2], str(tmp_path / "out.mp4"), "--codec", "prores"]) == 2
    assert main([*command[:2], str(tmp_path / "out.mp4"), "--end", "never"]) == 2

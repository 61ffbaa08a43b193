"""DPX: depth, the Cineon curve, and headers, read back by OpenImageIO where it is installed."""

import numpy as np
import pytest

from labcolor import Encoding, colorize_video
from labcolor.color.yuv import density_to_linear, linear_to_density
from labcolor.io import ffmpeg
from labcolor.io.decoder import Decoder, open_footage
from labcolor.io.dpx import DpxHeader, read_header, stamp

RAMP = np.arange(1024, dtype=np.uint16).reshape(32, 32)  # every code of 10 bits


def write_scan(folder, transfer, *, pixels="gbrp10le", colorimetric=1, count=2):
    """Write a sequence of DPX of grey RGB, or grey alone, with every code of 10 bits."""
    folder.mkdir()
    planes = 3 if pixels.startswith("gbrp") else 1
    picture = RAMP if "10" in pixels else RAMP << 6 | RAMP >> 4
    raw = ["-f", "rawvideo", "-pixel_format", pixels, "-video_size", "32x32", "-i", "-"]
    ffmpeg.run([*raw, f"{folder}/%04d.dpx"], np.tile(picture, (count * planes, 1)).astype("<u2").tobytes())
    for path in folder.iterdir():
        content = bytearray(path.read_bytes())
        content[801:803] = transfer, colorimetric
        path.write_bytes(content)
    return folder


def planes_of(path):
    """The planes G, B and R of one picture as 10 bits."""
    raw = ffmpeg.run(["-i", str(path), "-pix_fmt", "gbrp10le", "-f", "rawvideo", "-"])
    return np.frombuffer(raw, "<u2").reshape(3, 32, 32)


def test_the_curve_is_kodaks():
    """Black and white have the codes that Kodak states, a stop is 90 codes, and the curve inverts."""
    np.testing.assert_allclose(density_to_linear(np.array([0, 95, 685, 1023])), [0, 0, 1, 1], atol=1e-12)
    stop = linear_to_density(np.array(1.0)) - linear_to_density(np.array(0.5))
    assert abs(stop - 90) < 1.5  # half of the light is 0.3 of exposure, so 0.18 of density at gamma 0.6
    codes = np.arange(95, 686)
    np.testing.assert_allclose(linear_to_density(density_to_linear(codes)), codes, atol=1e-9)


@pytest.mark.parametrize(("transfer", "pixels"), [(1, "gbrp10le"), (3, "gbrp10le"), (6, "gbrp10le"), (2, "gbrp10le")])
def test_ten_bits_stay_and_grey_keeps_every_code(small, tmp_path, transfer, pixels):
    """DPX of 10 bits stays so: with its marks, and without chroma each code comes out as it went in."""
    source = write_scan(tmp_path / "in", transfer, pixels=pixels)
    report = colorize_video(source, tmp_path / "out", small, saturation=0)
    assert (report.frames, report.converted) == (2, ())
    path = tmp_path / "out/0001.dpx"
    assert path.read_bytes()[803] == 10
    assert read_header(path).marks == (transfer, 1)
    np.testing.assert_array_equal(planes_of(path), [RAMP] * 3)


def test_colored_density_keeps_its_luminance_and_what_lies_beyond_white(small, tmp_path):
    """Codes beyond black and white are kept, nearly grey; between them linear luminance stays to a code."""
    source = write_scan(tmp_path / "in", 1)
    colorize_video(source, tmp_path / "out", small)
    green, blue, red = planes_of(tmp_path / "out/0001.dpx").astype(float)
    outside = (RAMP < 95) | (RAMP > 685)
    for plane in (green, blue, red):
        assert np.abs(plane - RAMP)[outside].max() < 6
    assert np.abs(red - blue).max() > 5  # it is colored
    luminance = np.tensordot([0.2126, 0.7152, 0.0722], density_to_linear(np.stack([red, green, blue])), 1)
    inside = (RAMP > 150) & (RAMP < 680)
    assert np.abs(linear_to_density(luminance) - RAMP)[inside].max() < 1.5


@pytest.mark.parametrize("ending", ["mkv", "png"])
def test_density_that_leaves_dpx_is_converted_and_reported(small, tmp_path, ending):
    """Other formats get the picture as the curve shows it, and the report says so."""
    source = write_scan(tmp_path / "in", 1, pixels="gray16le")
    destination = tmp_path / ("out.mkv" if ending == "mkv" else "out/%04d.png")
    options = Encoding("ffv1") if ending == "mkv" else Encoding()
    report = colorize_video(source, destination, small, saturation=0, encoding=options)
    assert "printing density became video, without values above code 685" in report.converted
    with Decoder(open_footage(destination)) as decoder:
        found = next(iter(decoder)).astype(float)
    shares = found / 65535
    light = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(light, density_to_linear(RAMP.astype(float)), atol=2e-4)


def test_video_of_ten_bits_becomes_dpx_of_ten_bits(small, tmp_path):
    """A video of 10 bits becomes DPX of 10 bits marked BT.709, and 12 or 16 bits if asked for."""
    source = tmp_path / "in.mkv"
    tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=32x32:duration=0.08", "-vf", f"format=yuv422p10le,{tags}"]
    ffmpeg.run([*picture, "-c:v", "ffv1", str(source)])
    for pixels, bits in ((None, 10), ("gbrp12", 12), ("rgb48", 16)):
        folder = tmp_path / str(bits)
        report = colorize_video(source, folder / "%04d.dpx", small, encoding=Encoding(pixel_format=pixels))
        assert report.converted == (() if bits == 10 else (f"10 bits became {bits}",))
        head = (folder / "0000.dpx").read_bytes()[:2048]
        assert (*head[801:803], head[803]) == (6, 6, bits)


def test_another_program_reads_the_headers_and_the_picture(small, tmp_path):
    """OpenImageIO finds 10 bits of printing density, the time code, and the same values as ffmpeg."""
    oiio = pytest.importorskip("OpenImageIO")
    source = write_scan(tmp_path / "in", 1)
    film = tmp_path / "timed"
    colorize_video(source, film, small)
    stamp(film / "0001.dpx", DpxHeader((1, 1), "01:02:03:04"))
    picture = oiio.ImageInput.open(str(film / "0001.dpx"))
    spec = picture.spec()
    assert spec.getattribute("oiio:BitsPerSample") == 10
    assert spec.getattribute("dpx:Transfer") == "Printing density"
    assert spec.getattribute("dpx:Colorimetric") == "Printing density"
    assert spec.getattribute("dpx:TimeCode") == "01:02:03:04"
    values = picture.read_image("uint16")
    green, blue, red = planes_of(film / "0001.dpx")
    np.testing.assert_array_equal(values >> 6, np.stack([red, green, blue], axis=-1))

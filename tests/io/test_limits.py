"""What a stranger's picture file may take: each row of SECURITY.md's table of limits has a test here."""

import io
import lzma
import os
import re
import signal
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, features

from labcolor import read_metadata, read_picture, write_picture
from labcolor.errors import InputError, LabcolorError, PictureFileError
from labcolor.io import limits
from labcolor.io.metadata import PictureMetadata

DEEP = np.random.default_rng(0).integers(0, 65536, (8, 8, 3)).astype(np.uint16)


def encoded(picture, kind, **options):
    """A picture as Pillow writes it."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return file.getvalue()


def chunk(kind, content):
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def tiff(entries, data=b""):
    """A little-endian TIFF of one directory: tag, type (3: short, 4: long), value; ``data`` begins at byte 8."""
    start = 8 + len(data) + len(data) % 2
    packed = b"".join(struct.pack("<2HII", tag, kind, 1, value) for tag, kind, value in sorted(entries))
    directory = struct.pack("<H", len(entries)) + packed + bytes(4)
    return b"II*\0" + struct.pack("<I", start) + data.ljust(start - 8, b"\0") + directory


def one_strip(data, compression, *, width=8, height=8, bits=16):
    """A grey TIFF of one strip."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, compression), (262, 3, 1)]
    return tiff([*entries, (273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, len(data))], data)


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n",
        encoded(DEEP.astype(np.uint8), "TGA"),
        encoded(DEEP.astype(np.uint8), "PCX"),
        encoded(DEEP.astype(np.uint8), "ICO"),
    ],
    ids=["EPS", "TGA", "PCX", "ICO"],
)
def test_formats_that_are_not_meant(content, tmp_path, monkeypatch):
    """Only named formats are opened: EPS starts no program, and formats that Pillow knows beside are refused."""
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (read_picture, read_metadata):
        with pytest.raises(PictureFileError, match="no decoder knows its format"):
            call(content)
    lazy = Image.open(io.BytesIO(content))
    with pytest.raises(InputError, match=r"got \w+. Copy it"):
        read_picture(lazy)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("declared", [(16, 16), (512, 512), (60_000, 60_000)])
def test_heic_of_another_size_than_it_declares(declared):
    """It is refused."""
    heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    heif.from_pillow(Image.new("RGB", (256, 256))).save(file)
    content = file.getvalue()
    place = content.index(b"ispe") + 8  # the width and the height of the picture
    assert struct.unpack_from(">2I", content, place) == (256, 256)
    for call in (read_picture, read_metadata):
        assert call(content) is not None
    content = content[:place] + struct.pack(">2I", *declared) + content[place + 8 :]
    with pytest.raises(PictureFileError, match=r"damaged or incomplete|at most 178,956,970 pixels"):
        read_picture(content)


@pytest.mark.parametrize(
    ("compression", "compressed"),
    [
        (8, zlib.compress(bytes(1 << 24))),
        (32946, zlib.compress(bytes(1 << 24))),
        (34925, lzma.compress(bytes(1 << 24))),
    ],
    ids=["deflate", "old deflate", "LZMA"],
)
def test_tiff_that_inflates_to_more_than_its_size(compression, compressed):
    """A strip of 8 x 8 samples that expands to 16 MiB is refused; one that expands to what it needs is read."""
    with pytest.raises(PictureFileError, match="expected an amount of data that fits its size"):
        read_picture(one_strip(compressed, compression))
    packed = {34925: lzma.compress}.get(compression, zlib.compress)(DEEP[..., 0].tobytes())
    np.testing.assert_array_equal(read_picture(one_strip(packed, compression)), DEEP[..., 0])


@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_with_a_tile_of_a_billion_pixels(bits):
    """A TIFF of 152 bytes that declares a tile of 32768 x 32768 is refused."""
    entries = [(256, 4, 8), (257, 4, 8), (258, 3, bits), (259, 3, 1), (262, 3, 1), (277, 3, 1)]
    content = tiff([*entries, (322, 4, 32768), (323, 4, 32768), (324, 4, 8), (325, 4, 4)], bytes(4))
    with pytest.raises(PictureFileError, match="expected a size of tiles that fits its size"):
        read_picture(content)


@pytest.mark.parametrize("read", [read_picture, read_metadata])
def test_tiff_that_declares_several_widths(read):
    """Three widths instead of one, and a height of 151,126,016, are refused at once."""
    content = bytearray(one_strip(bytes(16), 1, height=151_126_016, bits=8))
    struct.pack_into("<I", content, content.index(struct.pack("<HH", 256, 4)) + 4, 3)
    with pytest.raises(PictureFileError, match="expected one number for each size"):
        read(bytes(content))


def test_tiff_with_a_tile_larger_than_the_picture():
    """An ordinary tile may be larger than a small picture."""
    file = io.BytesIO()
    tifffile.imwrite(file, DEEP, photometric="rgb", tile=(256, 256), compression="zlib")
    np.testing.assert_array_equal(read_picture(file.getvalue()), DEEP)


def test_tiff_with_too_many_samples():
    """A pixel has at most 32 bytes."""
    entries = [(256, 4, 8), (257, 4, 8), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 60000)]
    with pytest.raises(PictureFileError, match="expected a number of samples that fits its size"):
        read_picture(tiff([*entries, (278, 4, 8), (279, 4, 4)], bytes(4)))


def test_tiff_with_too_much_compressed_data():
    """A picture of 8 x 8 has no megabyte of compressed data."""
    with pytest.raises(PictureFileError, match="expected an amount of data that fits its size"):
        read_picture(one_strip(bytes(1 << 20), 5, bits=8))


@pytest.mark.parametrize("depth", [8, 16])
def test_png_with_too_much_data(depth):
    """A PNG of 8 x 8 whose data, or whose number of chunks, is far beyond its size is refused."""
    content = encoded(DEEP[..., 0] if depth == 16 else DEEP.astype(np.uint8), "PNG")
    head, rest = content[:33], content[33:]
    with pytest.raises(PictureFileError, match="expected an amount of data that fits its size"):
        read_picture(head + chunk(b"IDAT", zlib.compress(bytes(1 << 28), 1)) + rest)
    with pytest.raises(PictureFileError, match="at most 262,144 chunks"):
        read_picture(head + chunk(b"tEXt", b"") * (1 << 18) + rest)
    assert read_picture(head + chunk(b"tEXt", b"a\0b") * 99 + rest).shape[:2] == (8, 8)


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_with_data_for_far_less_than_it_declares(progressive):
    """A JPEG that declares 13000 x 13000 with the data of 16 x 16 is refused, wherever else it is padded."""
    content = encoded(np.zeros((16, 16, 3), np.uint8), "JPEG", progressive=progressive)
    place = content.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    for padding in (b"", (b"\xff\xfe\xff\xff" + bytes(65533)) * 20):
        huge = content[:2] + padding + content[2:place] + struct.pack(">2H", 13000, 13000) + content[place + 4 :]
        with pytest.raises(PictureFileError, match="expected data for"):
            read_picture(huge)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 1}])
def test_jpeg_of_one_color_has_enough_data(options):
    """The smallest JPEG that an encoder makes is read."""
    for shape in ((1, 1, 3), (999, 1001, 3), (999, 1001)):
        assert read_picture(encoded(np.zeros(shape, np.uint8), "JPEG", **options)).shape == shape


def test_jpeg_with_many_scans():
    """A JPEG of more than a hundred scans is refused."""
    content = encoded(np.zeros((16, 16), np.uint8), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    with pytest.raises(PictureFileError, match="at most 100 scans"):
        read_picture(content[:start] + content[start:-2] * 101 + content[-2:])


def test_regular_files_only(tmp_path):
    """A pipe and a device are refused at once, also behind a link; what they hold stays in them."""
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "fifo.png")
    reader, writer = os.pipe()
    content = encoded(DEEP.astype(np.uint8), "PNG")
    os.write(writer, content)
    paths = [tmp_path / "fifo.png", tmp_path / "link.png", f"/dev/fd/{reader}", "/dev/zero", "/dev/null"]
    for path in paths:
        for call in (read_picture, read_metadata):
            with pytest.raises(PictureFileError, match="expected a regular file, got a pipe, a socket or a device"):
                call(path)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        np.testing.assert_array_equal(read_picture(pipe), DEEP.astype(np.uint8))


def test_an_open_file_without_end(monkeypatch):
    """An open file is read up to a limit."""
    monkeypatch.setattr(limits, "FILE_BYTES", 1 << 25)
    with (
        Path("/dev/zero").open("rb") as file,
        pytest.raises(PictureFileError, match="expected at most 33,554,432 bytes"),
    ):
        read_picture(file)


@pytest.mark.parametrize("name", ["fifo.png", "link.png", "device.png"])
def test_only_regular_files_are_replaced(tmp_path, name):
    """A pipe, and what a link to a device points to, stays what it is."""
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "fifo.png")
    (tmp_path / "device.png").symlink_to("/dev/null")
    with pytest.raises(PictureFileError, match="expected a regular file or a new name, got a pipe, a socket or a dev"):
        write_picture(tmp_path / name, np.zeros((4, 4), np.uint8))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device.png", "fifo.png", "link.png"]
    assert (tmp_path / "fifo.png").is_fifo()


def test_a_link_to_a_file_is_replaced(tmp_path):
    """A link becomes the new file, and the file that it pointed to stays, as the documentation says."""
    (tmp_path / "old.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to(tmp_path / "old.png")
    write_picture(tmp_path / "link.png", np.zeros((4, 4), np.uint8))
    assert (tmp_path / "old.png").read_bytes() == b"old"
    assert not (tmp_path / "link.png").is_symlink()


def with_xmp(xmp):
    """A picture with XMP."""
    return encoded(np.zeros((8, 8), np.uint8), "WEBP", xmp=xmp)


@pytest.mark.parametrize(
    "part",
    [b"<xmp:Thumbnails>", b"tiff:Orientation ", b"tiff:Orientation= ", b"tiff:Orientation", b" ", b"="],
)
def test_xmp_is_searched_in_linear_time(part):
    """A million bytes that begin a thumbnail or an orientation anew again and again take no time to search."""
    start = b"tiff:Orientation" if part in (b" ", b"=") else b""
    xmp = start + part * ((1_000_000 - len(start)) // len(part))
    assert read_metadata(with_xmp(xmp)).xmp == xmp


def test_xmp_loses_its_thumbnails_and_stands_upright():
    """All thumbnails are taken out; the rest stays."""
    xmp = (
        b"a<xmp:Thumbnails>b</xmp:Thumbnails>c<xmp:Thumbnails>d</xmp:Thumbnails>e tiff:Orientation='6'<xmp:Thumbnails>"
    )
    assert read_metadata(with_xmp(xmp)).xmp == b"ace tiff:Orientation='1'<xmp:Thumbnails>"


def test_long_metadata_is_left_out(caplog):
    """More than 1 MiB of XMP, or 64 KiB of EXIF, is left out with a line in the log."""
    assert read_metadata(with_xmp(bytes(limits.XMP_BYTES + 1))).xmp is None
    exif = Image.Exif()
    exif[0x010E] = "x" * 200_000
    assert read_metadata(encoded(np.zeros((8, 8), np.uint8), "PNG", exif=exif)) == PictureMetadata()
    assert "bytes of XMP are left out" in caplog.text
    assert "bytes of EXIF are left out" in caplog.text


class LateError(Exception):
    """The time limit of a caller."""


class OwnTimeoutError(OSError):
    """A time limit of another library, such as that of a client for the web."""


@pytest.mark.parametrize("error", [LateError, OwnTimeoutError, TimeoutError, KeyboardInterrupt])
def test_the_errors_of_a_caller_pass_through(error, monkeypatch):
    """A time limit that a signal raises during decoding is not taken for a damaged file."""

    def late(*arguments):
        raise error

    previous = signal.signal(signal.SIGUSR1, late)
    try:
        for name in ("load", "getexif"):
            with monkeypatch.context() as patched:
                patched.setattr(Image.Image, name, lambda image: signal.raise_signal(signal.SIGUSR1))
                patched.setattr(
                    "PIL.WebPImagePlugin.WebPImageFile.load", lambda image: signal.raise_signal(signal.SIGUSR1)
                )
                for call in (read_picture, read_metadata) if name == "getexif" else (read_picture,):
                    with pytest.raises(error):
                        call(with_xmp(b"x"))
    finally:
        signal.signal(signal.SIGUSR1, previous)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP", "deep TIFF"])
def test_damaged_files_are_described_in_the_library_s_words(kind, capfd):
    """No words of a decoder reach the user, and nothing is written to standard error."""
    if kind == "deep TIFF":
        file = io.BytesIO()
        tifffile.imwrite(file, DEEP, photometric="rgb", compression="zlib")
        content = file.getvalue()
    else:
        content = encoded(
            np.repeat(DEEP.astype(np.uint8), 9, 0), kind, **({"compression": "tiff_lzw"} if kind == "TIFF" else {})
        )
    for damaged in (content[:-60], content[: len(content) // 2], content[:40] + bytes(20) + content[60:]):
        error = None
        try:
            read_picture(damaged)
        except LabcolorError as raised:
            error = raised
        assert error is None or "damaged or incomplete" in str(error) or "that fits its size" in str(error)
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_a_damaged_avif_is_an_error_of_the_library():
    """Pillow raises RuntimeError for an AVIF with an unknown part."""
    content = encoded(DEEP.astype(np.uint8), "AVIF")
    place = content.index(b"pixi")
    with pytest.raises(PictureFileError, match="cannot be decoded"):
        read_metadata(content[: place + 8] + b"\0" + content[place + 9 :])


def test_every_limit_names_its_test():
    """The table of limits in SECURITY.md names a test in each row, and each of them exists."""
    repository = Path(__file__).parents[2]
    rows = [line for line in (repository / "SECURITY.md").read_text().splitlines() if line.startswith("| ")]
    for row in rows[1:]:
        path, test = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)[0]
        assert f"def {test}(" in (repository / path).read_text(), test

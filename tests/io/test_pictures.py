"""Picture files of every kind: what is read is what a viewer shows."""

import errno
import importlib.util
import struct

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image, ImageCms

from labcolor import read_metadata, read_picture, write_picture
from labcolor.errors import InputError, PictureFileError
from labcolor.io.pictures import picture_paths

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("ending", [".png", ".tif", ".tiff"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(13, 17), (13, 17, 3), (13, 17, 4)])
def test_lossless_round_trip(tmp_path, ending, dtype, shape):
    """PNG and TIFF keep grey, RGB and RGBA of 8 and 16 bits exactly."""
    picture = RANDOM.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    write_picture(tmp_path / f"p{ending}", picture)
    back = read_picture(tmp_path / f"p{ending}")
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, picture)
    assert [path.name for path in tmp_path.iterdir()] == [f"p{ending}"]


@pytest.mark.parametrize("ending", [".jpg", ".jpeg", ".webp", ".bmp"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_eight_bit_formats(tmp_path, ending, dtype):
    """JPEG, WebP and BMP take every dtype and hold 8 bits of it."""
    picture = np.full((16, 24, 3), 0.5)
    picture = (picture * np.iinfo(dtype).max).astype(dtype) if np.dtype(dtype).kind == "u" else picture.astype(dtype)
    write_picture(tmp_path / f"p{ending}", picture)
    back = read_picture(tmp_path / f"p{ending}")
    assert back.dtype == np.uint8
    assert np.abs(back.astype(int) - 127).max() <= 2


@pytest.mark.parametrize(
    ("mode", "name", "shape", "first"),
    [
        ("1", "p.png", (10, 20), [255]),
        ("L", "p.png", (10, 20), [130]),
        ("P", "p.png", (10, 20, 3), None),
        ("P", "p.gif", (10, 20, 3), None),
        ("LA", "p.png", (10, 20, 4), [130, 130, 130, 255]),
        ("RGB", "p.webp", (10, 20, 3), None),
        ("RGBA", "p.png", (10, 20, 4), [200, 100, 100, 255]),
        ("CMYK", "p.jpg", (10, 20, 3), [200, 100, 100]),
        ("CMYK", "p.tif", (10, 20, 3), [200, 100, 100]),
        ("YCbCr", "p.jpg", (10, 20, 3), [200, 100, 100]),
        ("LAB", "p.tif", (10, 20, 3), None),
    ],
)
def test_modes_become_grey_rgb_or_rgba(tmp_path, mode, name, shape, first):
    """1-bit, palette, grey with alpha, CMYK and other modes come out as what they look like."""
    source = Image.new("RGB", (20, 10), (200, 100, 100))
    if mode == "1":
        source = Image.new("RGB", (20, 10), (255, 255, 255))
    if mode == "LAB":
        source = Image.new("LAB", (20, 10), (128, 128, 128))
    source.convert(mode).save(tmp_path / name)
    picture = read_picture(tmp_path / name)
    assert picture.shape == shape
    assert picture.dtype == np.uint8
    if first is not None:
        assert np.abs(picture.reshape(-1, len(first))[0].astype(int) - first).max() <= 3


def test_a_transparent_palette_gives_alpha(tmp_path):
    """A palette with a transparent entry becomes RGBA."""
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((0, 0), 1)
    image.save(tmp_path / "p.png", transparency=1)
    picture = read_picture(tmp_path / "p.png")
    assert picture[0, 0, 3] == 0
    assert picture[3, 3].tolist() == [255, 0, 0, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_exif_orientations(tmp_path, orientation):
    """However the camera lay, the picture stands upright."""
    upright = np.zeros((40, 64), np.uint8)
    upright[:20, :32] = 255  # bright upper left
    undo = {
        1: lambda x: x,
        2: np.fliplr,
        3: lambda x: np.rot90(x, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda x: np.rot90(x, 1),
        7: lambda x: np.rot90(x.T, 2),
        8: lambda x: np.rot90(x, -1),
    }
    image = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "p.jpg", exif=exif, quality=95)
    picture = read_picture(tmp_path / "p.jpg")
    assert picture.shape == upright.shape
    assert np.abs(picture.astype(int) - upright).mean() < 4


def test_the_first_of_several_pages(tmp_path):
    """Of an animated GIF and of a TIFF of several pages the first picture is read."""
    pages = [Image.new("RGB", (9, 5), color) for color in ((255, 0, 0), (0, 255, 0))]
    for name in ("p.gif", "p.tif"):
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
        assert read_picture(tmp_path / name)[0, 0].tolist() == [255, 0, 0]


def test_the_ending_does_not_matter_for_reading(tmp_path):
    """A PNG named .jpg is read as what it is; a profile and odd names do not disturb."""
    Image.new("L", (5, 4), 9).save(tmp_path / "p.png", icc_profile=b"not a profile")
    (tmp_path / "p.png").rename(tmp_path / "ф%20 \u202e.jpg")
    assert read_picture(tmp_path / "ф%20 \u202e.jpg").shape == (4, 5)


@pytest.mark.parametrize("name", ["p.png", "p16.png", "p.jpg", "p.tif", "p16.tif", "p.webp"])
def test_truncated_at_every_tenth(tmp_path, name):
    """A file cut short anywhere gives the library's error and never half a picture."""
    deep = "16" in name
    picture = RANDOM.integers(0, 65536 if deep else 256, (50, 60, 3)).astype(np.uint16 if deep else np.uint8)
    write_picture(tmp_path / name, picture)
    content = (tmp_path / name).read_bytes()
    for tenth in range(10):
        (tmp_path / name).write_bytes(content[: len(content) * tenth // 10])
        with pytest.raises(PictureFileError, match=name):
            read_picture(tmp_path / name)


def test_what_is_not_a_picture(tmp_path):
    """Missing files, folders, empty files, texts, over-long names and forbidden files are said to be that."""
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("hello")
    for path, words in [
        (tmp_path / "missing.png", "does not exist"),
        (tmp_path, "got a folder"),
        (tmp_path / "empty.png", "cannot be decoded"),
        (tmp_path / "text.jpg", "cannot be decoded"),
        (tmp_path / ("x" * 300 + ".png"), "x{300}"),
    ]:
        with pytest.raises(PictureFileError, match=words):
            read_picture(path)
    with pytest.raises(InputError, match="null characters"):
        read_picture("bad\0name.png")


def test_huge_pictures_are_refused_before_they_are_decoded(tmp_path):
    """A small file that claims to hold billions of pixels is refused."""
    import struct
    import zlib

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(PictureFileError, match=r"bomb\.png: expected at most 178,956,970 pixels"):
        read_picture(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    ("name", "picture", "error"),
    [
        ("p.gif", np.zeros((4, 4), np.uint8), InputError),
        ("p", np.zeros((4, 4), np.uint8), InputError),
        ("p.png", np.zeros((4, 4), np.int64), InputError),
        ("p.png", np.zeros((4, 4, 2), np.uint8), InputError),
        ("p.png", np.zeros((0, 4), np.uint8), InputError),
        ("p.png", np.zeros(4, np.uint8), InputError),
        ("p.png", np.full((4, 4), 2.0), InputError),
        ("p.png", np.full((4, 4), np.nan), InputError),
        ("p.jpg", np.zeros((4, 4, 4), np.uint8), InputError),
        ("missing/p.png", np.zeros((4, 4), np.uint8), PictureFileError),
    ],
)
def test_refuses_to_write(tmp_path, name, picture, error):
    """What the format cannot hold, or has no place, is refused, and nothing is left behind."""
    with pytest.raises(error, match=r"expected|support alpha|no folder"):
        write_picture(tmp_path / name, picture)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    """If writing fails half-way, the old picture is still there, whole, and nothing else."""
    write_picture(tmp_path / "p.png", np.zeros((4, 4), np.uint8))

    def full(path, *args, **options):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(iio, "imwrite", full)
    with pytest.raises(PictureFileError, match="No space left"):
        write_picture(tmp_path / "p.png", np.ones((4, 4), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]
    assert read_picture(tmp_path / "p.png").max() == 0


def test_folders_are_searched_by_name(tmp_path):
    """Pictures in subfolders are found, sorted by path; other and hidden files are not."""
    for name in ("b/1.png", "a.JPG", "b/2.txt", ".hidden/3.png", "b/.4.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in picture_paths([tmp_path])] == ["a.JPG", "b/1.png"]
    (tmp_path / "none").mkdir()
    for source in (tmp_path / "none", tmp_path / "missing"):
        with pytest.raises(PictureFileError, match="expected"):
            picture_paths([source])


DEEP = RANDOM.integers(0, 65536, (20, 30, 3)).astype(np.uint16)


@pytest.mark.parametrize(
    ("picture", "options", "expected"),
    [
        (DEEP, {"photometric": "rgb", "compression": "zlib"}, DEEP),
        (np.moveaxis(DEEP, -1, 0), {"photometric": "rgb", "planarconfig": "separate"}, DEEP),
        (DEEP[..., 0], {"photometric": "miniswhite"}, 65535 - DEEP[..., 0]),
        (DEEP[..., 0], {"photometric": "minisblack", "byteorder": ">"}, DEEP[..., 0]),
        (np.stack([DEEP, DEEP // 2]), {"photometric": "rgb"}, DEEP),
        (DEEP, {"photometric": "rgb", "extratags": [(274, "H", 1, 6, True)]}, np.rot90(DEEP, -1)),
        (DEEP, {"photometric": "rgb", "extratags": [(274, "H", 1, 3, True)]}, np.rot90(DEEP, 2)),
    ],
    ids=["zlib", "planes", "white is zero", "big-endian", "two pages", "lying", "upside down"],
)
def test_tiff_scans_of_sixteen_bits(tmp_path, picture, options, expected):
    """Planes apart, white as zero, several pages and rotation: all 16 bits come out as a viewer shows them."""
    import tifffile

    with tifffile.TiffWriter(tmp_path / "p.tif", byteorder=options.pop("byteorder", None)) as file:
        for page in picture if picture.ndim == 4 else [picture]:
            file.write(page, **options)
    np.testing.assert_array_equal(read_picture(tmp_path / "p.tif"), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_whose_first_page_is_a_thumbnail(tmp_path, dtype):
    """The first page that is not marked as reduced is read, with its own metadata; a lone thumbnail is a picture."""
    import tifffile

    picture = DEEP.astype(dtype)
    with tifffile.TiffWriter(tmp_path / "p.tif") as file:
        file.write(picture[::4, ::4], photometric="rgb", subfiletype=1, resolution=(10, 10), resolutionunit=2)
        file.write(picture, photometric="rgb", resolution=(300, 300), resolutionunit=2)
    np.testing.assert_array_equal(read_picture(tmp_path / "p.tif"), picture)
    assert read_metadata(tmp_path / "p.tif").dpi == (300, 300)
    tifffile.imwrite(tmp_path / "p.tif", picture, photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(read_picture(tmp_path / "p.tif"), picture)


@pytest.mark.parametrize(("dtype", "white"), [(np.int8, 255), (np.int16, 65535)])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_signed_tiffs(tmp_path, dtype, white, photometric):
    """The largest signed number is white, and a negative one is refused."""
    import tifffile

    most = np.iinfo(dtype).max
    values = np.array([[0, most // 2, most]], dtype)
    tifffile.imwrite(tmp_path / "p.tif", values, photometric=photometric)
    expected = (values.astype(int) * white // most).astype(f"u{values.itemsize}")
    found = read_picture(tmp_path / "p.tif")
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected if photometric == "minisblack" else white - expected)
    tifffile.imwrite(tmp_path / "p.tif", -values, photometric=photometric)
    with pytest.raises(PictureFileError, match=f"samples from 0, got -{most}"):
        read_picture(tmp_path / "p.tif")


def packed_tiff(picture, bits, compression=1):
    """A TIFF whose samples of 9 to 15 bits stand without gaps in a row, in strips of five rows."""
    height, width, channels = picture.shape
    places = (picture.reshape(height, -1, 1) >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(places.reshape(height, -1).astype(np.uint8), axis=1)
    strips = [rows[top : top + 5].tobytes() for top in range(0, height, 5)]
    start = 8 + sum(map(len, strips))
    lists = start + 8 * len(strips)
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, compression)]
    entries += [(262, 3, 1, 2 if channels == 3 else 1), (273, 4, len(strips), start), (277, 3, 1, channels)]
    entries += [(278, 4, 1, 5), (279, 4, len(strips), start + 4 * len(strips))]
    offsets = [8 + sum(map(len, strips[:index])) for index in range(len(strips))]
    numbers = struct.pack(f"<{2 * len(strips)}I", *offsets, *map(len, strips))
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<2H2I", *entry) for entry in entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", lists) + b"".join(strips) + numbers + directory


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15])
@pytest.mark.parametrize("channels", [1, 3])
def test_packed_tiffs(bits, channels):
    """Scanners' samples of 9 to 15 bits without gaps are stretched to 16 bits, without imagecodecs."""
    picture = RANDOM.integers(0, 1 << bits, (203, 13, channels))
    expected = (picture * 65535 // ((1 << bits) - 1)).astype(np.uint16)
    found = read_picture(packed_tiff(picture, bits))
    np.testing.assert_array_equal(found, expected if channels == 3 else expected[..., 0])


@pytest.mark.skipif(importlib.util.find_spec("imagecodecs") is not None, reason="imagecodecs reads it")
def test_packed_and_compressed_tiffs_need_imagecodecs():
    """Samples of 12 bits that are compressed, too, are refused with what helps, and not as damaged."""
    with pytest.raises(PictureFileError, match=r"got 12 bits and .*LZW.*\. Install imagecodecs, or save it as 16 bits"):
        read_picture(packed_tiff(np.zeros((9, 9, 3), int), 12, compression=5))


def _chunk(kind, content):
    import struct
    import zlib

    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_a_png_of_sixteen_bits_lying_on_its_side(tmp_path):
    """The rotation in a PNG's eXIf chunk is applied to all 16 bits, once."""
    write_picture(tmp_path / "p.png", DEEP)
    content = (tmp_path / "p.png").read_bytes()
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    (tmp_path / "p.png").write_bytes(content[:33] + _chunk(b"eXIf", exif) + content[33:])
    np.testing.assert_array_equal(read_picture(tmp_path / "p.png"), np.rot90(DEEP, -1))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [2, 3, 4])
def test_pngs_of_sixteen_bits_and_several_channels(channels, interlaced):
    """Grey with alpha, RGB and RGBA keep all 16 bits, interlaced as well."""
    import zlib

    picture = RANDOM.integers(0, 65536, (9, 11, channels)).astype(np.uint16)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    lines = b""
    for y, x, down, across in passes if interlaced else [(0, 0, 1, 1)]:
        lines += b"".join(b"\0" + row.astype(">u2").tobytes() for row in picture[y::down, x::across])
    head = struct.pack(">2I5B", 11, 9, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, interlaced)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(lines)) + _chunk(b"IEND", b"")
    expected = picture[..., [0, 0, 0, 1]] if channels == 2 else picture
    np.testing.assert_array_equal(read_picture(b"\x89PNG\r\n\x1a\n" + chunks), expected)


def test_a_transparent_grey_of_sixteen_bits_keeps_them(tmp_path):
    """A PNG of 16-bit grey with a transparent value keeps its 16 bits."""
    write_picture(tmp_path / "p.png", DEEP[..., 0])
    content = (tmp_path / "p.png").read_bytes()
    (tmp_path / "p.png").write_bytes(content[:33] + _chunk(b"tRNS", b"\0\x07") + content[33:])
    np.testing.assert_array_equal(read_picture(tmp_path / "p.png"), DEEP[..., 0])


def test_names_that_ffmpeg_takes_for_patterns(tmp_path):
    """A % in a name is a character like others."""
    write_picture(tmp_path / "s%03d.png", DEEP)
    write_picture(tmp_path / "s001.png", DEEP // 2)
    np.testing.assert_array_equal(read_picture(tmp_path / "s%03d.png"), DEEP)


def test_what_a_format_cannot_hold(tmp_path):
    """WebP holds at most 16,383 columns; the error is the library's, and nothing is left."""
    with pytest.raises(PictureFileError, match="cannot be written"):
        write_picture(tmp_path / "p.webp", np.zeros((1, 16384), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_files_get_the_rights_that_the_umask_gives(tmp_path):
    """A new file has the umask's rights; one that is replaced keeps its own."""
    write_picture(tmp_path / "p.png", np.zeros((4, 4), np.uint8))
    (tmp_path / "plain").touch()
    assert (tmp_path / "p.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "p.png").chmod(0o600)
    write_picture(tmp_path / "p.png", np.zeros((4, 4), np.uint8))
    assert (tmp_path / "p.png").stat().st_mode & 0o777 == 0o600


def swapped_profile():
    """A color profile in which red is blue and blue is red."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"XYZ?").replace(b"bXYZ", b"rXYZ").replace(b"XYZ?", b"bXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


def icc_profile(space, tags):
    """A color profile of the ICC's version 2 for monitors and scanners."""
    places, content = b"", b""
    for name, tag in {b"desc": b"desc" + struct.pack(">2I4s2IH68s", 0, 4, b"own", 0, 0, 0, b""), **tags}.items():
        places += struct.pack(">4s2I", name, 132 + 12 * (len(tags) + 1) + len(content), len(tag))
        content += tag + bytes(-len(tag) % 4)
    white = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    size = 132 + len(places + content)
    head = struct.pack(">I4x4s4s4s4s12x4s28x", size, b"\2\x20\0\0", b"scnr", space, b"XYZ ", b"acsp")
    head += white + bytes(48)
    return head + struct.pack(">I", len(tags) + 1) + places + content


@pytest.mark.parametrize(
    ("mode", "name"),
    [("RGB", "p.jpg"), ("RGB", "p.tif"), ("RGB", "p.webp"), ("RGB", "p.png"), ("RGBA", "p.png"), ("P", "p.png")],
)
def test_color_profiles_are_applied(tmp_path, mode, name):
    """A phone's wide colors come out as a viewer shows them, lying on their side or not; alpha stays."""
    image = Image.new("RGB", (16, 8), (255, 0, 0))
    image = image.quantize(2) if mode == "P" else image.convert(mode)
    if mode == "RGBA":
        image.putalpha(77)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / name, icc_profile=swapped_profile(), exif=exif)
    picture = read_picture(tmp_path / name)
    assert picture.shape == (16, 8, len(mode.replace("P", "RGB")))
    assert np.abs(picture[4, 4, :3].astype(int) - (0, 0, 255)).max() < 4
    assert (picture[..., 3:] == 77).all()


@pytest.mark.parametrize(("gamma", "expected"), [(1.0, 188), (2.2, 128)])
def test_a_grey_profile(tmp_path, gamma, expected):
    """Grey of another gamma is brought to that of sRGB, and stays grey."""
    white = b"XYZ " + struct.pack(">4I", 0, 0xF6D6, 0x10000, 0xD32D)
    curve = b"curv" + struct.pack(">2IH", 0, 1, round(gamma * 256))
    profile = icc_profile(b"GRAY", {b"wtpt": white, b"kTRC": curve})
    Image.new("L", (5, 4), 128).save(tmp_path / "p.png", icc_profile=profile)
    picture = read_picture(tmp_path / "p.png")
    assert picture.shape == (4, 5)
    assert abs(int(picture[0, 0]) - expected) <= 1
    Image.new("LA", (5, 4), (128, 77)).save(tmp_path / "p.png", icc_profile=profile)
    assert np.abs(read_picture(tmp_path / "p.png")[0, 0].astype(int) - (expected, expected, expected, 77)).max() <= 1
    Image.new("L", (5, 4), 128).save(tmp_path / "p.png", icc_profile=profile, transparency=128)
    assert np.abs(read_picture(tmp_path / "p.png")[0, 0].astype(int) - (expected, expected, expected, 0)).max() <= 1


def test_a_profile_that_does_not_fit_is_left_out(tmp_path):
    """An RGB profile in a grey picture, and one that is damaged, change nothing."""
    for profile in (swapped_profile(), swapped_profile()[:300], b"not a profile"):
        Image.new("L", (5, 4), 128).save(tmp_path / "p.png", icc_profile=profile)
        assert read_picture(tmp_path / "p.png").tolist() == [[128] * 5] * 4
    Image.new("L", (5, 4), 128).save(tmp_path / "p.png", icc_profile=swapped_profile(), transparency=128)
    assert read_picture(tmp_path / "p.png")[0, 0].tolist() == [128, 128, 128, 0]


def test_colors_with_a_fourth_byte_are_written_as_they_are(tmp_path):
    """A view of the first three of four bytes is written as its copy is, whatever the view skips, turns or swaps."""
    four = RANDOM.integers(0, 256, (24, 24, 4)).astype(np.uint8)
    views = four[..., :3], four[..., 1:], four[::-1, :, :3], four.swapaxes(0, 1)[..., :3], four[:, ::-1, :3]
    for view in (*views, four[..., 0], four[:22, :, :3]):
        write_picture(tmp_path / "view.jpg", view)
        write_picture(tmp_path / "copy.jpg", view.copy())
        assert (tmp_path / "view.jpg").read_bytes() == (tmp_path / "copy.jpg").read_bytes()

"""Picture files of every kind: what is read is what a viewer shows."""

import errno

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from labcolor import read_picture, write_picture
from labcolor.errors import InputError, PictureFileError
from labcolor.picturefiles import picture_paths

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
    pages = [Image.new("RGB", (9, 5), colour) for colour in ((255, 0, 0), (0, 255, 0))]
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
        (tmp_path / "missing.png", "there is none"),
        (tmp_path, "got a folder"),
        (tmp_path / "empty.png", "cannot be decoded"),
        (tmp_path / "text.jpg", "cannot be decoded"),
        (tmp_path / ("x" * 300 + ".png"), "x{300}"),
        ("bad\0name.png", "name"),
    ]:
        with pytest.raises(PictureFileError, match=words):
            read_picture(path)


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
    with pytest.raises(PictureFileError, match=r"bomb\.png"):
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
    with pytest.raises(error, match=r"expected|holds no|no folder"):
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

"""What a file tells beside its pixels stays when it is colored; quality, compression and what formats hold."""

import dataclasses
import io
import logging
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin, TiffImagePlugin, features

from labcolor import PictureMetadata, read_metadata, read_picture, write_picture
from labcolor.cli import main
from labcolor.errors import InputError, InputTypeError, PictureFileError

RANDOM = np.random.default_rng(0)
ARTIST, COPYRIGHT, DATE, ORIENTATION, ORIGINAL = 315, 33432, 306, 274, 0x9003
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6" dc:title="\xc3\x84pfel"/></x:xmpmeta>'
FORMATS = [".png", ".jpg", ".tif", ".webp", *([".avif"] if features.check("avif") else [])]


def exif_of(orientation=6, thumbnail=True):
    """EXIF of a camera, with a thumbnail."""
    exif = Image.Exif()
    exif[DATE], exif[ARTIST], exif[COPYRIGHT] = "1954:06:01 12:00:00", "A. Name", "© 1954".encode()
    exif[ORIENTATION] = orientation
    exif[EXIF_IFD] = {
        ORIGINAL: "1954:06:01 12:00:00",
        0x829A: TiffImagePlugin.IFDRational(1, 125),
        0xA001: 65535,
        0xA002: 64,
        0x927C: b"maker's notes",
    }
    exif[GPS_IFD] = {1: "N", 2: (52.0, 30.0, 0.0)}
    data = exif.tobytes()
    if not thumbnail:
        return data
    # the second directory, of one tag, stands at the end; its place follows the first directory
    data = bytearray(data)
    first = 6 + 8 + 2 + 12 * int.from_bytes(data[14:16], "little" if data[6:8] == b"II" else "big")
    endian = "<" if data[6:8] == b"II" else ">"
    data[first : first + 4] = struct.pack(endian + "I", len(data) - 6)
    return bytes(data) + struct.pack(endian + "HHHIII", 1, 0x0103, 3, 1, 6, 0) + b"THUMBNAIL"


def photograph(path, orientation=6):
    """Write a grey photograph, lying on its side, with all that a camera tells."""
    image = Image.fromarray(RANDOM.integers(0, 256, (40, 64)).astype(np.uint8))
    options = {"exif": exif_of(orientation), "dpi": (300, 200), "quality": 95}
    if path.suffix == ".png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        image.save(path, pnginfo=info, **options)
    else:
        image.save(path, xmp=XMP, **options)


def told(path):
    """What a file tells: its EXIF, its XMP and its resolution."""
    with Image.open(path) as image:
        exif = image.getexif()
        inside = {**exif.get_ifd(EXIF_IFD)}, {**exif.get_ifd(GPS_IFD)}
        xmp = image.info.get("xmp", exif.get(700))
        return dict(exif), *inside, xmp, image.info.get("dpi", (exif.get(282), exif.get(283)))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", [".jpg", ".png"])
def test_metadata_goes_from_format_to_format(tmp_path, source, target, depth):
    """Date, artist, copyright, exposure, place, XMP and resolution are kept, upright, and the old thumbnail is not."""
    photograph(tmp_path / f"s{source}")
    picture = np.repeat(read_picture(tmp_path / f"s{source}")[..., None], 3, axis=2)
    assert picture.shape == (64, 40, 3)
    if depth == 16:
        picture = picture.astype(np.uint16) * 257
    metadata = read_metadata(tmp_path / f"s{source}")
    write_picture(tmp_path / f"t{target}", picture, metadata=metadata)
    assert read_picture(tmp_path / f"t{target}").shape == picture.shape
    exif, camera, place, xmp, dpi = told(tmp_path / f"t{target}")
    assert exif[DATE] == camera[ORIGINAL] == "1954:06:01 12:00:00"
    assert exif[ARTIST] == "A. Name"
    assert exif[COPYRIGHT].encode("latin-1") == "© 1954".encode()
    assert exif.get(ORIENTATION, 1) == 1
    assert float(camera[0x829A]) == pytest.approx(1 / 125)
    assert not {0xA001, 0xA002, 0x927C} & set(camera)
    assert place[1] == "N"
    assert [float(part) for part in place[2]] == [52, 30, 0]
    assert b'tiff:Orientation="1"' in xmp
    assert "Äpfel".encode() in xmp
    assert [round(float(dots)) for dots in dpi] == [200, 300]
    assert b"THUMBNAIL" not in (tmp_path / f"t{target}").read_bytes()
    again = read_metadata(tmp_path / f"t{target}")
    assert (again.exif is None, again.xmp) == (False, metadata.xmp)
    assert again.dpi == pytest.approx(metadata.dpi, rel=1e-3)


def test_a_scan_in_tiff(tmp_path):
    """A 16-bit scan keeps what stands among the tags of its layout, and none of those."""
    scan = RANDOM.integers(0, 65536, (30, 50)).astype(np.uint16)
    tags = [(315, "s", 0, "Archive", True), (ORIENTATION, "H", 1, 8, True), (700, "B", len(XMP), XMP, True)]
    options = {"resolution": (240, 120), "resolutionunit": "centimeter", "compression": "zlib"}
    tifffile.imwrite(tmp_path / "s.tif", scan, extratags=tags, description="box 7", metadata=None, **options)
    metadata = read_metadata(tmp_path / "s.tif")
    write_picture(tmp_path / "t.tif", read_picture(tmp_path / "s.tif"), metadata=metadata)
    with tifffile.TiffFile(tmp_path / "t.tif") as file:
        page = file.pages[0]
        assert (page.tags[315].value, page.tags[270].value, page.tags[ORIENTATION].value) == ("Archive", "box 7", 1)
        assert page.compression == 1
        assert page.shape == (50, 30)
    np.testing.assert_array_equal(read_picture(tmp_path / "t.tif"), np.rot90(scan))
    assert read_metadata(tmp_path / "t.tif").dpi == pytest.approx((120 * 2.54, 240 * 2.54), rel=1e-3)


@pytest.mark.parametrize("name", ["p.png", "p.jpg", "p.tif", "deep.png", "deep.tif", "float.tif"])
def test_nothing_where_there_is_nothing(tmp_path, name):
    """A file without metadata has none, and none is made up for its colors."""
    kinds = {"deep": np.uint16, "float": np.float32}
    picture = np.zeros((4, 5, 3), kinds.get(name.split(".")[0], np.uint8))
    write_picture(tmp_path / name, picture)
    metadata = read_metadata(tmp_path / name)
    assert metadata == PictureMetadata()
    write_picture(tmp_path / f"again-{name}", picture, metadata=metadata)
    assert (tmp_path / f"again-{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_metadata_of_every_source(tmp_path):
    """A path, bytes, an open file and a PIL image tell the same; other things are refused by the library's errors."""
    photograph(tmp_path / "p.jpg")
    expected = read_metadata(tmp_path / "p.jpg")
    content = (tmp_path / "p.jpg").read_bytes()
    for source in (str(tmp_path / "p.jpg"), content, io.BytesIO(content), Image.open(io.BytesIO(content))):
        assert read_metadata(source) == expected
    for source, error in [(None, InputTypeError), (b"none", PictureFileError), (tmp_path / "no.png", PictureFileError)]:
        with pytest.raises(error):
            read_metadata(source)


def test_what_a_format_cannot_hold_is_logged(tmp_path, caplog):
    """BMP holds the resolution only, and JPEG no large pieces; one line says what is dropped."""
    photograph(tmp_path / "p.jpg")
    picture, metadata = read_picture(tmp_path / "p.jpg"), read_metadata(tmp_path / "p.jpg")
    with caplog.at_level(logging.WARNING, "labcolor"):
        write_picture(tmp_path / "p.bmp", picture, metadata=metadata)
        write_picture(tmp_path / "big.jpg", picture, metadata=dataclasses.replace(metadata, xmp=b"x" * 70_000))
        write_picture(tmp_path / "p.webp", picture, metadata=dataclasses.replace(metadata, xmp=b"x" * 70_000))
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'p.bmp'}: EXIF and XMP dropped, because .bmp does not support it.",
        f"{tmp_path / 'big.jpg'}: XMP dropped, because .jpg does not support it.",
    ]
    assert read_metadata(tmp_path / "p.bmp").dpi == pytest.approx((200, 300), rel=1e-3)
    assert read_metadata(tmp_path / "big.jpg").exif is not None
    assert len(read_metadata(tmp_path / "p.webp").xmp) == 70_000


@pytest.mark.filterwarnings("error")
def test_damaged_exif_of_the_caller_is_logged(tmp_path, caplog):
    """Parts of EXIF that cannot be read are one line in the log, also where it is written; no warning of Pillow's."""
    beyond = b"II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0\xff\xff\0\0\x99\0\0\0"  # a text longer than the whole
    for exif in (beyond, beyond[:10]):
        caplog.clear()
        metadata = PictureMetadata(exif=exif)
        write_picture(tmp_path / "p.jpg", np.zeros((8, 8), np.uint8), metadata=metadata, label=True)
        assert read_metadata(tmp_path / "p.jpg").exif is None
        (record,) = caplog.records
        assert record.getMessage().startswith("exif: its damaged parts are left out: ")


def test_damaged_exif_is_left_out(tmp_path, caplog):
    """EXIF that is rubbish is logged and left out; the rest is kept."""
    Image.new("L", (5, 4)).save(tmp_path / "p.png", exif=b"Exif\0\0rubbish, not EXIF", dpi=(300, 300))
    metadata = read_metadata(tmp_path / "p.png")
    assert metadata.exif is None
    assert round(metadata.dpi[0]) == 300
    assert "its EXIF is damaged" in caplog.text


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"exif": b"rubbish"}, InputError, "exif: expected EXIF"),
        ({"exif": "text"}, InputTypeError, "exif: expected None or bytes"),
        ({"xmp": "text"}, InputTypeError, "xmp: expected None or bytes"),
        ({"dpi": 300}, InputTypeError, "dpi: expected None or two numbers"),
        ({"dpi": (300, 0)}, InputError, "dpi: expected None or two numbers"),
        ({"dpi": (300, float("nan"))}, InputError, "dpi: expected None or two numbers"),
        ({"dpi": (300, "300")}, InputError, "dpi: expected None or two numbers"),
    ],
)
def test_metadata_is_checked(values, error, words):
    """Metadata of one's own is checked when it is made, and cannot be changed."""
    with pytest.raises(error, match=words):
        PictureMetadata(**values)
    with pytest.raises(dataclasses.FrozenInstanceError):
        PictureMetadata().dpi = (300, 300)


@pytest.mark.parametrize("ending", [ending for ending in FORMATS if ending in (".jpg", ".webp", ".avif")])
def test_quality(tmp_path, ending):
    """More quality is a larger file and a nearer picture; 95 is the default."""
    picture = RANDOM.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    sizes, errors = [], []
    for quality in (1, 50, 95, 100):
        write_picture(tmp_path / f"p{ending}", picture, quality=quality)
        sizes.append((tmp_path / f"p{ending}").stat().st_size)
        errors.append(np.abs(read_picture(tmp_path / f"p{ending}").astype(int) - picture).mean())
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)
    write_picture(tmp_path / f"p{ending}", picture)
    assert (tmp_path / f"p{ending}").stat().st_size == sizes[2]


@pytest.mark.parametrize("name", ["p.png", "deep.png", "p.tif", "deep.tif", "float.tif"])
def test_compression(tmp_path, name):
    """More compression is a smaller file of the same pixels."""
    values = np.add.outer(np.arange(200), np.arange(300))[..., None] // 4 + np.zeros(3, int)
    kind = name.split(".")[0]
    picture = np.float32(values / 255) if kind == "float" else values.astype({"deep": np.uint16}.get(kind, np.uint8))
    sizes = []
    for compression in (0, 1, 9) if name.endswith("png") else (None, "deflate"):
        write_picture(tmp_path / name, picture, compression=compression)
        np.testing.assert_array_equal(read_picture(tmp_path / name), picture)
        sizes.append((tmp_path / name).stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] / 2


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("p.png", {"quality": 90}, InputError, "quality: .png has no quality"),
        ("p.tif", {"quality": 90}, InputError, "quality: .tif has no quality"),
        ("p.jpg", {"quality": 0}, InputError, "quality: expected a whole number of at least 1 and at most 100, got 0"),
        ("p.jpg", {"quality": 101}, InputError, "got 101"),
        ("p.jpg", {"quality": 90.0}, InputTypeError, "got 90.0"),
        ("p.jpg", {"compression": 5}, InputError, "compression: .jpg has a fixed compression"),
        ("p.png", {"compression": 10}, InputError, "at most 9"),
        ("p.png", {"compression": "deflate"}, InputTypeError, "at most 9"),
        ("p.tif", {"compression": "lzw"}, InputError, "expected one of 'deflate'"),
        ("p.tif", {"compression": 5}, InputTypeError, "expected one of 'deflate'"),
        ("p.png", {"metadata": b"exif"}, InputTypeError, "expected None or a PictureMetadata"),
    ],
)
def test_options_that_do_not_fit(tmp_path, name, options, error, words):
    """A quality, a compression or metadata that a format does not have is refused, and nothing is written."""
    with pytest.raises(error, match=words):
        write_picture(tmp_path / name, np.zeros((4, 5), np.uint8), **options)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_keeps_what_a_file_tells(tmp_path, capsys):
    """A colored photograph has the date, the owner and the resolution of the grey one."""
    photograph(tmp_path / "p.jpg")
    assert main(["colorize", str(tmp_path / "p.jpg"), "-o", str(tmp_path / "out"), "--model", "reference"]) == 0
    exif, _, _, _, dpi = told(tmp_path / "out" / "p.jpg")
    assert exif[DATE] == "1954:06:01 12:00:00"
    assert exif.get(ORIENTATION, 1) == 1
    assert tuple(map(round, dpi)) == (200, 300)
    assert read_picture(tmp_path / "out" / "p.jpg").shape == (64, 40, 3)


def test_the_command_line_colors_a_png_with_alpha_that_is_named_jpg(tmp_path):
    """JPEG holds no alpha: the colors are laid over white, under the same name."""
    picture = np.full((40, 50, 4), (90, 90, 90, 255), np.uint8)
    picture[:20, :, 3] = 0
    write_picture(tmp_path / "p.png", picture)
    (tmp_path / "p.png").rename(tmp_path / "p.jpg")
    assert main(["colorize", str(tmp_path / "p.jpg"), "-o", str(tmp_path / "out"), "--model", "reference"]) == 0
    colored = read_picture(tmp_path / "out" / "p.jpg")
    assert colored.shape == (40, 50, 3)
    assert colored[:12].min() >= 250
    assert np.abs(colored[28:].mean(axis=2) - 90).max() < 25

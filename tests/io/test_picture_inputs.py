"""Everything that is a picture: files, bytes, open files and PIL images, wherever an array is taken; what is none."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, features

from labcolor import colorize_frames, metrics, read_picture, show, triptych, write_picture
from labcolor.errors import InputError, InputTypeError, PictureFileError
from labcolor.io import limits
from labcolor.io.decoders import decode
from labcolor.io.pictures import picture_paths
from labcolor.io.sources import as_source

RANDOM = np.random.default_rng(0)
SCENE = np.clip(np.add.outer(np.arange(40) * 4, np.arange(64) * 1)[..., None] * [1.0, 0.8, 0.6], 0, 255).astype(
    np.uint8
)
MODES = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F"]


def image_of(mode):
    """The scene as a PIL image of a mode."""
    image = Image.fromarray(SCENE)
    if mode in ("I;16", "I", "F"):
        grey = SCENE[..., 1]
        values = {"I;16": grey.astype(np.uint16) * 257, "I": grey.astype(np.int32) * 257, "F": np.float32(grey / 255)}
        return Image.fromarray(values[mode])
    if mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        image.putalpha(Image.fromarray(np.full(SCENE.shape[:2], 200, np.uint8)))
    if mode == "LAB":
        return ImageCms.profileToProfile(
            image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    if mode == "La":
        return image.convert("LA").convert("La")
    return image.convert("RGB").quantize(64) if mode == "P" else image.convert(mode)


def png(picture=SCENE):
    """The bytes of a PNG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize("mode", MODES)
def test_images_of_every_mode(small, mode):
    """A PIL image of any mode is colored as what it looks like, alpha and depth kept, not as its raw numbers."""
    picture = read_picture(image_of(mode))
    expected = (
        SCENE if picture.ndim == 3 and mode not in ("LA", "La") else np.asarray(Image.fromarray(SCENE).convert("L"))
    )
    if mode in ("I;16", "I", "F"):
        expected = SCENE[..., 1]
    scale = {"I;16": 65535, "I": 65535, "F": 1}.get(mode, 255)
    assert picture.dtype == {"I;16": np.uint16, "I": np.uint16, "F": np.float32}.get(mode, np.uint8)
    if mode != "1":
        colors = picture[..., :3] if picture.ndim == 3 else picture
        expected = np.repeat(expected[..., None], 3, 2) if colors.ndim > expected.ndim else expected
        assert np.abs(colors / scale - expected / 255).mean() < 0.025
    assert (picture.ndim == 3 and picture.shape[2] == 4) == (mode in ("LA", "La", "PA", "RGBA", "RGBa"))
    assert picture.ndim == 2 or picture.shape[2] == 3 or (picture[..., 3] == 200).all()
    np.testing.assert_array_equal(small.predict(image_of(mode)), small.predict(picture))


def test_images_that_cannot_be_converted():
    """Numbers that leave their range are refused with their values, and an unknown mode by its name."""
    with pytest.raises(InputError, match=r"source \(PIL image\): expected .* got values from -5 to -5"):
        read_picture(Image.new("I", (4, 4), -5))
    with pytest.raises(InputError, match="to 200"):
        read_picture(Image.new("F", (4, 4), 200))
    with pytest.raises(InputError, match="nan"):
        read_picture(Image.new("F", (4, 4), float("nan")))
    with pytest.raises(InputError, match="at least one pixel"):
        read_picture(Image.new("L", (0, 4)))
    with pytest.raises(InputTypeError, match=r"got I;16N. Convert it: .convert"):
        read_picture(Image.new("I;16N", (4, 4)))
    lazy = Image.open(io.BytesIO(png()[:-100]))
    with pytest.raises(PictureFileError, match="cannot be decoded"):
        read_picture(lazy)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_orientation_of_an_image_is_honored(tmp_path, small, orientation):
    """A phone's picture stands upright whether it comes as a file, as bytes or as a PIL image."""
    image = Image.fromarray(SCENE)
    image.getexif()[0x0112] = orientation
    image.save(tmp_path / "p.png", exif=image.getexif())
    expected = np.rot90(SCENE, {1: 0, 3: 2, 6: -1, 8: 1}[orientation])
    for source in (image, tmp_path / "p.png", (tmp_path / "p.png").read_bytes(), Image.open(tmp_path / "p.png")):
        np.testing.assert_array_equal(read_picture(source), expected)
    assert small.predict(image).shape == expected.shape


def sources(folder):
    """The same picture as everything that is read."""
    write_picture(folder / "p.png", SCENE)
    content = (folder / "p.png").read_bytes()
    return {
        "str": str(folder / "p.png"),
        "Path": folder / "p.png",
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "BytesIO": io.BytesIO(content),
        "PIL": Image.fromarray(SCENE),
    }


def test_the_same_picture_everywhere(tmp_path, small, classifier):
    """Each kind of picture gives the same in predict, uncertainty, score, triptych, metrics, frames and show."""
    colored = small.predict(SCENE)
    given = sources(tmp_path)
    with (tmp_path / "p.png").open("rb") as file:
        given["file"] = file
        for source in given.values():
            np.testing.assert_array_equal(read_picture(source), SCENE)
            np.testing.assert_array_equal(small.predict(source), colored)
            assert small.score([source]) == small.score([SCENE])
            assert metrics.psnr(source, source) == np.inf
            np.testing.assert_array_equal(next(colorize_frames([source], small)), colored)
            np.testing.assert_array_equal(triptych(source, colored), triptych(SCENE, colored))
            assert show(source).size == (64, 40)
        assert small.score(given["Path"]) == small.score([SCENE])
        listed = small.predict([*given.values(), SCENE[..., 0]])
        assert isinstance(listed, list)
        assert len(listed) == len(given) + 1
        np.testing.assert_array_equal(listed[0], colored)
        assert isinstance(small.predict((tmp_path / "p.png",)), tuple)
        uncertain = classifier.uncertainty(given["bytes"])
        np.testing.assert_array_equal(uncertain, classifier.uncertainty(SCENE))


def test_deep_pictures_in_memory(tmp_path):
    """16-bit PNG and TIFF and float TIFF keep their depth from bytes and from open files."""
    deep = RANDOM.integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    for name, picture in [("p.png", deep), ("p.tif", deep), ("f.tif", np.float32(deep / 65535))]:
        write_picture(tmp_path / name, picture)
        content = (tmp_path / name).read_bytes()
        for source in (content, io.BytesIO(content)):
            back = read_picture(source)
            assert back.dtype == picture.dtype
            np.testing.assert_array_equal(back, picture)


class Stream(io.RawIOBase):
    """A file that cannot be rewound, like a web upload that streams."""

    def __init__(self, content):
        self.content = content

    def read(self, size=-1):
        """Give all that is left."""
        content, self.content = self.content, b""
        return content


def test_open_files():
    """A file is read from where it stands and rewound to there, one that cannot be is read once, text is refused."""
    file = io.BytesIO(b"head" + png())
    file.seek(4)
    for _ in range(2):
        assert read_picture(file).shape == (40, 64, 3)
        assert file.tell() == 4
    assert read_picture(Stream(png())).shape == (40, 64, 3)
    with pytest.raises(PictureFileError, match="Rewind it"):
        read_picture(io.BytesIO())
    with pytest.raises(InputTypeError, match='Open it with "rb"'):
        read_picture(io.StringIO("text"))
    file.close()
    with pytest.raises(PictureFileError, match="closed file"):
        read_picture(file)


def test_errors_name_the_source_and_no_data(tmp_path, small):
    """Bytes and files that are no picture are named by their place and kind; no message holds their content."""
    secret = b"my secret data" * 100_000
    (tmp_path / "upload.jpg").write_bytes(secret)
    with (tmp_path / "upload.jpg").open("rb") as file:
        for source, words in [
            (secret, r"X\[1\] \(bytes\)"),
            (bytearray(secret), r"X\[1\] \(bytearray\)"),
            (io.BytesIO(secret), r"X\[1\] \(BytesIO\)"),
            (file, "upload.jpg"),
            (tmp_path / "upload.jpg", "upload.jpg"),
        ]:
            with pytest.raises(PictureFileError, match=words) as caught:
                small.predict([SCENE, source])
            assert "secret" not in str(caught.value)
            assert len(str(caught.value)) < 400
    with pytest.raises(PictureFileError, match="bytes"):
        read_picture(secret)
    with pytest.raises(PictureFileError, match="got a folder"):
        small.predict(tmp_path)
    with pytest.raises(InputError, match="got an empty text"):
        small.predict("")
    with pytest.raises(InputTypeError, match="colorize_video"):
        colorize_frames("film.mp4", small)


class OnTheCard:
    """A tensor that NumPy cannot read, as PyTorch's on a graphics card."""

    def cpu(self):
        """Give it to the CPU."""

    def __array__(self, dtype=None, copy=None):
        """Refuse, in words of another library."""
        raise TypeError("can't convert cuda:0 device type tensor to numpy.")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "got NoneType"),
        (OnTheCard(), r"OnTheCard, which NumPy cannot read. Move it to the CPU first: .detach\(\).cpu\(\).numpy\(\)"),
        ({"secret": b"secret" * 1000}, "got dict"),
        ((SCENE for _ in range(2)), "got generator"),
        (np.array([b"secret" * 1000, None], object), "dtype object"),
        (len, "got builtin_function"),
    ],
    ids=["none", "tensor", "dict", "generator", "objects", "function"],
)
def test_what_is_no_picture(small, value, words):
    """What is no picture gives the library's error with a remedy, alone, in a list, and in every other call."""
    calls = [
        small.predict,
        lambda x: small.predict([x]),
        lambda x: small.score(x),
        lambda x: triptych(x, x),
        lambda x: metrics.psnr(x, x),
        lambda x: list(colorize_frames([x], small)),
        show,
    ]
    for call in calls:
        with pytest.raises(InputTypeError, match=words) as caught:
            call(value)
        assert "secret" not in str(caught.value)
    with pytest.raises(InputTypeError, match="expected a path, bytes"):
        read_picture(value)


def chunk(kind, content):
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_huge_pictures_in_memory_are_refused():
    """The limit of pixels holds for bytes and for open files, too, before anything is decoded."""
    for depth, color in ((8, 0), (16, 2)):
        head = struct.pack(">IIBBBBB", 60000, 60000, depth, color, 0, 0, 0)
        data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
        content = b"\x89PNG\r\n\x1a\n" + data
        for source in (content, io.BytesIO(content)):
            with pytest.raises(PictureFileError, match="expected at most 178,956,970 pixels"):
                read_picture(source)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "JPEG XL"),
        (b"\xff\x0a" + bytes(20), "JPEG XL"),
    ],
)
def test_formats_without_a_decoder(head, kind):
    """JPEG XL is called by its name, with what to do."""
    with pytest.raises(PictureFileError, match=f"got {kind}. Convert it to PNG or JPEG first"):
        read_picture(head)


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def test_heic_names_its_package(monkeypatch):
    """Where the optional package is missing, the error names it."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(PictureFileError, match=r"got HEIC: .*pillow_heif"):
        read_picture(HEIC)


def test_heic(tmp_path, monkeypatch):
    """With it a HEIC picture is read within the same limits, and a damaged one is an error of the library."""
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.fromarray(SCENE)).save(tmp_path / "p.heic", quality=95)
    assert np.abs(read_picture(tmp_path / "p.heic").astype(int) - SCENE).mean() < 4
    with Image.open(tmp_path / "p.heic") as image:
        np.testing.assert_array_equal(read_picture(image), read_picture(tmp_path / "p.heic"))
    content = (tmp_path / "p.heic").read_bytes()
    for damaged in (HEIC, content[: len(content) // 2]):
        with pytest.raises(PictureFileError):
            read_picture(damaged)
    monkeypatch.setattr(limits, "PIXELS", 16)
    with pytest.raises(PictureFileError, match="expected at most"):
        read_picture(content)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif(tmp_path):
    """AVIF is found in folders, read and written where Pillow can."""
    write_picture(tmp_path / "p.avif", SCENE)
    assert picture_paths([tmp_path]) == [tmp_path / "p.avif"]
    assert np.abs(read_picture(tmp_path / "p.avif").astype(int) - SCENE).mean() < 3


def s15(value):
    """A number of an ICC profile."""
    return struct.pack(">i", round(value * 65536))


def icc(space, tags, kind=b"mntr", pcs=b"XYZ "):
    """A color profile of the ICC's version 2."""
    tags = {b"desc": b"desc" + struct.pack(">2I", 0, 12) + b"linear sRGB\0" + bytes(78), **tags}
    places, content = b"", b""
    for name, tag in tags.items():
        places += struct.pack(">4s2I", name, 132 + 12 * len(tags) + len(content), len(tag))
        content += tag + bytes(-len(tag) % 4)
    size = 132 + len(places) + len(content)
    head = struct.pack(">I4x4s4s4s4s12x4s28x", size, b"\2\x20\0\0", kind, space, pcs, b"acsp")
    return head + s15(0.9642) + s15(1) + s15(0.8249) + bytes(48) + struct.pack(">I", len(tags)) + places + content


def screen(gamma, primaries):
    """A profile of a screen; the primaries are XYZ of red, green and blue under D50. It is called linear sRGB."""
    tags = {b"wtpt": b"XYZ " + bytes(4) + s15(0.9642) + s15(1) + s15(0.8249)}
    for name, xyz in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[name + b"XYZ"] = b"XYZ " + bytes(4) + b"".join(map(s15, xyz))
        tags[name + b"TRC"] = b"curv" + struct.pack(">2IH", 0, 1, round(gamma * 256)) + bytes(2)
    return icc(b"RGB ", tags)


SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7142))
ADOBE = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))


@pytest.mark.parametrize("color", [(128, 128, 128), (200, 100, 100), (60, 150, 90)])
@pytest.mark.parametrize(
    ("gamma", "primaries"),
    [(2.2, P3), (2.2, ADOBE), (1.8, SRGB), (1.0, SRGB)],
    ids=["Display P3", "Adobe RGB", "gamma 1.8", "linear"],
)
def test_profiles_are_judged_by_what_they_do(gamma, primaries, color):
    """Wide gamuts and other gammas are applied, in files and to PIL images, though each is called sRGB."""
    linear = np.linalg.inv(np.transpose(SRGB)) @ np.transpose(primaries) @ (np.array(color) / 255) ** gamma
    linear = linear.clip(0, 1)
    expected = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    image, file = Image.new("RGB", (4, 4), color), io.BytesIO()
    image.info["icc_profile"] = screen(gamma, primaries)
    image.save(file, "png", icc_profile=screen(gamma, primaries))
    for source in (image, file.getvalue()):
        assert np.abs(read_picture(source)[0, 0] - expected).max() <= 2


def test_a_printer_s_profile():
    """CMYK is converted by its profile: here every color of ink prints the same grey of L = 50."""
    # Lab of paper, and of all mixtures of inks, of which every second one has black in it
    corners = bytes([255, 128, 128, 0, 128, 128] + [128, 128, 128, 0, 128, 128] * 7)
    unit = b"".join(map(s15, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + unit + bytes(range(256)) * 4 + corners + bytes(range(256)) * 3
    image, file = Image.new("CMYK", (4, 4), (255, 0, 0, 0)), io.BytesIO()
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.info["icc_profile"] = icc(b"CMYK", {b"A2B0": table}, b"prtr", b"Lab ")
    image.save(file, "tiff", icc_profile=image.info["icc_profile"])
    for source in (image, file.getvalue()):
        picture = read_picture(source).astype(int)
        assert picture[0, 0].min() >= 254
        assert np.abs(picture[1, 1] - 119).max() <= 2


def test_srgb_changes_nothing():
    """A picture with sRGB's own profile keeps its values to the last, whatever the profile is called."""
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (own, own.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))):
        image = Image.fromarray(RANDOM.integers(0, 256, (40, 50, 3)).astype(np.uint8))
        image.info["icc_profile"] = profile
        np.testing.assert_array_equal(read_picture(image), np.asarray(image))


def test_extra_samples_of_deep_tiffs(tmp_path):
    """Of 16 bits, an unspecified sample is no alpha, premultiplied alpha is divided, and plain alpha stays."""
    color, alpha = np.full((5, 6, 3), 30000, np.uint16), np.full((5, 6, 1), 40000, np.uint16)
    alpha[0] = 0
    for kind, expected in [
        ("unspecified", color),
        ("unassalpha", np.concatenate([color, alpha], 2)),
        ("assocalpha", np.concatenate([np.where(alpha > 0, 49151, 0).repeat(3, 2), alpha], 2)),
    ]:
        stored = np.concatenate([color, alpha], 2)
        tifffile.imwrite(tmp_path / "p.tif", stored, photometric="rgb", extrasamples=[kind])
        np.testing.assert_array_equal(read_picture(tmp_path / "p.tif"), expected)
        grey = np.concatenate([color[..., :1], alpha], 2)
        tifffile.imwrite(tmp_path / "g.tif", grey, photometric="minisblack", planarconfig="contig", extrasamples=[kind])
        np.testing.assert_array_equal(
            read_picture(tmp_path / "g.tif"), expected[..., 0] if kind == "unspecified" else expected
        )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_volumes_are_refused(tmp_path, dtype):
    """A TIFF that holds a volume, (5, 20, 4) say, is no picture of 20 rows in color."""
    tifffile.imwrite(tmp_path / "v.tif", np.zeros((5, 32, 16), dtype), volumetric=True, tile=(5, 16, 16))
    with pytest.raises(PictureFileError, match="got a volume of 5 layers"):
        read_picture(tmp_path / "v.tif")


@pytest.mark.parametrize("name", ["p.png", "p.webp", "p.jpg", "deep.png"])
def test_damaged_exif_does_not_spoil_a_good_picture(tmp_path, name):
    """A picture whose EXIF is rubbish is read as if it had none."""
    picture = SCENE.astype(np.uint16) * 257 if "deep" in name else SCENE
    if "deep" in name:
        write_picture(tmp_path / name, picture)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:33] + chunk(b"eXIf", b"rubbish, not EXIF") + content[33:])
    else:
        Image.fromarray(picture).save(tmp_path / name, exif=b"Exif\0\0rubbish, not EXIF", quality=95)
    assert np.abs(read_picture(tmp_path / name).astype(int) - picture).mean() < 3 * (257 if "deep" in name else 1)


@pytest.mark.parametrize("ending", [".tif", ".tiff"])
@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3), (9, 7, 4)])
def test_floats_in_tiff(tmp_path, small, ending, shape):
    """float32 goes to a TIFF and comes back to the last bit; colored, it is float32 again."""
    picture = RANDOM.random(shape).astype(np.float32)
    write_picture(tmp_path / f"p{ending}", picture)
    back = read_picture(tmp_path / f"p{ending}")
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, picture)
    assert small.predict(tmp_path / f"p{ending}").dtype == np.float32
    write_picture(tmp_path / f"d{ending}", picture.astype(np.float64))
    assert read_picture(tmp_path / f"d{ending}").dtype == np.uint8


def test_floats_in_tiff_that_leave_their_range(tmp_path):
    """Floats beyond [0, 1] or not finite are refused by the file's name."""
    for value, words in [(2.0, r"p\.tif: expected floats in \[0, 1\]"), (np.nan, r"p\.tif: expected finite floats")]:
        tifffile.imwrite(tmp_path / "p.tif", np.full((4, 4, 3), value, np.float32), photometric="rgb")
        with pytest.raises(PictureFileError, match=words):
            read_picture(tmp_path / "p.tif")


def jpeg(image, **options):
    """The source of a JPEG."""
    file = io.BytesIO()
    image.save(file, "jpeg", quality=95, **options)
    return as_source("picture", file.getvalue())


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}, {"icc_profile": "sRGB"}])
def test_a_neutral_jpeg_is_decoded_as_grey(options):
    """A JPEG of three channels without color gives one of its channels, which are equal, where that is asked for."""
    if options.get("icc_profile"):
        options = {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    source = jpeg(Image.fromarray(SCENE).convert("L").convert("RGB"), **options)
    assert decode(source).shape == (40, 64, 3)
    np.testing.assert_array_equal(decode(source, neutral=True), decode(source)[..., 0])


OTHER = ["tinted", "one corner", "stored as RGB", "another profile", "no profile", "CMYK profile", "grey", "CMYK"]


@pytest.mark.parametrize("kind", OTHER)
def test_other_jpegs_are_decoded_as_ever(kind):
    """A JPEG with a little color, in a part of it, or whose numbers mean something else, is decoded as it is."""
    grey = np.repeat(SCENE[..., :1], 3, axis=2)
    if kind == "tinted":
        grey[..., 0] -= grey[..., 0] // 16
    if kind == "one corner":
        grey[32:, 48:, 2] //= 2
    image, options = Image.fromarray(grey), {}
    if kind == "stored as RGB":
        options = {"keep_rgb": True}
    if kind.endswith("profile"):
        profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    if kind == "no profile":
        options = {"icc_profile": b"something else"}
    if kind == "CMYK profile":
        options = {"icc_profile": bytes(profile.replace(b"RGB ", b"CMYK", 1))}
    if kind == "another profile":  # in linear light
        curve = profile.index(b"para", 128 + 12 * 12)
        profile[curve + 8 : curve + 10] = b"\0\0"  # gamma alone: the first of its parameters
        options = {"icc_profile": bytes(profile)}
    if kind in ("grey", "CMYK"):
        image = image.convert({"grey": "L"}.get(kind, kind))
    source = jpeg(image, **options)
    plain = decode(source)
    np.testing.assert_array_equal(decode(source, neutral=True), plain)
    assert plain.ndim == (2 if kind == "grey" else 3)


def test_a_damaged_jpeg_is_the_same_error():
    """A JPEG that ends early is refused with the same message, grey or not."""
    source = jpeg(Image.fromarray(RANDOM.integers(0, 256, (400, 400, 3)).astype(np.uint8)))
    cut = as_source("picture", source.content[: len(source.content) // 2])
    messages = set()
    for neutral in (False, True):
        with pytest.raises(PictureFileError) as caught:
            decode(cut, neutral=neutral)
        messages.add(str(caught.value))
    assert len(messages) == 1

"""Colored files say in XMP that an algorithm chose their colors, and keep everything else that they said."""

import logging
import time
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, features

from labcolor import PictureMetadata, read_metadata, write_picture
from labcolor.cli import main
from labcolor.errors import InputTypeError
from labcolor.io.label import SOURCE_TYPE, labeled

FORMATS = [".png", ".jpg", ".tif", ".webp", *([".avif"] if features.check("avif") else [])]
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
NEGATIVE = "http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm"
MADE_UP = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<r:Description r:about="uuid:1&amp;2" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    'photoshop:City="Zürich" {attribute}>{element}</r:Description></r:RDF></x:xmpmeta>\n{padding}<?xpacket end="w"?>'
)
DEEP = np.full((24, 32, 3), 30_000, np.uint16)


def packet(attribute="", element="", padding=""):
    """A packet of XMP as an editor may write it."""
    return PACKET.format(attribute=attribute, element=element, padding=padding).encode()


def told(xmp):
    """The source types, the descriptions, the cities and the subjects in XMP."""
    root = ElementTree.fromstring(xmp)
    nodes = [node for node in root.iter() if root.find(f"{RDF}RDF") is not None]
    types = [node.get(TYPE) for node in nodes if node.get(TYPE)] + [
        node.text or node.get(f"{RDF}resource") for node in nodes if node.tag == TYPE
    ]
    texts = ["".join(node.itertext()) for node in nodes if node.tag == DESCRIPTION]
    cities = [node.get("{http://ns.adobe.com/photoshop/1.0/}City") for node in nodes]
    return types, texts, [city for city in cities if city], {node.get(f"{RDF}about") for node in nodes} - {None}


@pytest.fixture
def scan(tmp_path):
    """A grey scan as a PNG, with XMP."""
    write_picture(tmp_path / "scan.png", DEEP[..., 0], metadata=PictureMetadata(xmp=packet(), dpi=(300, 300)))
    return tmp_path / "scan.png"


@pytest.mark.parametrize("ending", FORMATS)
def test_the_command_writes_it_once(scan, tmp_path, ending):
    """IPTC's source type and a description stand beside what the scan said; coloring again adds nothing."""
    first, second = tmp_path / f"first{ending}", tmp_path / f"second{ending}"
    assert main(["colorize", str(scan), str(first), "--model", "reference"]) == 0
    assert main(["colorize", str(first), str(second), "--model", "reference"]) == 0
    types, texts, cities, about = told(read_metadata(first).xmp)
    assert (types, cities, about) == ([SOURCE_TYPE], ["Zürich"], {"uuid:1&2"})
    assert texts == ["Inferred color: an algorithm, labcolor, chose the colors of this picture."]
    assert read_metadata(second).xmp == read_metadata(first).xmp
    assert round(read_metadata(second).dpi[0]) == 300


@pytest.mark.parametrize("ending", FORMATS)
def test_a_reader_finds_it(tmp_path, ending):
    """Pillow finds it in a file that had no XMP, of 8 and of 16 bits."""
    pytest.importorskip("defusedxml")
    write_picture(tmp_path / f"p{ending}", DEEP, label=True)
    with Image.open(tmp_path / f"p{ending}") as image:
        assert image.getxmp()["xmpmeta"]["RDF"]["Description"]["DigitalSourceType"] == SOURCE_TYPE


def test_it_can_be_left_out(scan, tmp_path, caplog):
    """With --no-label, and by default of write_picture, XMP stays as it is; BMP holds none, without a warning."""
    assert main(["colorize", str(scan), str(tmp_path / "p.png"), "--model", "reference", "--no-label"]) == 0
    assert read_metadata(tmp_path / "p.png").xmp == read_metadata(scan).xmp
    write_picture(tmp_path / "q.png", DEEP)
    assert read_metadata(tmp_path / "q.png").xmp is None
    write_picture(tmp_path / "q.bmp", DEEP, label=True)
    assert caplog.messages == []
    with pytest.raises(InputTypeError, match="label: expected"):
        write_picture(tmp_path / "q.png", DEEP, label="yes")


@pytest.mark.parametrize(
    ("attribute", "element"),
    [
        (f"e:DigitalSourceType = '{NEGATIVE}'", ""),
        ("", f"<e:DigitalSourceType>{NEGATIVE}</e:DigitalSourceType>"),
        ("", f'<e:DigitalSourceType r:resource="{NEGATIVE}"/>'),
        ("", f"<e:DigitalSourceType><!-- a scan --><![CDATA[{NEGATIVE}]]></e:DigitalSourceType>"),
        ("", f"<e:DigitalSourceType r:parseType='Resource'><r:value>{NEGATIVE}</r:value></e:DigitalSourceType>"),
    ],
)
def test_an_earlier_source_type_is_replaced(attribute, element):
    """A colored copy of a negative is not a negative any more; its other statements stay."""
    result = labeled(PictureMetadata(xmp=packet(attribute, element)), "p")
    types, _, cities, _ = told(result.xmp)
    assert (types, cities) == ([SOURCE_TYPE], ["Zürich"])


def test_a_property_with_a_longer_name_stays():
    """Only the source type itself is replaced."""
    other = "<e:DigitalSourceType-note>Fuji</e:DigitalSourceType-note>"
    result = labeled(PictureMetadata(xmp=packet(f"e:DigitalSourceType='{NEGATIVE}'", other)), "p")
    assert other.encode() in result.xmp


@pytest.mark.parametrize(
    ("attribute", "element"),
    [
        (f"e:DigitalSourceType='{MADE_UP}'", ""),
        ("", f"<e:DigitalSourceType><r:Bag><r:li>{MADE_UP}</r:li></r:Bag></e:DigitalSourceType>"),
    ],
)
def test_what_says_more_stays(attribute, element, caplog):
    """A picture that was made up altogether keeps that statement."""
    given = PictureMetadata(xmp=packet(attribute, element))
    assert labeled(given, "p") == given
    assert caplog.messages == []


def test_descriptions_are_never_replaced():
    """Neither that of XMP nor that of EXIF gets another beside it."""
    text = "<dc:description><r:Alt><r:li xml:lang='x-default'>Harbor</r:li></r:Alt></dc:description>"
    assert told(labeled(PictureMetadata(xmp=packet(element=text)), "p").xmp)[1] == ["Harbor"]
    exif = Image.Exif()
    exif[270] = "Harbor"
    given = PictureMetadata(exif=exif.tobytes())
    result = labeled(given, "p")
    assert (result.exif, told(result.xmp)[1]) == (given.exif, [])


def test_padding_gives_way(tmp_path):
    """XMP that fills a JPEG to its limit by padding stays in the file."""
    given = PictureMetadata(xmp=packet(padding=" " * 64_900))
    write_picture(tmp_path / "p.jpg", DEEP, metadata=given, label=True)
    assert told(read_metadata(tmp_path / "p.jpg").xmp)[0] == [SOURCE_TYPE]


@pytest.mark.parametrize(
    "xmp",
    [
        b"no XML at all",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><undeclared:prefix/></x:xmpmeta>",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"<x><r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/></x>",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>&a;</r:RDF>",
        packet().decode().encode("utf-16"),
        b"<?xml version='1.0' encoding='unheard-of'?><x/>",
        packet(element="<e:DigitalSourceType><e:DigitalSourceType>x</e:DigitalSourceType></e:DigitalSourceType>"),
    ],
)
def test_damaged_xmp_is_kept_without_it(xmp, caplog):
    """What cannot be understood is not touched, and that is said."""
    given = PictureMetadata(xmp=xmp)
    with caplog.at_level(logging.WARNING):
        assert labeled(given, "p.png") == given
    assert caplog.messages == ["p.png: its XMP is damaged, so it is kept without the label of inferred color."]


@pytest.mark.parametrize(
    "unit", ["<e:a/>", "e:DigitalSourceType = ", "<e:DigitalSourceType>x</e:DigitalSourceType>", "<dc:a>", " x:a='b'"]
)
def test_time_grows_linearly(unit):
    """XMP of a megabyte takes less than a second, whatever it repeats."""
    begin = time.process_time()
    for part in ({"element": unit * (1_000_000 // len(unit))}, {"attribute": unit * (1_000_000 // len(unit))}):
        labeled(PictureMetadata(xmp=packet(**part)), "p")
    assert time.process_time() - begin < 2


def test_nested_packets_take_little_memory():
    """Each node of XMP is read once, even if rdf:RDF contains itself 5,000 times."""
    begin = time.process_time()
    labeled(PictureMetadata(xmp=packet(element="<r:RDF>" * 5_000 + "</r:RDF>" * 5_000)), "p")
    assert time.process_time() - begin < 0.3

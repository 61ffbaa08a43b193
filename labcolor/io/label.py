"""A label in XMP: an algorithm chose the colors of this picture."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from html import escape
from typing import NamedTuple
from xml.etree import ElementTree

from labcolor.io.metadata import PictureMetadata, full_exif

_log = logging.getLogger(__name__)

_CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SOURCE_TYPE = f"{_CODES}algorithmicallyEnhanced"
# Source types of pictures that an algorithm generated, entirely or in parts. They say more than the label.
_STRONGER = {f"{_CODES}trainedAlgorithmicMedia", f"{_CODES}compositeWithTrainedAlgorithmicMedia"}
_NOTE = "Inferred color: an algorithm, labcolor, chose the colors of this picture."
_IMAGE_DESCRIPTION = 270  # in EXIF
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_DC = "http://purl.org/dc/elements/1.1/"
_RDF_NAME, _TYPE_NAME, _DESCRIPTION_NAME = f"{{{_RDF}}}", f"{{{_IPTC}}}DigitalSourceType", f"{{{_DC}}}description"
# A statement of the source type as an element and as an attribute, and the end of the contents of rdf:RDF.
_ELEMENT = re.compile(
    rb"<[^\s<>/:]+:DigitalSourceType(?![\w.-])[^<>]*"
    rb"(?:(?<=/)>|>[^<]*+(?:<(?!/?[^\s<>/:]+:DigitalSourceType(?![\w.-]))[^<>]*+>[^<]*+)*+</[^<>]*>)"
)
_ATTRIBUTE = re.compile(rb"(?<=\s)[^\s:=\"'<>]+:DigitalSourceType\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_TAG = re.compile(rb"<[^<>]+>")
_CLOSING = re.compile(rb"</(?:[^\s<>/:]+:)?RDF\s*>")
_END = b"<?xpacket end"
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    f'<rdf:RDF xmlns:rdf="{_RDF}">\n</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
).encode()


class _Tree(ElementTree.TreeBuilder):
    """Builder that refuses document types: XMP has none, and their entities could grow without bound."""

    def doctype(self, name: str, public_id: str | None, system: str | None) -> None:
        """Refuse a document type."""
        raise ValueError(f"the document type {name}")


class _Statements(NamedTuple):
    """Statements of an XMP packet: its source types, the resource it is about, and whether it has a description."""

    types: list[str]
    about: str
    described: bool


def _read(xmp: bytes) -> _Statements:
    """Return the statements of an XMP packet. Raise ParseError or ValueError if it is not well-formed."""
    root = ElementTree.fromstring(xmp, ElementTree.XMLParser(target=_Tree()))
    nodes = list(root.iter())
    types = [node.attrib[_TYPE_NAME] for node in nodes if _TYPE_NAME in node.attrib]
    elements = [node for node in nodes if node.tag == _TYPE_NAME]
    values = (value for node in elements for value in (node, *node.iterfind("*"), *node.iterfind("*/*")))
    types += [value.get(f"{_RDF_NAME}resource") or (value.text or "").strip() for value in values]
    about = next((about for node in nodes if (about := node.get(f"{_RDF_NAME}about"))), "")
    return _Statements(types, about, any(_DESCRIPTION_NAME in (node.tag, *node.attrib) for node in nodes))


def labeled(metadata: PictureMetadata, name: str) -> PictureMetadata:
    """Add a label to metadata: XMP states that an algorithm chose the colors.

    The label is IPTC's digital source type, and a description if neither XMP nor EXIF has one. All other statements
    stay. An earlier source type is replaced, unless it states that an algorithm generated the picture.

    Parameters
    ----------
    metadata : PictureMetadata
        The metadata.
    name : str
        Name of the file in the log. Damaged XMP is logged, and kept without a label.

    Returns
    -------
    PictureMetadata
    """
    xmp = (metadata.xmp or _EMPTY).rstrip(b"\0")
    try:
        before = _read(xmp)
        if {SOURCE_TYPE, *_STRONGER}.intersection(before.types):
            return metadata
        described = before.described or _IMAGE_DESCRIPTION in full_exif(metadata)
        result = _merged(xmp, before, "" if described else _NOTE)
        is_intact = _read(result).types == [SOURCE_TYPE]
    except (ElementTree.ParseError, ValueError, LookupError):  # the last for an encoding that Python does not know
        is_intact = False
    if not is_intact:
        _log.warning("%s: its XMP is damaged, so it is kept without the label of inferred color.", name)
        return metadata
    return replace(metadata, xmp=result)


def _merged(xmp: bytes, before: _Statements, note: str) -> bytes:
    """Return XMP with the label, and without earlier statements of the source type."""
    if before.types:
        xmp = _TAG.sub(lambda tag: _ATTRIBUTE.sub(b"", tag[0]), _ELEMENT.sub(b"", xmp))
    text = f"<rdf:Alt><rdf:li xml:lang='x-default'>{note}</rdf:li></rdf:Alt>"
    description = f"<dc:description xmlns:dc='{_DC}'>{text}</dc:description>" if note else ""
    label = (
        f"<rdf:Description xmlns:rdf='{_RDF}' rdf:about='{escape(before.about)}' xmlns:Iptc4xmpExt='{_IPTC}' "
        f"Iptc4xmpExt:DigitalSourceType='{SOURCE_TYPE}'>{description}</rdf:Description>"
    )
    *_, closing = _CLOSING.finditer(xmp)  # ValueError without one
    result = xmp[: closing.start()] + label.encode() + xmp[closing.start() :]
    end = result.rfind(_END)
    # the padding that editors leave is given up, since formats limit the length
    return result if end < 0 else result[:end].rstrip() + b"\n" + result[end:]

"""A label in XMP: an algorithm chose the colors of this picture."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from html import escape
from typing import Any
from xml.parsers import expat

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
_ROOT, _ABOUT = f"{_RDF} RDF", f"{_RDF} about"
_PROPERTY, _DESCRIPTION = f"{_IPTC} DigitalSourceType", f"{_DC} description"
_ATTRIBUTE = re.compile(rb"(?<=\s)[^\s:=\"'<>]+:DigitalSourceType\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_END = b"<?xpacket end"
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    f'<rdf:RDF xmlns:rdf="{_RDF}">\n</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
).encode()


class _Packet:
    """Statements of an XMP packet and their positions. ExpatError or ValueError if it is not well-formed."""

    def __init__(self, xmp: bytes) -> None:
        self.end: int | None = None  # end of the contents of rdf:RDF, if it has a closing tag
        self.about = ""
        self.described = False
        self.source_type: str | None = None
        self.statements: list[tuple[int, int, bytes]] = []  # statements of the source type: start, end and what remains
        self._xmp, self._start = xmp, -1
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._finish
        parser.CharacterDataHandler = self._text
        parser.Parse(xmp, True)

    def _refuse(self, *declaration: Any) -> None:
        raise ValueError("a document type")  # no XMP has one, and its entities could grow without bound

    def _tag_end(self) -> int:
        return self._xmp.index(b">", self._parser.CurrentByteIndex) + 1

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self.about = self.about or attributes.get(_ABOUT, "")
        self.described = self.described or name == _DESCRIPTION or _DESCRIPTION in attributes
        if name == _PROPERTY:
            self._start = self._parser.CurrentByteIndex
            self.source_type = attributes.get(f"{_RDF} resource", "")
        elif _PROPERTY in attributes:
            self.source_type = attributes[_PROPERTY]
            start, end = self._parser.CurrentByteIndex, self._tag_end()
            self.statements.append((start, end, _ATTRIBUTE.sub(b"", self._xmp[start:end])))

    def _text(self, text: str) -> None:
        if self._start >= 0:
            self.source_type = (self.source_type or "") + text.strip()

    def _finish(self, name: str) -> None:
        if name not in (_PROPERTY, _ROOT):
            return
        place = self._parser.CurrentByteIndex  # of the closing tag, or behind an empty element
        closing = self._xmp.startswith(b"</", place) and self._xmp[place : self._tag_end()].rstrip(b" \t\r\n>")
        closed = closing and closing.endswith(name.rpartition(" ")[2].encode())
        if name == _PROPERTY:
            self.statements.append((self._start, self._tag_end() if closed else place, b""))
            self._start = -1
        elif closed:
            self.end = place


def labeled(metadata: PictureMetadata, name: str) -> PictureMetadata:
    """Return metadata whose XMP says that an algorithm chose the colors.

    It says so by IPTC's digital source type, and by a description if neither XMP nor EXIF has one. Everything else is
    kept. An earlier source type is replaced, unless it says that an algorithm made up the picture.

    Parameters
    ----------
    metadata : PictureMetadata
        The metadata.
    name : str
        Name of the file in the log: XMP that is damaged is logged, and kept without a label.

    Returns
    -------
    PictureMetadata
    """
    xmp = (metadata.xmp or _EMPTY).rstrip(b"\0")
    try:
        packet = _Packet(xmp)
        if packet.source_type in {SOURCE_TYPE, *_STRONGER}:
            return metadata
        described = packet.described or _IMAGE_DESCRIPTION in full_exif(metadata)
        result = _merged(xmp, packet, "" if described else _NOTE)
        written = _Packet(result)
        whole = written.source_type == SOURCE_TYPE and len(written.statements) == 1
    except (expat.ExpatError, ValueError, LookupError):  # the last for an encoding that Python does not know
        whole = False
    if not whole:
        _log.warning("%s: its XMP is damaged, so it is kept without the label of inferred color.", name)
        return metadata
    return replace(metadata, xmp=result)


def _merged(xmp: bytes, packet: _Packet, note: str) -> bytes:
    """Return XMP with the label, and without earlier statements of the source type."""
    if packet.end is None:
        raise ValueError("no rdf:RDF with contents")
    kept, position = [], 0
    for start, end, rest in packet.statements:
        kept += [xmp[position:start], rest]
        position = end
    text = f"<rdf:Alt><rdf:li xml:lang='x-default'>{note}</rdf:li></rdf:Alt>"
    description = f"<dc:description xmlns:dc='{_DC}'>{text}</dc:description>" if note else ""
    label = (
        f"<rdf:Description xmlns:rdf='{_RDF}' rdf:about='{escape(packet.about)}' xmlns:Iptc4xmpExt='{_IPTC}' "
        f"Iptc4xmpExt:DigitalSourceType='{SOURCE_TYPE}'>{description}</rdf:Description>"
    )
    result = b"".join([*kept, xmp[position : packet.end], label.encode(), xmp[packet.end :]])
    end = result.rfind(_END)
    # the padding that editors leave is given up, since formats limit the length
    return result if end < 0 else result[:end].rstrip() + b"\n" + result[end:]

"""Forms: the files that a body of multipart/form-data contains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from labcolor.errors import InputError

_LIKE = "like"


class Files(NamedTuple):
    """Files of a request.

    Parameters
    ----------
    picture : bytes
        The picture to color.
    like : bytes or None
        A photograph whose colors the picture takes.
    """

    picture: bytes
    like: bytes | None = None


class _Parser(MultiPartParser):
    """Parser that writes no upload to disk and notices whether a form is complete."""

    spool_max_size = 1 << 62
    is_complete = False

    def on_end(self) -> None:
        """Note the boundary that ends a form."""
        self.is_complete = True


def files_in_form(body: bytes, content_type: str) -> Files:
    """Return the files that a form contains: the one that is named "like" is the exemplar, the other the picture.

    Parameters
    ----------
    body : bytes
        Body of the request.
    content_type : str
        Its Content-Type header, with the boundary.

    Raises
    ------
    InputError
        The form is damaged or truncated, or does not contain one picture and at most one exemplar.
    """
    return asyncio.run(_parse(body, content_type))


async def _parse(body: bytes, content_type: str) -> Files:
    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = _Parser(Headers({"Content-Type": content_type}), stream(), max_files=2, max_fields=8)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:
        raise InputError(
            "expected a form with one or two files and at most 8 fields, but this form is damaged or contains more."
        ) from error
    if not parser.is_complete:
        raise InputError("expected a form with a picture, but this form is truncated. Send it again.")
    files = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
    pictures = [await file.read() for name, file in files if name != _LIKE]
    likes = [await file.read() for name, file in files if name == _LIKE]
    if len(pictures) != 1 or len(likes) > 1:
        raise InputError(
            f'expected a form with one picture, and at most one exemplar named "{_LIKE}", got {len(pictures)} pictures '
            f"and {len(likes)} exemplars."
        )
    if b"" in (*pictures, *likes):
        raise InputError("expected a picture, got an empty file.")
    return Files(pictures[0], likes[0] if likes else None)

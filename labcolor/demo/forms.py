"""Files in the body of a request: the body itself, or the files of a form."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from labcolor.errors import InputError

_LIKE = "like"


class _Parser(MultiPartParser):
    """Parser that writes no upload to disk and notices whether a form is complete."""

    spool_max_size = 1 << 62
    is_complete = False

    def on_end(self) -> None:
        """Note the boundary that ends a form."""
        self.is_complete = True


def files_in(body: bytes, content_type: str) -> tuple[bytes, bytes | None]:
    """Return the picture and the exemplar of a request. The body is the picture, or a form with one or both.

    Parameters
    ----------
    body : bytes
        Body of the request.
    content_type : str
        Its Content-Type header, with the boundary of a form.

    Returns
    -------
    picture : bytes
    like : bytes or None
        The file named "like" of a form.

    Raises
    ------
    InputError
        The form is damaged or truncated, or does not contain one picture and at most one exemplar.
    """
    if not content_type.lower().startswith("multipart/"):
        return body, None
    return asyncio.run(_parse(body, content_type))


async def _parse(body: bytes, content_type: str) -> tuple[bytes, bytes | None]:
    """Parse a form."""

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
    return pictures[0], likes[0] if likes else None

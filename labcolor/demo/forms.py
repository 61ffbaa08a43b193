"""Forms: the one file that a body of multipart/form-data contains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from labcolor.errors import InputError

__all__ = ["file_in_form"]


class _Parser(MultiPartParser):
    """Parser that writes no upload to disk and notices whether a form is complete."""

    spool_max_size = 1 << 62
    is_complete = False

    def on_end(self) -> None:
        """Note the boundary that ends a form."""
        self.is_complete = True


def file_in_form(body: bytes, content_type: str) -> bytes:
    """Return the file that a form contains.

    Parameters
    ----------
    body : bytes
        Body of the request.
    content_type : str
        Its Content-Type header, with the boundary.

    Raises
    ------
    InputError
        The form is damaged or truncated, or does not contain one file.
    """
    return asyncio.run(_parse(body, content_type))


async def _parse(body: bytes, content_type: str) -> bytes:
    async def stream() -> AsyncGenerator[bytes]:
        yield body

    parser = _Parser(Headers({"Content-Type": content_type}), stream(), max_files=1, max_fields=8)
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:
        raise InputError(
            "expected a form with one file and at most 8 fields, but this form is damaged or contains more."
        ) from error
    if not parser.is_complete:
        raise InputError("expected a form with one file, but this form is truncated. Send it again.")
    for value in form.values():
        if isinstance(value, UploadFile):
            return await value.read()
    raise InputError("expected a form with one file, got none.")

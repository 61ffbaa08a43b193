"""Uploads: bodies of requests, read within limits of size, time and rate."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request

from labcolor.base.validation import shortened
from labcolor.demo.work_queue import FullError

FORM = "multipart/form-data"
_FORM_SIZE = 1 << 16  # bytes that a form may add to its files
_GRACE = 5.0  # seconds before the rate of an upload counts
_RATE = 1 << 14  # bytes a second that an upload must reach on average after that
_LINGER = 5.0  # seconds for which a refused upload is still read, so that its sender reads the answer


class Uploads:
    """Bodies that arrive. A body takes a place in the queue only when it is complete, so slow senders block nobody.

    Parameters
    ----------
    size : int
        Largest size in bytes of a file, or of the files of a form together.
    seconds : float
        Longest time for a body to arrive.
    total : int
        Largest number of bytes of all arriving bodies together.
    """

    def __init__(self, size: int, seconds: float, total: int) -> None:
        self._size = size
        self._seconds = seconds
        self._total = total
        self._arriving = 0

    async def read(self, request: Request) -> bytes:
        """Return the body of a request.

        Raises
        ------
        HTTPException
            The body has another type, is too large or empty, or arrives too slowly.
        FullError
            Too many bytes arrive at a time.
        """
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if not (kind in (FORM, "application/octet-stream") or kind.startswith("image/")):
            await _linger(request)
            raise HTTPException(
                415, f"Content-Type: expected image/*, application/octet-stream or {FORM}, got {shortened(kind)}."
            )
        body = bytearray()
        try:
            await self._receive(request, body, self._size + (_FORM_SIZE if kind == FORM else 0))
            if not body:
                raise HTTPException(400, "expected a picture, got an empty body.")
            return bytes(body)
        finally:
            self._arriving -= len(body)

    async def _receive(self, request: Request, body: bytearray, most: int) -> None:
        """Append what arrives to a body."""
        declared = request.headers.get("content-length", "0")
        too_large = declared.isdecimal() and int(declared) > most
        start = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(start + min(self._seconds, _GRACE)) as deadline:
                chunks = aiter(request.stream())
                while not too_large and (chunk := await anext(chunks, None)) is not None:
                    body += chunk
                    self._arriving += len(chunk)
                    if self._arriving > self._total:
                        raise FullError
                    too_large = len(body) > most
                    deadline.reschedule(start + min(self._seconds, _GRACE + len(body) / _RATE))
        except TimeoutError:
            raise HTTPException(
                408,
                f"the picture did not arrive in time: expected {_RATE // 1024} kB a second, and all of it within "
                f"{self._seconds:g} seconds.",
            ) from None
        except FullError:
            await _linger(request)
            raise
        if too_large:
            await _linger(request)
            raise HTTPException(
                413,
                f"the picture: expected at most {self._size / 2**20:.0f} MB with its exemplar, got more. Reduce it.",
            )


async def _linger(request: Request) -> None:
    """Read and drop the rest of a body for a while: if the connection closed at once, the answer would be lost."""
    try:
        async with asyncio.timeout(_LINGER):
            while (message := await request.receive())["type"] == "http.request" and message.get("more_body"):
                pass
    except TimeoutError:
        pass

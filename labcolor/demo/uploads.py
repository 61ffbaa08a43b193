"""Uploads: bodies of requests, read within limits of size, time and rate."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request

from labcolor.base.validation import shortened
from labcolor.demo.workers import Limits, busy

_FORM = "multipart/form-data"
_FORM_SIZE = 1 << 16  # bytes that a form may have in addition to its files
_GRACE = 5.0  # seconds before the rate of an upload counts
_RATE = 1 << 14  # bytes a second that an upload must reach on average after that
_LINGER = 5.0  # seconds for which a refused upload is still read, so that its sender reads the answer


class Uploads:
    """Bodies that arrive. A body takes a place in the queue only when it is complete, so slow senders block nobody.

    Parameters
    ----------
    limits : Limits
        Limits of a body. All arriving bodies together may be as large as the files of all workers and of the queue.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._arriving = 0  # bytes

    async def read(self, request: Request) -> bytes:
        """Return the body of a request.

        Raises
        ------
        HTTPException
            The body has another type, is too large or empty, or arrives too slowly, or too many bytes arrive at a time.
        """
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        body = bytearray()
        try:
            if problem := await self._receive(request, kind, body):
                await _linger(request)
                raise problem
            if not body:
                raise HTTPException(400, "expected a picture, got an empty body.")
            return bytes(body)
        finally:
            self._arriving -= len(body)

    async def _receive(self, request: Request, kind: str, body: bytearray) -> HTTPException | None:
        """Append the arriving bytes to a body. Return the error if the body is refused."""
        if not (kind in (_FORM, "application/octet-stream") or kind.startswith("image/")):
            expected = f"Content-Type: expected image/*, application/octet-stream or {_FORM}"
            return HTTPException(415, f"{expected}, got {shortened(kind)}.")
        limits = self._limits
        expected = f"the picture: expected at most {limits.size / 2**20:.0f} MB with its exemplar"
        too_large = HTTPException(413, f"{expected}, got more. Reduce it.")
        most = limits.size + (_FORM_SIZE if kind == _FORM else 0)
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > most:
            return too_large
        start = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(start + min(limits.seconds, _GRACE)) as deadline:
                async for chunk in request.stream():
                    body += chunk
                    self._arriving += len(chunk)
                    if self._arriving > limits.size * (limits.workers + limits.waiting):
                        return busy("the server is full")
                    if len(body) > most:
                        return too_large
                    deadline.reschedule(start + min(limits.seconds, _GRACE + len(body) / _RATE))
        except TimeoutError:
            rate = f"expected {_RATE // 1024} kB a second, and all of it within {limits.seconds:g} seconds"
            raise HTTPException(408, f"the picture did not arrive in time: {rate}.") from None
        return None


async def _linger(request: Request) -> None:
    """Read and drop the rest of a body for a while: if the connection closed at once, the answer would be lost."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER):
            while (message := await request.receive())["type"] == "http.request" and message.get("more_body"):
                pass

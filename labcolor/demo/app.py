"""The page and the endpoint as a web application.

It is made with Starlette, and served by uvicorn: both are small, typed, long kept, made of Python alone, and need
nothing but anyio, click and h11. A framework with models and forms (FastAPI, Flask with extensions, Gradio) would bring
dozens of packages for five routes. python-multipart reads uploads as forms send them.

The server keeps nothing between requests: the page sends the picture with each. So there is no session that one user
could take from another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import TypeAlias

from PIL import Image
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from labcolor._version import __version__
from labcolor.base.validation import as_saturation, shortened
from labcolor.colorizer import Colorizer
from labcolor.demo.coloring import MEDIA_TYPES, color_file, look_at, preview_file
from labcolor.demo.guard import Guard
from labcolor.demo.samples import SAMPLES, sample_file
from labcolor.demo.work_queue import FullError, GoneError, WorkQueue
from labcolor.errors import InputError, LabcolorError, OutOfMemoryError, PictureFileError
from labcolor.pictures.hint_text import parse_hint

__all__ = ["Limits", "make_app"]

_Work: TypeAlias = Callable[[bytes, str], tuple[bytes, dict[str, str]]]  # from a file to a file and its headers
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_FORMATS = {ending.removeprefix("."): ending for ending in MEDIA_TYPES} | {"tiff": ".tif", "jpeg": ".jpg"}
_QUERY = ("saturation", "hint", "format")
_HINTS = 200  # in one picture
_RETRY = "3"  # seconds after which a client that was sent away may come again
_PART = 1 << 18  # bytes of a result that are sent together
_LINGER = 5.0  # seconds for which an upload that is refused is still read, so that its sender reads the answer


@dataclass(frozen=True)
class Limits:
    """What a client may take of the server.

    Parameters
    ----------
    size : int
        Bytes of a picture file.
    pixels : int
        Pixels of a picture.
    seconds : float
        Time for a picture to arrive, time for it to be colored, with waiting, and time for its result to be read.
    workers : int
        Pictures that are colored at a time.
    waiting : int
        Further pictures that may wait.
    """

    size: int = 64 << 20
    pixels: int = 50_000_000
    seconds: float = 60.0
    workers: int = 2
    waiting: int = 16


class _Result(Response):
    """Response that holds a place until its client has it, or has taken too long to read it."""

    def __init__(self, content: bytes, headers: dict[str, str], place: ExitStack, seconds: float) -> None:
        super().__init__(content, headers=headers)
        self._place = place
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the content part by part: each waits until the client has read most of those before."""
        with self._place, suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                for start in range(0, len(self.body), _PART):
                    part, more = self.body[start : start + _PART], start + _PART < len(self.body)
                    await send({"type": "http.response.body", "body": part, "more_body": more})


class _InMemory(MultiPartParser):
    """Parser of forms that writes no upload to disk."""

    spool_max_size = 1 << 62


def make_app(
    colorizer: Colorizer,
    *,
    model: str,
    limits: Limits | None = None,
    saturation: float = 1.0,
    names: Collection[str] = (),
) -> Starlette:
    """Return the web application.

    Parameters
    ----------
    colorizer : Colorizer
        What colors the pictures.
    model : str
        What the page calls it.
    limits : Limits, optional
        What a client may take.
    saturation : float
        Where a request names none.
    names : collection of str
        Names of this server, other than localhost and its addresses.

    Returns
    -------
    starlette.applications.Starlette
    """
    service = _Service(colorizer, model, limits or Limits(), saturation)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        yield
        service.places.close()

    return Starlette(
        routes=[
            Route("/", _asset("index.html", "text/html")),
            *(Route(f"/{name}", _asset(name, media_type)) for name, media_type in _ASSETS.items()),
            Route("/samples/{name}", _sample),
            Route("/about", service.about),
            Route("/health", service.health),
            Route("/preview", service.preview, methods=["POST"]),
            Route("/color", service.color, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, names=[name.lower() for name in names])],
        exception_handlers={HTTPException: _refused, LabcolorError: _failed, Exception: _broken},
        lifespan=lifespan,
    )


class _Service:
    """The routes that color."""

    def __init__(self, colorizer: Colorizer, model: str, limits: Limits, saturation: float) -> None:
        self._colorizer = colorizer
        self._limits = limits
        self._saturation = saturation
        self._about = {
            "version": __version__,
            "model": model,
            "hints": bool(colorizer.model_.hints),
            "saturation": saturation,
            "bytes": limits.size,
            "pixels": limits.pixels,
            "seconds": limits.seconds,
            "samples": SAMPLES,
        }
        self.places = WorkQueue(limits.workers, limits.waiting, limits.seconds)

    async def about(self, request: Request) -> Response:
        """Tell what the page shows: the model and the limits."""
        return JSONResponse(self._about)

    async def health(self, request: Request) -> Response:
        """Tell that the server is there, and how busy it is."""
        return JSONResponse({"status": "ok", **self.places.state()})

    async def preview(self, request: Request) -> Response:
        """Return a picture as a browser can show it, with the size that it has."""

        def work(content: bytes, own: str) -> tuple[bytes, dict[str, str]]:
            preview = preview_file(content)
            height, width = preview.shape
            return preview.content, {"Content-Type": MEDIA_TYPES[".jpg"], "X-Picture-Size": f"{width}x{height}"}

        return await self._with_picture(request, work)

    async def color(self, request: Request) -> Response:
        """Return a picture in color."""
        query = request.query_params
        unknown = sorted(set(query) - set(_QUERY))
        if unknown:
            raise HTTPException(400, f"expected the parameters {', '.join(_QUERY)}, got {shortened(unknown[0])}.")
        saturation = self._saturation
        if "saturation" in query:
            saturation = _saturation(query["saturation"])
        wanted = query.get("format")
        if wanted is not None and wanted not in _FORMATS:
            raise HTTPException(400, f"format: expected one of {', '.join(_FORMATS)}, got {shortened(wanted)}.")
        texts = query.getlist("hint")
        if len(texts) > _HINTS:
            raise HTTPException(400, f"hint: expected at most {_HINTS}, got {len(texts)}.")
        hints = [parse_hint(text) for text in texts]

        def work(content: bytes, own: str) -> tuple[bytes, dict[str, str]]:
            ending = own if wanted is None else _FORMATS[wanted]
            colored = color_file(self._colorizer, content, ending=ending, saturation=saturation, hints=hints)
            return colored, {"Content-Type": MEDIA_TYPES[ending]}

        return await self._with_picture(request, work)

    async def _with_picture(self, request: Request, work: _Work) -> Response:
        """Receive a picture, look at it, and pass it to work in a thread, with the ending of its format."""
        seconds = self._limits.seconds
        try:
            with ExitStack() as place:
                place.enter_context(self.places.one())
                try:
                    async with asyncio.timeout(seconds):
                        content = await _picture_of(request, self._limits.size)
                except TimeoutError:
                    raise HTTPException(408, f"the picture did not arrive in {seconds:g} seconds.") from None
                checked = partial(self._checked, content, work)
                result, headers = await self.places.run(checked, _disconnected(request))
                return _Result(result, headers, place.pop_all(), seconds)
        except FullError:
            await _linger(request)
            raise HTTPException(
                503, "the server is full: others' pictures are being colored. Try again.", {"Retry-After": _RETRY}
            ) from None
        except TimeoutError:
            raise HTTPException(503, f"not done in {seconds:g} seconds. Try again.", {"Retry-After": _RETRY}) from None
        except (ClientDisconnect, GoneError):
            raise HTTPException(400, "the client closed the connection.") from None

    def _checked(self, content: bytes, work: _Work) -> tuple[bytes, dict[str, str]]:
        try:
            ending, (height, width) = look_at(content)
        except PictureFileError as error:
            too_large = isinstance(error.__cause__, Image.DecompressionBombError)
            raise HTTPException(413 if too_large else 415, str(error)) from error
        if height * width > self._limits.pixels:
            raise HTTPException(
                413,
                f"the picture: expected at most {self._limits.pixels:,} pixels, got {width} x {height}. "
                f"Reduce it, or use the command line.",
            )
        return work(content, ending)


def _saturation(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"saturation: expected a number from 0 to 4, got {shortened(text)}.") from None
    return as_saturation(value)


async def _picture_of(request: Request, most: int) -> bytes:
    """Return the picture file that a request holds, as its body or in a form."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    form = kind == "multipart/form-data"
    if not (form or kind.startswith("image/") or kind == "application/octet-stream"):
        await _linger(request)
        raise HTTPException(
            415,
            f"Content-Type: expected image/*, application/octet-stream or multipart/form-data, got {shortened(kind)}.",
        )
    body = await _body_of(request, most + (1 << 16 if form else 0))
    if form:
        body = await _upload_in(request, body)
    if not body:
        raise HTTPException(400, "expected a picture, got an empty body.")
    return body


async def _body_of(request: Request, most: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    body = bytearray()
    too_large = declared.isdecimal() and int(declared) > most
    if not too_large:
        async for chunk in request.stream():
            body += chunk
            too_large = len(body) > most
            if too_large:
                break
    if too_large:
        body.clear()
        await _linger(request)
        raise HTTPException(413, f"the picture: expected a file of at most {most / 2**20:.0f} MB, got more. Reduce it.")
    return bytes(body)


async def _upload_in(request: Request, body: bytes) -> bytes:
    async def stream() -> AsyncGenerator[bytes]:
        yield body
        yield b""

    try:
        form = await _InMemory(request.headers, stream(), max_files=1, max_fields=8).parse()
    except (MultiPartException, KeyError, ValueError) as error:  # a KeyError where there is no boundary
        reason = error.message if isinstance(error, MultiPartException) else "it is damaged."
        raise HTTPException(400, f"expected a form with one file, but it cannot be read: {reason}") from error
    try:
        for value in form.values():
            if isinstance(value, UploadFile):
                return await value.read()
    finally:
        await form.close()
    raise HTTPException(400, "expected a form with one file, got none.")


async def _disconnected(request: Request) -> None:
    """Return when the client has closed the connection; the body must be read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _linger(request: Request) -> None:
    """Read on and drop what still arrives, for a while: a connection closed in the middle would lose the answer."""
    try:
        async with asyncio.timeout(_LINGER):
            while (message := await request.receive())["type"] == "http.request" and message.get("more_body"):
                pass
    except TimeoutError:
        pass


def _asset(name: str, media_type: str) -> Callable[[Request], Response]:
    content = files("labcolor.demo").joinpath("assets", name).read_bytes()

    def asset(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return asset


def _sample(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in SAMPLES:
        raise HTTPException(404, f"expected one of the samples {', '.join(SAMPLES)}.")
    return Response(sample_file(name), media_type="image/jpeg")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _failed(request: Request, error: Exception) -> Response:
    status = 400 if isinstance(error, InputError | PictureFileError) else 500
    return JSONResponse({"error": str(error)}, 413 if isinstance(error, OutOfMemoryError) else status)


def _broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "the server failed; its log tells why."}, 500)

"""The page and the endpoint as a web application.

It uses Starlette and uvicorn, which are small, typed, pure Python, and need only anyio, click and h11. FastAPI, Flask
or Gradio would bring dozens of packages for a few routes.

The server keeps nothing between requests: the page sends the picture with each request, so there are no sessions.
"""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import AsyncGenerator, Collection
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from labcolor._version import __version__
from labcolor.base.validation import as_saturation, shortened
from labcolor.colorizer import Colorizer
from labcolor.demo.coloring import MEDIA_TYPES, color_upload, preview_upload
from labcolor.demo.guard import Guard
from labcolor.demo.samples import SAMPLES, sample_file
from labcolor.demo.uploads import Uploads
from labcolor.demo.workers import Limits, Work, WorkQueue, busy
from labcolor.errors import InputError
from labcolor.pictures.hints import parse_hint

_log = logging.getLogger(__name__)
mimetypes.add_type("text/javascript", ".js")  # Windows may declare another type, which browsers refuse

_FORMATS = {ending.removeprefix("."): ending for ending in MEDIA_TYPES} | {"tiff": ".tif", "jpeg": ".jpg"}
_QUERY = ("saturation", "hint", "format")
_HINTS = 200  # in one picture
_PART = 1 << 18  # bytes of a result in one part


class _Result(Response):
    """Response that holds a place in the queue until the client has read it, or has taken too long."""

    def __init__(self, content: bytes, headers: dict[str, str], place: ExitStack, seconds: float) -> None:
        super().__init__(content, headers=headers)
        self._place = place
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the content in parts; each waits until the client has read most of the earlier parts."""
        with self._place, suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                for start in range(0, len(self.body), _PART):
                    part, more = self.body[start : start + _PART], start + _PART < len(self.body)
                    await send({"type": "http.response.body", "body": part, "more_body": more})


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
        Colorizer to copy to the worker processes.
    model : str
        Name of its model on the page.
    limits : Limits, optional
        Limits of what a client may use.
    saturation : float
        Saturation for requests without one.
    names : collection of str
        Host names of this server other than localhost.

    Returns
    -------
    starlette.applications.Starlette
    """
    service = _Service(colorizer, model, limits or Limits(), saturation)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        service.queue.start()
        yield
        service.queue.close()

    app = Starlette(
        routes=[
            Route("/samples/{name}", _sample),
            Route("/about", service.about),
            Route("/health", service.health),
            Route("/preview", service.preview, methods=["POST"]),
            Route("/color", service.color, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, names=[name.lower() for name in names])],
        exception_handlers={
            HTTPException: _refused,
            InputError: _wrong,
            TimeoutError: _late,
            ClientDisconnect: _gone,
            Exception: _broken,
        },
        lifespan=lifespan,
    )
    app.router.default = StaticFiles(packages=[("labcolor.demo", "assets")], html=True)  # for all other paths
    return app


class _Service:
    """The routes that color."""

    def __init__(self, colorizer: Colorizer, model: str, limits: Limits, saturation: float) -> None:
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
        self.queue = WorkQueue(colorizer, limits)
        self._uploads = Uploads(limits)

    async def about(self, request: Request) -> Response:
        """Return the name of the model and the limits for the page."""
        return JSONResponse(self._about)

    async def health(self, request: Request) -> Response:
        """Return that the server runs, and how busy it is."""
        return JSONResponse({"status": "ok", **self.queue.state()})

    async def preview(self, request: Request) -> Response:
        """Return a reduced picture that browsers can show, with its original size."""
        return await self._with_upload(request, preview_upload)

    async def color(self, request: Request) -> Response:
        """Return a picture in color."""
        query = request.query_params
        unknown = sorted(set(query) - set(_QUERY))
        if unknown:
            raise HTTPException(400, f"expected the parameters {', '.join(_QUERY)}, got {shortened(unknown[0])}.")
        saturation = _saturation(query["saturation"]) if "saturation" in query else self._saturation
        wanted = query.get("format")
        if wanted is not None and wanted not in _FORMATS:
            raise HTTPException(400, f"format: expected one of {', '.join(_FORMATS)}, got {shortened(wanted)}.")
        texts = query.getlist("hint")
        if len(texts) > _HINTS:
            raise HTTPException(400, f"hint: expected at most {_HINTS}, got {len(texts)}.")
        hints = [parse_hint(text) for text in texts]
        ending = None if wanted is None else _FORMATS[wanted]
        work = partial(color_upload, ending=ending, saturation=saturation, hints=hints)
        return await self._with_upload(request, work)

    async def _with_upload(self, request: Request, work: Work) -> Response:
        """Receive a body, wait for a worker to work on it, and return the answer."""
        try:
            body = await self._uploads.read(request)
            with ExitStack() as place:
                place.enter_context(self.queue.place())
                work = partial(work, content_type=request.headers["content-type"])
                answer = await self.queue.run(work, body, _disconnected(request))
                if answer.status == 200:
                    return _Result(answer.content, answer.headers, place.pop_all(), self._limits.seconds)
        except asyncio.CancelledError:  # uvicorn cancels all requests after a signal
            return JSONResponse({"error": "the server is stopping."}, 503)
        if answer.status == 500:
            _log.error("a request failed: %s", answer.content.decode())
            return _broken(request, None)
        return JSONResponse({"error": answer.content.decode()}, answer.status)


def _saturation(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"saturation: expected a number from 0 to 4, got {shortened(text)}.") from None
    return as_saturation(value)


async def _disconnected(request: Request) -> None:
    """Return when the client has closed the connection; the body must be read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _sample(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in SAMPLES:
        raise HTTPException(404, f"expected one of the samples {', '.join(SAMPLES)}.")
    return Response(sample_file(name), media_type="image/jpeg")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def _wrong(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


def _late(request: Request, error: Exception) -> Response:
    return _refused(request, busy("the picture was not done in time"))


def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # the client is gone


def _broken(request: Request, error: Exception | None) -> Response:
    return JSONResponse({"error": "the server failed; its log contains the reason."}, 500)

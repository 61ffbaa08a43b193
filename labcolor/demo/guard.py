"""Guard against pages of other sites and ambiguous requests: checks of their headers."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Middleware that refuses requests that a page of another site can make a browser send.

    An attacker's domain name may resolve to this machine (DNS rebinding), so only addresses, localhost and the names
    that the user gave are accepted in Host. A page of another site could post here, but its browser sends the page's
    origin. Programs send no origin, and are accepted. Requests that state the length of the body twice are refused,
    because a proxy and this server could disagree on where they end.

    Parameters
    ----------
    app : ASGI application
        Application to guard.
    names : collection of str
        Further names of this server, in lower case.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        status = 403
        host = headers.get("host", "")
        if not self._is_known(host):
            problem = "unknown name in the Host header. Start the server with --name, or use its address."
        elif "origin" in headers and not self._is_own(headers["origin"], host):
            problem = "pages of other sites may not use this server."
        elif "content-length" in headers and "transfer-encoding" in headers:
            status, problem = 400, "expected Content-Length or Transfer-Encoding, got both."
        else:
            await self._app(scope, receive, guarded)
            return
        await JSONResponse({"error": problem}, status)(scope, receive, guarded)

    def _is_known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name == "localhost" or name in self._names:
                return True
            ip_address(name)
        except ValueError:
            return False
        return True

    def _is_own(self, origin: str, host: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.netloc.lower() == host.lower() or parts.hostname in self._names

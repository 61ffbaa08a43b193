"""The web application on a port."""

from __future__ import annotations

import asyncio
import logging
import socket

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from labcolor.demo.guard import is_loopback
from labcolor.errors import LabcolorError

_HEADERS = 10.0  # seconds for the headers of a request to arrive
_UNREAD = 20.0  # seconds for a client to read the part of an answer that was sent
_log = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """Open a port. Log a warning if other machines reach it.

    Parameters
    ----------
    host : str
        Address or name of this machine.
    port : int
        From 1 to 65535, or 0 for any that is free.

    Returns
    -------
    socket

    Raises
    ------
    LabcolorError
        The port is in use, or the address does not belong to this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        opened = socket.create_server(found[0][4][:2], family=found[0][0])
    except (OSError, UnicodeError) as error:
        raise LabcolorError(
            f"{host}, port {port}: cannot be opened: {getattr(error, 'strerror', None) or error}. "
            f"Choose another with --host or --port."
        ) from error
    if not is_loopback(host):
        _log.warning(
            "other machines can reach this server, and it asks for no password. Put it behind a proxy that does, or "
            "leave --host out."
        )
    return opened


class _Protocol(H11Protocol):
    """Connection that closes if a request does not arrive in time, or the client does not read the answer."""

    # uvicorn's own limit of idle connections ends with the first byte of a request, however slow the others are

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_request()

    def on_response_complete(self) -> None:
        self._expect_request()
        super().on_response_complete()

    def pause_writing(self) -> None:
        self._unread = self.loop.call_later(_UNREAD, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._unread.cancel()
        super().resume_writing()

    def _expect_request(self) -> None:
        """Close the connection unless uvicorn starts another cycle of request and answer in time."""
        before = self.cycle

        def check() -> None:
            if self.cycle is before:
                self.transport.abort()

        self.loop.call_later(_HEADERS, check)


class Server(uvicorn.Server):
    """Server of a web application on an open port; :meth:`run` returns after a signal.

    Parameters
    ----------
    app : Starlette
        Application to serve.
    """

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                access_log=False,  # for privacy
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=0.3,  # type: ignore[arg-type]  # seconds; a whole second is too long
            )
        )

"""The web application on a port."""

from __future__ import annotations

import logging
import socket

import uvicorn
from starlette.applications import Starlette

from labcolor.demo.guard import is_loopback
from labcolor.errors import LabcolorError

__all__ = ["Server", "listen"]

_log = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """Open a port. Log a warning if other machines reach it.

    Parameters
    ----------
    host : str
        An address of this machine, or a name of it.
    port : int
        From 1 to 65535, or 0 for any that is free.

    Returns
    -------
    socket

    Raises
    ------
    LabcolorError
        It is taken, or is none of this machine's.
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


class Server(uvicorn.Server):
    """Server of a web application on an open port; :meth:`run` returns after a signal.

    Parameters
    ----------
    app : Starlette
        What is served.
    """

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                access_log=False,  # who colors what is nobody's business
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=5,
            )
        )

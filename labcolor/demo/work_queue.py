"""Bounded work queue: workers color some pictures at a time, some more wait, and the server refuses the rest."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.reduction import ForkingPickler
from queue import SimpleQueue

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from labcolor.colorizer import Colorizer
from labcolor.demo.worker import Answer, Limits, Work, Worker

_RETRY = "3"  # seconds after which a client may try again


def busy(problem: str) -> HTTPException:
    """Return the error for a request that the client may repeat."""
    return HTTPException(503, f"{problem}. Try again later.", {"Retry-After": _RETRY})


class WorkQueue:
    """Worker processes, and a queue of pictures in front of them.

    Parameters
    ----------
    colorizer : Colorizer
        Colorizer with a model, to copy to the workers.
    limits : Limits
        Limits of the workers and of the queue.
    """

    def __init__(self, colorizer: Colorizer, limits: Limits) -> None:
        self._colorizer, self._limits = bytes(ForkingPickler.dumps(colorizer)), limits
        self._capacity = limits.workers + limits.waiting
        self._queued = 0
        self._working = 0
        self._closed = False
        self._lock = threading.Lock()
        self._workers: list[Worker] = []
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        # each thread waits for one process
        self._threads = ThreadPoolExecutor(limits.workers, "labcolor-demo", initializer=_block_interrupts)

    def start(self) -> None:
        """Start the workers; they load their models while the server begins to listen."""
        for _ in range(self._limits.workers):
            self._threads.submit(self._add_worker)

    def close(self) -> None:
        """Kill the workers, and start no other work."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.close()

    def state(self) -> dict[str, int]:
        """Return how many pictures are being colored, how many wait, and how many the queue can take."""
        working = self._working
        return {"coloring": working, "waiting": max(0, self._queued - working), "places": self._capacity}

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the queue.

        Raises
        ------
        HTTPException
            The queue is full.
        """
        if self._queued >= self._capacity:
            raise busy("the server is full")
        self._queued += 1
        try:
            yield
        finally:
            self._queued -= 1

    async def run(self, work: Work, content: bytes, gone: Awaitable[None]) -> Answer:
        """Run work in a process as soon as one is idle.

        Parameters
        ----------
        work : callable
            As for :meth:`Worker.run`.
        content : bytes
            A picture file.
        gone : awaitable
            Done when the client has closed its connection. Waiting work is then dropped. Work that has begun continues,
            since replacing its process would take longer than most pictures.

        Raises
        ------
        TimeoutError
            It took too long.
        ClientDisconnect
            The client has closed its connection.
        """
        timeout = self._limits.seconds
        end = time.monotonic() + timeout
        future = self._threads.submit(self._run, work, content, end)
        result = asyncio.ensure_future(asyncio.wrap_future(future))
        leaving = asyncio.ensure_future(gone)
        try:
            await asyncio.wait((result, leaving), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if result.done():
                return result.result()
            raise ClientDisconnect if leaving.done() else TimeoutError
        finally:
            result.cancel()  # this removes the work from the queue, unless it has begun
            leaving.cancel()

    def _add_worker(self) -> None:
        worker = Worker(self._colorizer, self._limits)
        with self._lock:
            self._workers.append(worker)
            if self._closed:
                worker.close()
        self._idle.put(worker)

    def _run(self, work: Work, content: bytes, end: float) -> Answer:
        worker = self._idle.get()
        with self._lock:
            self._working += 1
        try:
            return worker.run(work, content, end - time.monotonic())
        finally:
            with self._lock:
                self._working -= 1
            self._idle.put(worker)


def _block_interrupts() -> None:
    """Block SIGINT in this thread, so that processes that it starts are not interrupted while they load."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

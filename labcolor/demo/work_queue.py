"""A bounded queue of work: so many pictures are colored at a time, so many wait, and the server refuses the rest."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["FullError", "GoneError", "WorkQueue"]

_T = TypeVar("_T")


class FullError(Exception):
    """Signal that all places are taken."""


class GoneError(Exception):
    """Signal that the client has closed its connection."""


class WorkQueue:
    """Threads for some pictures at a time, and places in front of them.

    Parameters
    ----------
    workers : int
        Pictures that are worked on at a time.
    waiting : int
        Further pictures that may be here: still arriving, waiting, or leaving.
    seconds : float
        Longest time that work may take, with waiting.
    """

    def __init__(self, workers: int, waiting: int, seconds: float) -> None:
        self._count = workers + waiting
        self._seconds = seconds
        self._present = 0
        self._working = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="labcolor-demo")

    def state(self) -> dict[str, int]:
        """Return how many pictures are worked on, how many wait, and how many places there are."""
        working = self._working
        return {"coloring": working, "waiting": max(0, self._present - working), "places": self._count}

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place, for as long as a request lasts.

        Raises
        ------
        FullError
            There is none.
        """
        if self._present >= self._count:
            raise FullError
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    async def run(self, work: Callable[[], _T], gone: Awaitable[None]) -> _T:
        """Run work in a thread, when there is one free.

        Work that has begun goes on to its end, whoever waits for it.

        Parameters
        ----------
        work : callable
            What to run.
        gone : awaitable
            Ends when the client has closed its connection.

        Returns
        -------
        object
            What ``work`` returns.

        Raises
        ------
        TimeoutError
            It took too long.
        GoneError
            The client has closed its connection.
        """
        future = self._pool.submit(self._counted, work)
        result = asyncio.ensure_future(asyncio.wrap_future(future))
        leaving = asyncio.ensure_future(gone)
        try:
            await asyncio.wait((result, leaving), timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            if result.done():
                return result.result()
            raise GoneError if leaving.done() else TimeoutError
        finally:
            result.cancel()  # and with it the future, if no thread has begun
            leaving.cancel()

    def _counted(self, work: Callable[[], _T]) -> _T:
        with self._lock:
            self._working += 1
        try:
            return work()
        finally:
            with self._lock:
                self._working -= 1

    def close(self) -> None:
        """Let no work begin any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

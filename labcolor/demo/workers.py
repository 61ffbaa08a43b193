"""Worker processes with limits, which can be killed, and a bounded queue of pictures in front of them."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from labcolor.base.threads import chosen_threads, set_threads
from labcolor.colorizer import Colorizer
from labcolor.errors import InputError, LabcolorError, OutOfMemoryError, PictureFileError

Work: TypeAlias = Callable[..., tuple[bytes, dict[str, str]]]
_RETRY = "3"  # seconds after which a client may try again
_PROCESSES = multiprocessing.get_context("spawn")  # a forked process would inherit the server's threads and sockets
_BYTES_PER_PIXEL = 64  # measured: RGBA of float64, the largest pixels, needs 56 from the file to the colored file
_SPARE = 1 << 30  # bytes


@dataclass(frozen=True)
class Limits:
    """Limits on the resources that clients use.

    Parameters
    ----------
    size : int
        Largest size in bytes of a file, or of a picture and its exemplar together.
    pixels : int
        Largest number of pixels of a picture, and of an exemplar. Memory is limited to the need of such a picture.
    seconds : float
        Longest time for each of: an upload; coloring, with waiting before it; the client's reading of the result.
        Processor time is limited to this many seconds on each core.
    workers : int
        Worker processes, each of which colors one picture at a time.
    waiting : int
        Further pictures that may wait, or whose results are being sent.
    """

    size: int = 64 << 20
    pixels: int = 60_000_000
    seconds: float = 60.0
    workers: int = 2
    waiting: int = 16


@dataclass(frozen=True)
class Answer:
    """Result of work, as the server sends it.

    Parameters
    ----------
    status : int
        HTTP status: 200, or the reason why there is no result.
    headers : dict
        HTTP headers.
    content : bytes
        The result, or an error message in UTF-8.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


class Worker:
    """Process that works on one picture at a time. A process that ends or is killed is replaced.

    Parameters
    ----------
    colorizer : bytes
        Colorizer with a model, pickled by multiprocessing's ForkingPickler. Each process loads the model once.
    limits : Limits
        Limits of the process.
    """

    def __init__(self, colorizer: bytes, limits: Limits) -> None:
        self._colorizer, self._limits = colorizer, limits
        self._closed = self._loaded = False
        self._start()

    def run(self, work: Work, content: bytes, seconds: float) -> Answer:
        """Let the process work on a picture. If it takes too long, kill it.

        Parameters
        ----------
        work : callable
            A function of a module, or a partial of one; it gets the colorizer, ``content`` and the limit of pixels.
        content : bytes
            A picture file.
        seconds : float
            Time that is left.

        Raises
        ------
        TimeoutError
            The time has passed.
        """
        end = time.monotonic() + seconds
        if seconds <= 0:
            raise TimeoutError
        try:
            if not self._loaded:
                if not self._pipe.poll(seconds):
                    raise TimeoutError  # the process continues to load, for the next picture
                self._pipe.recv_bytes()
                self._loaded = True
            self._pipe.send((work, content))
            if not self._pipe.poll(max(0.0, end - time.monotonic())):
                self._replace()
                raise TimeoutError
            # JSON and bytes: the process decodes untrusted files, so its answers are not unpickled
            status, headers = json.loads(self._pipe.recv_bytes())
            return Answer(status, headers, self._pipe.recv_bytes())
        except (EOFError, ConnectionError):
            if self._closed:
                raise TimeoutError from None
            was_loaded = self._loaded
            self._replace()
            if was_loaded:
                return Answer(413, content=b"the picture: it needs more memory or time than this server allows.")
            return Answer(500, content=b"a worker process ended before it had loaded the model.")

    def close(self) -> None:
        """Kill the process, and start no other."""
        self._closed = True
        self._end()

    def _replace(self) -> None:
        """Kill the process, and start another."""
        self._end()
        self._pipe.close()
        self._start()

    def _end(self) -> None:
        """Kill the process, and remove the files that it leaves."""
        self._process.kill()
        self._process.join()
        self._folder.cleanup()

    def _start(self) -> None:
        """Start a process, which begins to load the model."""
        self._pipe, theirs = _PROCESSES.Pipe()
        self._folder = tempfile.TemporaryDirectory(prefix="labcolor-demo-", ignore_cleanup_errors=True)
        arguments = (theirs, self._colorizer, self._limits, chosen_threads(), self._folder.name)
        process = _PROCESSES.Process(target=_serve, args=arguments, daemon=True)
        process.start()
        theirs.close()
        self._process = process
        self._loaded = False
        if self._closed:  # by another thread in the meantime
            self._end()


def _serve(pipe: Connection, pickled: bytes, limits: Limits, threads: int | None, folder: str) -> None:
    """Work on uploads from a pipe, until the server closes it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal; the server ends this one
    tempfile.tempdir = folder
    set_threads(threads)
    colorizer: Colorizer = ForkingPickler.loads(pickled)
    colorizer.predict(np.zeros((64, 64), np.uint8))  # loads the network
    _limit_memory(limits.pixels * _BYTES_PER_PIXEL + _SPARE)
    pipe.send_bytes(b"loaded")
    while True:
        try:
            work, content = pipe.recv()
        except EOFError:
            return
        _limit_time(limits.seconds)
        answer = _answer(partial(work, colorizer, content, limits.pixels))
        pipe.send_bytes(json.dumps([answer.status, answer.headers]).encode())
        pipe.send_bytes(answer.content)


def _answer(work: Callable[[], tuple[bytes, dict[str, str]]]) -> Answer:
    """Do the work, and turn errors into statuses."""
    try:
        result, headers = work()
        return Answer(200, headers, result)
    except HTTPException as error:
        return Answer(error.status_code, content=error.detail.encode())
    except LabcolorError as error:
        status = 400 if isinstance(error, InputError | PictureFileError) else 500
        return Answer(413 if isinstance(error, OutOfMemoryError) else status, content=str(error).encode())
    except MemoryError:
        return Answer(413, content=b"the picture: it did not fit in memory. Reduce it.")
    except Exception:
        return Answer(500, content=traceback.format_exc().encode())


def _limit_memory(further: int) -> None:
    """Limit the memory that this process may still take; only Linux enforces such a limit."""
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])
        # RLIMIT_DATA: RLIMIT_AS would count memory that allocators reserve for each thread and never use
        resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + further,) * 2)


def _limit_time(seconds: float) -> None:
    """Let the system end this process if a picture takes longer, even if the server has ended."""
    if sys.platform != "win32":
        import resource

        most = int(time.process_time() + seconds * (os.cpu_count() or 1)) + 1
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


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
            The work took too long.
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

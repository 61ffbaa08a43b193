"""Send honest and hostile requests, mixed, to a server of ``labcolor demo`` on this machine, and watch its memory.

    python benchmarks/soak.py --requests 5000

It ends with an error if an honest request is lost or answered wrongly, or if the server or its health fails.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import random
import re
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
from PIL import Image

WIDE_HINTS = "&".join(["hint=1,1,ffffff,999999999"] * 200)


def encoded(picture: np.ndarray, kind: str = "PNG") -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    return file.getvalue()


def bomb(width: int, height: int, data: bytes) -> bytes:
    """Return a PNG that declares a size and holds other data."""
    chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(data))]
    parts = [struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def post(
    port: int, body: bytes, query: str = "", kind: str = "image/png", *, patient: bool = False
) -> tuple[int, bytes]:
    """Post a picture; a patient client asks a full server again."""
    while True:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
            connection.request("POST", f"/color{query}", body, {"Content-Type": kind})
            response = connection.getresponse()
            status, content = response.status, response.read()
        if status != 503 or not patient:
            return status, content
        time.sleep(0.5)


def raw(port: int, text: bytes, wait: float) -> None:
    """Send bytes, wait, and close the connection without a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        try:
            connection.sendall(text)
            connection.recv(100)
        except OSError:
            pass


def attacks(rng: random.Random) -> dict[str, object]:
    """Return hostile requests by name: functions of the port."""
    small = encoded(np.full((80, 120), 90, np.uint8))
    large = encoded(np.full((2500, 4000), 90, np.uint8))
    head = b"POST /color HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    mutated = bytearray(small)
    for _ in range(8):
        mutated[rng.randrange(len(mutated))] = rng.randrange(256)
    form = b'--x\r\nContent-Disposition: form-data; name="p"; filename="a"\r\n\r\n'
    return {
        "wide hints": lambda port: post(port, large, f"?{WIDE_HINTS}"),
        "mutated": lambda port: post(port, bytes(mutated)),
        "truncated": lambda port: post(port, small[: rng.randrange(len(small))]),
        "declared 400 megapixels": lambda port: post(port, bomb(20000, 20000, bytes(100))),
        "inflates to 256 MB": lambda port: post(port, bomb(8, 8, bytes(1 << 28))),
        "declared 49 megapixels": lambda port: post(port, bomb(7000, 7000, bytes(100))),
        "truncated form": lambda port: post(port, form + small, kind="multipart/form-data; boundary=x"),
        "form of newlines": lambda port: post(port, b"\r\n" * 500_000, kind="multipart/form-data; boundary=x"),
        "goes away": lambda port: raw(port, head + b"Content-Length: %d\r\n\r\n" % len(large) + large, 0.05),
        "stops in the body": lambda port: raw(port, head + b"Content-Length: 100000\r\n\r\nabc", 3),
        "stops in the headers": lambda port: raw(port, head, 3),
        "two lengths": lambda port: raw(
            port, head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 3
        ),
        "no HTTP": lambda port: raw(port, rng.randbytes(200), 3),
    }


def memory(server: psutil.Process) -> int:
    """Return the resident bytes of the server and its workers."""
    total = 0
    for process in [server, *server.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


def soak(requests: int, honest_share: float, seed: int = 0, clients: int = 12) -> dict[str, object]:
    """Start a server, send the requests, end it, and return figures."""
    rng = random.Random(seed)
    command = [sys.executable, "-m", "labcolor", "demo", "--port", "0", "--model", "reference", "--seconds", "20"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    port = int(re.findall(r":(\d+)/", process.stdout.readline())[0])
    server = psutil.Process(process.pid)
    pictures = [encoded(np.random.default_rng(i).integers(60, 200, (80, 100 + i), np.uint8)) for i in range(8)]
    for picture in pictures[:4]:  # the workers load their models
        post(port, picture, patient=True)
    wanted = [post(port, picture, patient=True)[1] for picture in pictures]
    hostile = attacks(rng)
    samples: list[int] = []
    waits: list[float] = []
    counts: Counter[str] = Counter()

    def honest(index: int) -> None:
        begin = time.monotonic()
        status, content = post(port, pictures[index % 8], patient=True)
        waits.append(time.monotonic() - begin)
        counts["honest" if (status, content) == (200, wanted[index % 8]) else "lost"] += 1

    def one(index: int, name: str) -> None:
        try:
            if name == "honest":
                honest(index)
            else:
                hostile[name](port)
                counts["hostile"] += 1
        except OSError:
            counts["lost" if name == "honest" else "hostile"] += 1
        if index % max(1, requests // 20) == 0:
            samples.append(memory(server))

    names = ["honest" if rng.random() < honest_share else rng.choice(list(hostile)) for _ in range(requests)]
    begin = time.monotonic()
    try:
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(one, range(requests), names))
        took = time.monotonic() - begin
        end = time.monotonic() + 60
        while json.loads(health(port))["coloring"] and time.monotonic() < end:
            time.sleep(0.1)
        last = json.loads(health(port))
    finally:
        begin = time.monotonic()
        process.terminate()
        process.wait(30)
        process.stdout.close()
        stop = time.monotonic() - begin
    waits.sort()
    return {
        "requests": requests,
        "seconds": round(took, 1),
        **counts,
        "lost": counts["lost"],
        "longest wait of an honest client, seconds": round(waits[-1], 2),
        "median wait, seconds": round(waits[len(waits) // 2], 3),
        "memory, MB": [sample >> 20 for sample in samples],
        "health": last,
        "ended in, seconds": round(stop, 2),
    }


def health(port: int) -> bytes:
    """Return what the server says of itself."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/health")
        return connection.getresponse().read()


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--honest", type=float, default=0.6, help="share of honest requests")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    figures = soak(arguments.requests, arguments.honest, arguments.seed)
    print(json.dumps(figures, indent=1))
    sys.exit(1 if figures["lost"] else 0)


if __name__ == "__main__":
    main()

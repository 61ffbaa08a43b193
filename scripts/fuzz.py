#!/usr/bin/env python3
"""Fuzz what reads untrusted bytes, guided by coverage.

scripts/fuzz.py [TARGET ...] [--seconds N] [--corpus FOLDER]

Each input gets at most 10 seconds and 2 GiB of memory. An input that raises anything but an error of the library is a
finding: it is kept in the corpus folder, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import itertools
import logging
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_LIMITS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1", "-verbosity=0")
_PIXELS = 1 << 20  # of a picture: larger ones pass the same code, and take longer


def _picture_seeds() -> Iterator[bytes]:
    """Yield small pictures of each format, depth and compression."""
    import numpy as np
    import tifffile
    from PIL import Image

    deep = np.arange(9 * 7 * 4, dtype=np.uint16).reshape(9, 7, 4) * 257
    exif = Image.Exif()
    exif[0x0112], exif[0x9003], exif[0x010E] = 6, "1954:06:01 12:00:00", "a lake"
    image = Image.fromarray(deep[..., :3].astype(np.uint8))
    for kind in ("PNG", "JPEG", "WEBP", "TIFF", "AVIF"):
        yield _saved(image, kind, exif=exif)
    for kind in ("GIF", "BMP", "PPM", "JPEG2000"):
        yield _saved(image, kind)
    yield _saved(image, "JPEG", progressive=True, xmp=b"<x tiff:Orientation='6'><xmp:Thumbnails>a</xmp:Thumbnails></x>")
    yield _saved(image.convert("P"), "PNG", transparency=3)
    yield _saved(image.convert("CMYK"), "JPEG")
    yield _saved(Image.fromarray(deep[..., 0]), "PNG")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield _saved(image, "TIFF", compression=compression)
    for picture, options in (
        (deep[..., :3], {"photometric": "rgb", "compression": "zlib", "predictor": True}),
        (deep, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (deep[..., 0], {"photometric": "miniswhite", "tile": (16, 16), "compression": "lzma"}),
        (np.float32(deep[..., :3] / 65535), {"photometric": "rgb", "planarconfig": "contig"}),
        (deep[..., 0].astype(np.int16) // 2, {"subfiletype": 1}),
    ):
        file = io.BytesIO()
        tifffile.imwrite(file, picture, **options)
        yield file.getvalue()


def _saved(image: Any, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _pictures() -> Callable[[bytes], object]:
    from labcolor import read_picture
    from labcolor.io import limits

    limits.PIXELS = _PIXELS
    return read_picture


def _metadata() -> Callable[[bytes], object]:
    from labcolor import read_metadata
    from labcolor.io import limits

    limits.PIXELS = _PIXELS
    return read_metadata


def _model_seeds() -> Iterator[bytes]:
    """Yield a packaged model, and its text alone, which mutations reach more easily than through the archive."""
    content = _packaged()
    yield content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield archive.read("about.json")


def _packaged() -> bytes:
    import labcolor

    return next(Path(labcolor.__file__).parent.rglob("reference*.labcolor")).read_bytes()


def _models() -> Callable[[bytes], object]:
    from labcolor.networks.model import FittedModel

    with zipfile.ZipFile(io.BytesIO(_packaged())) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != "about.json"}

    def load(data: bytes) -> None:
        if not data.startswith(b"PK"):
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as packed:
                packed.writestr("about.json", data)
                for name, content in members.items():
                    packed.writestr(name, content)
            data = file.getvalue()
        FittedModel.from_bytes(data, "case")

    return load


def _stream() -> Any:
    from labcolor import Colorizer, Look
    from labcolor.colorizer import pipeline_of
    from labcolor.video.stream import ChromaStream

    return ChromaStream(pipeline_of(Colorizer.from_pretrained("reference")), Look())


def _job_seeds() -> Iterator[bytes]:
    """Yield the saved state of a video that has just begun."""
    from labcolor.video.saved import encode_state

    yield encode_state(_stream()).encode()


def _jobs() -> Callable[[bytes], object]:
    from labcolor.video.saved import decode_state

    stream = _stream()
    return lambda data: stream.resume(decode_state(data.decode(errors="replace")), (48, 64))


def _hint_seeds() -> Iterator[bytes]:
    yield b"3,4,#e07020\n5,6,keep,2\n1,2,30,40,9,9,#e07020,5\n7,8,fence,999999999\n0,0,102030,0"


def _hints() -> Callable[[bytes], object]:
    from labcolor.pictures.hints import as_hints, parse_hint

    return lambda data: as_hints([parse_hint(line) for line in data.decode(errors="replace").split("\n")], [(64, 64)])


def _request_seeds() -> Iterator[bytes]:
    """Yield requests: a picture, and forms with one and with an exemplar."""
    picture, _, exemplar = itertools.islice(_picture_seeds(), 3)
    file = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="a"\r\n\r\n'
    part = file % b"p" + picture + b"\r\n--x--\r\n"
    both = file % b"like" + exemplar + b"\r\n" + part
    query = b"/color?saturation=1.2&format=jpg&hint=3,4,%23e07020,2&hint=5,6,keep"
    form = b"multipart/form-data; boundary=x\r\nOrigin: http://localhost"
    for target, kind, body in (
        (query, b"image/png", picture),
        (b"/color", form, part),
        (b"/preview", form, part),
        (query, form, both),
    ):
        head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
        yield head % (target, kind, len(body)) + body


def _requests() -> Callable[[bytes], object]:
    import asyncio
    from urllib.parse import unquote

    import h11
    from starlette.exceptions import HTTPException

    from labcolor import Colorizer
    from labcolor.demo.app import make_app
    from labcolor.demo.coloring import color_upload, preview_upload
    from labcolor.demo.workers import Limits
    from labcolor.io import limits

    limits.PIXELS = _PIXELS
    colorizer = Colorizer.from_pretrained().set_params(working_size=32)  # which takes exemplars, and is quick
    app = make_app(colorizer, model="efficientnet", limits=Limits(size=1 << 16))

    def work(path: str, kind: str, body: bytes) -> None:
        """Do what a worker would have done."""
        with suppress(HTTPException):
            (preview_upload if path == "/preview" else color_upload)(colorizer, body, 4096, content_type=kind)

    def use(data: bytes) -> None:
        """Send the request of a client that goes away at once, then work on its body."""
        connection = h11.Connection(h11.SERVER)
        try:
            connection.receive_data(data)
            request = connection.next_event()
            if not isinstance(request, h11.Request):
                return
            body = bytearray()
            while isinstance(part := connection.next_event(), h11.Data):
                body += part.data
        except h11.RemoteProtocolError:
            return
        path, _, query = request.target.partition(b"?")
        name = unquote(path.decode("ascii"))
        headers = list(request.headers)
        scope = {"type": "http", "method": "POST", "path": name, "query_string": query, "headers": headers}
        messages = [{"type": "http.request", "body": bytes(body)}, {"type": "http.disconnect"}]

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(message: dict[str, Any]) -> None:
            pass

        asyncio.run(app(scope, receive, send))
        work(name, dict(headers).get(b"content-type", b"").decode("latin-1"), bytes(body))

    work("/color", "image/png", next(_picture_seeds()))  # the kernels are compiled, which counts for no input
    return use


_TARGETS: dict[str, tuple[Callable[[], Callable[[bytes], object]], Callable[[], Iterator[bytes]]]] = {
    "pictures": (_pictures, _picture_seeds),
    "metadata": (_metadata, _picture_seeds),
    "models": (_models, _model_seeds),
    "hints": (_hints, _hint_seeds),
    "jobs": (_jobs, _job_seeds),
    "requests": (_requests, _request_seeds),
}


def _fuzz(target: str, corpus: Path, seconds: int) -> None:
    """Fuzz one target in this process, which ends."""
    import atheris

    logging.disable()
    warnings.simplefilter("ignore")
    root = Path(__file__).parents[1]  # numba cannot compile instrumented code
    sources = [path for path in (root / "labcolor").rglob("*.py") if "jit" in path.read_text(encoding="utf-8")]
    kernels = [".".join(path.relative_to(root).with_suffix("").parts) for path in sources]
    with atheris.instrument_imports(include=["labcolor", "PIL", "tifffile"], exclude=kernels):
        from labcolor.errors import LabcolorError

        use = _TARGETS[target][0]()

    def once(data: bytes) -> None:
        with suppress(LabcolorError):
            use(data)

    arguments = [sys.argv[0], str(corpus), f"-max_total_time={seconds}", f"-artifact_prefix={corpus.parent}/finding-"]
    atheris.Setup([*arguments, *_LIMITS], once)
    atheris.Fuzz()


def main() -> int:
    """Fuzz each target in a process of its own, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="by default all")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--corpus", type=Path, help="where inputs and findings are kept")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("fuzz: Atheris is not installed (it has no wheel for every Python and system); nothing was fuzzed.")
        return 0
    if options.here:
        _fuzz(options.targets[0], options.corpus, options.seconds)
    targets = options.targets or list(_TARGETS)
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        for target in targets:
            corpus = (options.corpus or Path(folder)) / target / "inputs"
            corpus.mkdir(parents=True, exist_ok=True)
            for index, seed in enumerate(_TARGETS[target][1]()):
                (corpus / f"seed{index}").write_bytes(seed)
            seconds = max(1, options.seconds // len(targets))
            command = [sys.executable, __file__, target, "--here", "--corpus", str(corpus), "--seconds", str(seconds)]
            result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            count = re.findall(r"stat::number_of_executed_units:\s*(\d+)", result.stderr)
            executions = f"{int(count[-1]):,}" if count else "unknown"
            found = "a finding" if result.returncode else "no finding"
            print(f"{target}: {executions} executions in {seconds} s, {found}", flush=True)
            if result.returncode:
                status = 1
                print(result.stderr[-6000:], result.stdout[-2000:], sep="\n")
                for finding in sorted(corpus.parent.glob("finding-*")):
                    print(f"{finding}: {finding.read_bytes()[:2000]!r}")
    return status


if __name__ == "__main__":
    sys.exit(main())

"""The page that colors pictures in the browser: that of ``labcolor demo``, with another engine."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from labcolor import Colorizer, PictureMetadata, __version__
from labcolor.demo.samples import SAMPLES, sample_file
from labcolor.io.label import labeled

REPOSITORY = Path(__file__).parents[2]
RUNTIME = REPOSITORY / "examples" / "node_modules" / "onnxruntime-web"  # npm install --prefix examples
MODEL = "efficientnet"
ABOUT = {
    "version": __version__,
    "model": MODEL,
    "hints": False,
    "saturation": 1,
    "bytes": 64 << 20,
    "pixels": 50_000_000,
    "formats": ["", "png", "jpg"],
    "reads": "PNG, JPEG, WebP and whatever else this browser can show",
    "privacy": "Your picture stays on this computer.",
    "samples": {f"{name}.jpg": text for name, text in SAMPLES.items()},
}
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)


def build_page(folder: Path, runtime: Path) -> None:
    """Write the page, all its files, into a folder; without ``runtime``, an npm package, it says that it lacks it.

    The two large files are compressed here, and decompressed by the page, so that no server needs to.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(REPOSITORY / "docs" / "try", folder)
    assets = files("labcolor.demo") / "assets"
    for name in ("page.css", "page.js", "spots.js", "view.js", "kept.js", "icon.svg"):
        (folder / name).write_bytes((assets / name).read_bytes())
    text = (assets / "index.html").read_text(encoding="utf-8")
    text = text.replace("<head>", f'<head>\n  <meta http-equiv="Content-Security-Policy" content="{POLICY}">')
    text = text.replace(
        '<span id="about"></span>', '<span id="about"></span> <a href="../browser.html">About this page</a>'
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    (folder / "samples").mkdir()
    for name in SAMPLES:
        (folder / "samples" / f"{name}.jpg").write_bytes(sample_file(name))
    label = labeled(PictureMetadata(), "the page").xmp
    assert label is not None
    about = {**ABOUT, "xmp": label.decode()}
    if runtime.is_dir():
        shutil.copy(runtime / "dist" / "ort.wasm.bundle.min.mjs", folder / "ort.mjs")
        large = {
            "runtime": ("ort", ".wasm", (runtime / "dist" / "ort-wasm-simd-threaded.wasm").read_bytes()),
            "network": ("whole", ".onnx", _network()),
        }
        for key, (name, ending, content) in large.items():
            # a new content gets a new name, so a file that a browser kept is never outdated
            about[key] = f"{name}-{hashlib.sha256(content).hexdigest()[:12]}{ending}.gz"
            (folder / about[key]).write_bytes(gzip.compress(content, mtime=0))
        about["size"] = sum((folder / about[key]).stat().st_size for key in large)
    (folder / "about.json").write_text(json.dumps(about, indent=2), encoding="utf-8")


def _network() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.onnx"
        Colorizer.from_pretrained(MODEL).export(path, whole=True)
        return path.read_bytes()


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        build_page(Path(app.outdir) / "try", RUNTIME)
        if not RUNTIME.is_dir():
            logging.getLogger(__name__).info(
                "The page without a server lacks ONNX Runtime: npm install --prefix examples"
            )


def setup(app: Sphinx) -> dict[str, Any]:
    """Build the page after the site."""
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The page of the documentation that colors in the browser, in a real Chromium, without a server."""

import json
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from test_page import downloaded

from labcolor import Colorizer, read_metadata
from labcolor.io.label import SOURCE_TYPE

pytest.importorskip("sphinx")
pytest.importorskip("onnx")

sys.path.append(str(Path(__file__).parents[2] / "docs" / "_ext"))
from try_page import RUNTIME, build_page

pytestmark = pytest.mark.slow
STATUS = "document.getElementById('status').textContent"
COLORED = f"{STATUS} == 'Colored.' && !document.getElementById('stage').hasAttribute('aria-busy')"


class Quiet(SimpleHTTPRequestHandler):
    """A static server that notes what it is asked."""

    asked: list

    def log_message(self, *arguments):
        """Note a request instead of printing it."""
        self.server.asked.append(self.requestline)


@contextmanager
def static(folder):
    """The address of a folder, and what its server was asked so far."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/", server.asked
        server.shutdown()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page, with its runtime."""
    if not RUNTIME.is_dir():
        pytest.skip("run: npm install --prefix examples")
    folder = tmp_path_factory.mktemp("try")
    build_page(folder, RUNTIME)
    return folder


def test_it_takes_at_most_15_megabytes(page):
    """All files together, as any static server sends them."""
    assert sum(path.stat().st_size for path in page.rglob("*")) < 15e6


def test_without_a_server_after_the_first_visit(page, browser, tmp_path):
    """The server is gone: a photograph of 12 megapixels is colored as by ``predict``, and nothing was sent before."""
    rows, columns = 3000, 4000
    grey = Image.fromarray(skimage.data.coffee()).convert("L").resize((columns, rows))
    grey.save(tmp_path / "old.png")
    browser.size(1280, 900)
    with static(page) as (address, asked):
        browser.go(address)
        browser.until("!document.querySelector('#start [role=status]').textContent", 120)
        browser.until("navigator.serviceWorker.controller != null")
        browser.until("caches.open('labcolor').then(store => store.keys()).then(keys => keys.length >= 16)")
    assert all(line.startswith("GET /") for line in asked)

    browser.go(address)
    browser.choose(tmp_path / "old.png")
    browser.until(COLORED, 120)
    browser.eval("document.getElementById('format').value = 'png'; document.getElementById('download').click()")
    browser.until(f"{STATUS}.startsWith('Downloaded old-colored.png, 4000')", 240)
    path = downloaded(browser)
    with Image.open(path) as file:
        found = np.asarray(file.convert("RGB"))
    assert SOURCE_TYPE.encode() in read_metadata(path).xmp
    expected = Colorizer.from_pretrained().set_params(engine="onnxruntime").predict(np.asarray(grey))
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= 1

    browser.eval("document.querySelector('#samples button').click()")
    browser.until(f"document.getElementById('size').textContent.startsWith('451') && {COLORED}", 120)
    browser.eval("document.getElementById('format').value = 'jpg'; document.getElementById('download').click()")
    browser.until(f"{STATUS}.startsWith('Downloaded chelsea-colored.jpg, 451')", 120)
    assert SOURCE_TYPE.encode() in read_metadata(downloaded(browser, "chelsea-colored.jpg")).xmp
    assert browser.problems == []


def test_a_copy_without_the_runtime_says_so(tmp_path, browser):
    """The page cannot color, and names the reason."""
    build_page(tmp_path / "try", tmp_path / "none")
    assert "runtime" not in json.loads((tmp_path / "try" / "about.json").read_text())
    with static(tmp_path / "try") as (address, _):
        browser.call("Page.navigate", url=address)
        browser.until("document.getElementById('problem').textContent.includes('without ONNX Runtime Web')")

"""A server on a free port, and a headless Chromium, spoken to over two pipes."""

import base64
import http.client
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from labcolor.demo.app import make_app
from labcolor.demo.server import Server, listen

sys.path.append(str(Path(__file__).parent))  # worker processes import colorizers.py by its name


@dataclass
class Answer:
    """What a server answered."""

    status: int
    headers: dict
    body: bytes

    @property
    def error(self):
        """What it says is wrong."""
        return json.loads(self.body)["error"]


@dataclass
class Running:
    """A server that runs in a thread."""

    port: int

    def ask(self, method, path, body=None, **headers):
        """Send a request and return the answer; _ in the names of headers stands for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, headers)  # an iterator is sent in chunks, without its length
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def color(self, content, query="", kind="image/png", **headers):
        """Post a picture."""
        return self.ask("POST", f"/color{query}", content, Content_Type=kind, **headers)


@contextmanager
def _serving(colorizer, **options):
    with listen("127.0.0.1", 0) as opened:
        server = Server(make_app(colorizer, model="efficientnet", **options))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Running(opened.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def serving():
    """A context that serves a colorizer."""
    return _serving


@pytest.fixture(scope="session")
def server(classifier):
    """A server of the default model."""
    with _serving(classifier) as running:
        yield running


class Browser:
    """One page in a headless Chromium, by the DevTools protocol."""

    def __init__(self, program, folder):
        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        read, chromium_writes = os.pipe()
        chromium_reads, write = os.pipe()
        flags = "--headless --no-sandbox --disable-gpu --hide-scrollbars --remote-debugging-pipe --no-first-run"
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{chromium_reads} 4>&{chromium_writes}', "-", program, *flags.split(),
             f"--user-data-dir={folder}/profile", "about:blank"],
            pass_fds=(chromium_reads, chromium_writes),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(chromium_reads)
        os.close(chromium_writes)
        self._in, self._out = os.fdopen(read, "rb"), os.fdopen(write, "wb")
        self._rest = b""
        self._numbers = itertools.count(1)
        self._session = None
        self.problems = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))

    def _message(self):
        while b"\0" not in self._rest:
            part = os.read(self._in.fileno(), 1 << 20)
            assert part, "Chromium has ended"
            self._rest += part
        one, self._rest = self._rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **params):
        """Call a method, and note what goes wrong on the page meanwhile."""
        number = next(self._numbers)
        request = {"id": number, "method": method, "params": params}
        if self._session:
            request["sessionId"] = self._session
        self._out.write(json.dumps(request).encode() + b"\0")
        self._out.flush()
        while True:
            message = self._message()
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.problems.append(json.dumps(message["params"])[:500])
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def eval(self, code):
        """Return the value of an expression on the page."""
        result = self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, code, seconds=20):
        """Wait until an expression on the page is true."""
        end = time.monotonic() + seconds
        while not self.eval(code):
            assert time.monotonic() < end, f"{code}: {self.eval('document.body.innerText')}"
            time.sleep(0.05)

    def size(self, width, height, *, dark=False):
        """Set the size of the window."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)

    def go(self, address):
        """Open a page, without what earlier tests kept in the browser."""
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        self.call("Storage.clearDataForOrigin", origin=origin, storageTypes="indexeddb")
        self.call("Page.navigate", url=address)
        self.until("document.querySelectorAll('#samples img').length > 4")

    def choose(self, path, selector="#file"):
        """Choose a file in a field of the page."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def drop(self, path, x=300, y=300):
        """Drop a file on a place of the page."""
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def mouse(self, kind, x, y):
        """Press, move or release the mouse."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def click(self, x, y):
        """Click a place."""
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def box(self, selector):
        """Return left, top, width and height of an element, brought into view."""
        return self.eval(
            f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'nearest'}});"
            "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
        )

    def press(self, *keys, modifiers=0):
        """Press keys by name, one after the other."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        codes |= {"Delete": 46, "Home": 36, "End": 35, "0": 48, "y": 89, "z": 90}
        for key in keys:
            params = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key], "modifiers": modifiers}
            text = {"Enter": {"text": "\r"}, " ": {"text": " "}}.get(key, {})
            self.call("Input.dispatchKeyEvent", type="keyDown", **params, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", **params)

    def picture(self, path):
        """Write what is seen, as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        """End Chromium."""
        self._process.terminate()
        self._process.wait()
        self._in.close()
        self._out.close()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A headless Chromium, where there is one."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium here")
    opened = Browser(program, tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()


@pytest.fixture
def browser(chromium):
    """The same, without what earlier tests left."""
    chromium.call("Page.navigate", url="about:blank")
    chromium.problems.clear()
    return chromium

"""The HTTP endpoint: pictures in and out, its limits, and what it refuses."""

import io
import json
import socket
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from labcolor import read_metadata, read_picture, rgb_to_lab
from labcolor.demo.app import Limits


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return file.getvalue()


GREY = np.random.default_rng(0).integers(60, 200, (80, 120), np.uint8)
PNG = encoded(GREY)


def form(content, name="picture"):
    """A form with one file, as curl -F sends it."""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="../../etc/a.png"\r\n\r\n'
    return head.encode() + content + b"\r\n--x--\r\n"


def raw(server, text):
    """Send bytes as they are and return the first line of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(text)
        return connection.recv(1 << 16).split(b"\r\n")[0].decode()


def test_a_picture_comes_back_in_color_as_predict_gives_it(server, classifier):
    """The body of a POST is colored as by the library; its format stays, unless another is asked for."""
    answer = server.color(PNG)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    np.testing.assert_array_equal(read_picture(answer.body), classifier.predict(GREY))
    vivid = server.color(PNG, "?saturation=1.5&format=tiff")
    assert vivid.headers["content-type"] == "image/tiff"
    np.testing.assert_array_equal(read_picture(vivid.body), classifier.predict(GREY, saturation=1.5))


def test_a_form_serves_as_well(server):
    """A picture in a form gives the same, whatever its name in it is."""
    answer = server.ask("POST", "/color", form(PNG), Content_Type="multipart/form-data; boundary=x")
    assert answer.status == 200
    np.testing.assert_array_equal(read_picture(answer.body), read_picture(server.color(PNG).body))


def test_hints_are_drawn_at_their_place(server):
    """A hint gives its color to its place, with and without #."""
    smooth = encoded(np.full((80, 120), 128, np.uint8))
    for color in ("e07020", "%23e07020"):
        picture = read_picture(server.color(smooth, f"?hint=60,40,{color},6&hint=5,5,keep").body)
        wanted = rgb_to_lab(np.array([224, 112, 32], np.uint8))[1:]
        assert np.linalg.norm(rgb_to_lab(picture)[40, 60, 1:] - wanted) < 6


def test_exif_depth_and_alpha_are_kept_as_the_library_does(server):
    """A picture that lies is turned upright, its EXIF is kept, and 16 bits and alpha come back."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    answer = server.color(encoded(GREY, "JPEG", exif=exif.tobytes()), kind="image/jpeg")
    assert read_picture(answer.body).shape == (120, 80, 3)
    assert b"Camera" in read_metadata(answer.body).exif
    deep = encoded(GREY.astype(np.uint16) * 257)
    assert read_picture(server.color(deep).body).dtype == np.uint16
    clear = encoded(np.dstack([GREY] * 4))
    assert read_picture(server.color(clear).body).shape == (80, 120, 4)
    assert read_picture(server.color(clear, "?format=jpg").body).shape == (80, 120, 3)


def test_a_preview_shows_any_picture_and_tells_its_size(server):
    """A large picture of 16 bits is reduced to a JPEG of 1,600 pixels a side."""
    large = encoded(np.full((1000, 4000), 30000, np.uint16), "TIFF")
    answer = server.ask("POST", "/preview", large, Content_Type="image/tiff")
    assert (answer.status, answer.headers["content-type"], answer.headers["x-picture-size"]) == (
        200, "image/jpeg", "4000x1000",
    )  # fmt: skip
    assert read_picture(answer.body).shape == (400, 1600, 3)


@pytest.mark.parametrize(
    ("query", "kind", "content", "status", "message"),
    [
        ("?saturation=5", "image/png", PNG, 400, "saturation: expected a number from 0 to 4, got 5"),
        ("?saturation=x", "image/png", PNG, 400, "saturation: expected a number from 0 to 4, got 'x'"),
        ("?saturation=nan", "image/png", PNG, 400, "saturation: expected a number from 0 to 4"),
        ("?format=exe", "image/png", PNG, 400, "format: expected one of png,"),
        ("?path=/etc/passwd", "image/png", PNG, 400, "expected the parameters saturation, hint, format"),
        ("?hint=1,2", "image/png", PNG, 400, "expected X,Y,#RRGGBB"),
        ("?hint=500,2,ffffff", "image/png", PNG, 400, "hint 500,2: expected a place in the picture"),
        ("?" + "&".join(["hint=1,1,ffffff"] * 201), "image/png", PNG, 400, "hint: expected at most 200, got 201"),
        ("", "image/png", b"", 400, "expected a picture, got an empty body"),
        ("", "image/png", PNG[:200], 400, "cannot be decoded"),
        ("", "image/png", b"no picture", 415, "no decoder knows its format"),
        ("", "image/tiff", b"II*\0" + b"\xff" * 60, 415, "cannot be decoded"),
        ("", "image/heic", b"\0\0\0\x18ftypheic" + bytes(40), 415, "picture"),
        ("", "text/plain", PNG, 415, "Content-Type: expected image/*"),
        ("", "multipart/form-data; boundary=x", b"--x--\r\n", 400, "expected a form with one file"),
        ("", "multipart/form-data", form(PNG), 400, "expected a form with one file"),
        ("", "multipart/form-data; boundary=x", form(PNG)[:-7] + form(PNG), 400, "expected a form with one file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(server, query, kind, content, status, message):
    """Wrong parameters, types and files get a status and the library's own message, as JSON."""
    answer = server.color(content, query, kind)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert message in answer.error
    assert "bytes" not in answer.error


def test_tiffs_that_lie_about_themselves(server):
    """A TIFF with two heights, and one with 60,000 channels, are refused by their header."""
    plain = encoded(np.dstack([GREY] * 3), "TIFF")
    height = struct.pack("<HHII", 257, 4, 1, 80)
    assert height in plain
    for lie in (
        plain.replace(height, struct.pack("<HHII", 257, 4, 2, 8)),
        plain.replace(struct.pack("<HHII", 277, 3, 1, 3), struct.pack("<HHII", 277, 3, 1, 60000)),
    ):
        assert lie != plain
        answer = server.color(lie, kind="image/tiff")
        assert (answer.status, "the picture: expected" in answer.error) == (415, True)


def test_unknown_places_and_methods(server):
    """What there is not, and methods that are none, are refused as JSON; no path leads to a file."""
    for method, path, status in [
        ("GET", "/nothing", 404),
        ("GET", "/color", 405),
        ("GET", "/samples/../app.py", 404),
        ("GET", "/samples/%2e%2e%2fapp.py", 404),
        ("GET", "/samples/nobody", 404),
    ]:
        answer = server.ask(method, path)
        assert (answer.status, "error" in json.loads(answer.body)) == (status, True)


def test_the_page_and_its_parts_come_from_here_alone(server):
    """Page, parts and samples are served, with headers that forbid the browser everything from elsewhere."""
    for path, kind in [
        ("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript"), ("/icon.svg", "image/svg+xml"),
        ("/samples/chelsea", "image/jpeg"), ("/about", "application/json"), ("/health", "application/json"),
    ]:  # fmt: skip
        answer = server.ask("GET", path)
        assert answer.status == 200
        assert answer.headers["content-type"].split(";")[0] == kind
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert b"http://" not in answer.body.replace(b"http://www.w3.org/2000/svg", b"")
        assert b"https://" not in answer.body
    sample = read_picture(server.ask("GET", "/samples/astronaut").body)
    assert sample.ndim == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_pages_of_other_sites_are_kept_out(server, headers):
    """A name that is none of the server's (DNS rebinding), and a page of another origin, get nothing."""
    for method, path in (("POST", "/color"), ("GET", "/"), ("GET", "/samples/chelsea")):
        answer = server.ask(method, path, PNG if method == "POST" else None, **headers)
        assert answer.status == 403


def test_own_names_and_pages_are_let_in(serving, small):
    """Addresses, localhost, names that were given, and the server's own page may ask."""
    with serving(small, names=["Color.example.org"]) as server:
        own = f"127.0.0.1:{server.port}"
        for headers in [
            {},
            {"Host": "localhost"},
            {"Host": "[::1]:80"},
            {"Host": "192.168.1.7"},
            {"Host": "color.example.org"},
            {"Host": own, "Origin": f"http://{own}"},
            {"Host": own, "Origin": "https://color.example.org"},
        ]:
            assert server.ask("GET", "/health", **headers).status == 200


def test_large_files_are_refused(serving, small):
    """More bytes than allowed are refused by their announced length, and where none is announced, as they come."""
    with serving(small, limits=Limits(size=1 << 20)) as server:
        for body in (bytes(2 << 20), form(bytes(2 << 20))):
            kind = "image/png" if body[0] == 0 else "multipart/form-data; boundary=x"
            answer = server.color(body, kind=kind)
            assert (answer.status, "at most 1 MB" in answer.error) == (413, True)
        assert server.color(bytes(1 << 16) for _ in range(40)).status == 413
        assert server.color(PNG).status == 200


def test_large_pictures_are_refused_before_they_are_decoded(server):
    """A small file that says that it has 400 megapixels, and one of 60, are refused by their header alone."""

    def bomb(width, height):
        chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(100)))]
        parts = [struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks]
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)

    start = time.perf_counter()
    for width, height in ((20000, 20000), (10000, 6000)):
        answer = server.color(bomb(width, height))
        assert answer.status == 413
        assert "pixels, got" in answer.error
    assert server.ask("POST", "/preview", bomb(10000, 6000), Content_Type="image/png").status == 413
    assert time.perf_counter() - start < 2


class Slow:
    """A colorizer whose predictions take until they are let go."""

    def __init__(self, colorizer):
        self.model_ = colorizer.model_
        self._colorizer = colorizer
        self.open = threading.Event()
        self.running = self.most = 0
        self._lock = threading.Lock()

    def predict(self, *args, **options):
        """Color, when it may."""
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.open.wait(30)
        with self._lock:
            self.running -= 1
        return self._colorizer.predict(*args, **options)


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def health(server):
    return json.loads(server.ask("GET", "/health").body)


def test_a_bounded_number_of_pictures_is_colored_at_a_time(serving, small):
    """Two are colored, two wait and are told of, the fifth is sent away; then all four are done, each its own."""
    slow = Slow(small)
    pictures = [encoded(np.full((40, 50 + index), 90 + index, np.uint8)) for index in range(4)]
    with serving(slow, limits=Limits(workers=2, waiting=2)) as server, ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(server.color, picture) for picture in pictures]
        until(lambda: health(server) == {"status": "ok", "coloring": 2, "waiting": 2, "places": 4})
        refused = server.color(PNG)
        assert (refused.status, refused.headers["retry-after"]) == (503, "3")
        assert "full" in refused.error
        slow.open.set()
        sizes = [read_picture(answer.result().body).shape[1] for answer in answers]
        until(lambda: health(server)["coloring"] == 0)
        assert health(server)["waiting"] == 0
    assert sizes == [50, 51, 52, 53]
    assert slow.most == 2


def test_what_takes_too_long_is_given_up(serving, small):
    """After the limit a client is told, and a picture that never arrives is not waited for."""
    slow = Slow(small)
    with serving(slow, limits=Limits(seconds=0.4, workers=1)) as server:
        answer = server.color(PNG)
        assert (answer.status, "not done in 0.4 seconds" in answer.error) == (503, True)
        head = b"POST /color HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nabc"
        assert raw(server, head).split()[1] == "408"
        slow.open.set()
        until(lambda: health(server)["coloring"] == 0)
        assert server.color(PNG).status == 200


def test_a_result_that_nobody_reads_is_given_up(serving, small):
    """Who asks for a large result and does not read it holds a place for a while, and no longer."""
    noise = encoded(np.random.default_rng(0).integers(0, 255, (2000, 2000), np.uint8))
    head = (
        b"POST /color?format=bmp HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
    )
    limits = Limits(seconds=2, workers=1, waiting=0)
    with serving(small, limits=limits) as server, socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(head % len(noise) + noise)
        assert idle.recv(10).startswith(b"HTTP")
        assert server.color(PNG).status == 503
        until(lambda: server.color(PNG).status == 200)


def test_a_client_that_goes_away_is_not_waited_for(serving, small):
    """Its picture leaves the queue, so that nobody colors it."""
    slow = Slow(small)
    request = b"POST /color HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(
        PNG
    )
    with serving(slow, limits=Limits(workers=1)) as server:
        first, second = (socket.create_connection(("127.0.0.1", server.port)) for _ in range(2))
        first.sendall(request + PNG)
        until(lambda: health(server)["coloring"] == 1)
        second.sendall(request + PNG)
        until(lambda: health(server)["waiting"] == 1)
        second.close()
        until(lambda: health(server)["waiting"] == 0)
        slow.open.set()
        assert first.recv(1 << 16).startswith(b"HTTP/1.1 200")
        first.close()
    assert slow.most == 1


def test_several_people_get_their_own_pictures(server):
    """Twelve pictures at once, of different sizes and saturations, come back each as it does alone."""
    rng = np.random.default_rng(1)
    work = [(encoded(rng.integers(0, 255, (60 + 7 * i, 90), np.uint8)), f"?saturation={i % 4}") for i in range(12)]
    alone = [server.color(*one).body for one in work]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda one: server.color(*one).body, work)) == alone


def test_no_picture_stays(server, tmp_path, monkeypatch):
    """The folder for temporary files is empty after pictures, forms and damaged files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    server.color(PNG)
    server.color(PNG[:200])
    large = encoded(np.random.default_rng(0).integers(0, 255, (1500, 1500), np.uint8))
    assert len(large) > 2 << 20
    assert server.ask("POST", "/color", form(large), Content_Type="multipart/form-data; boundary=x").status == 200
    assert list(tmp_path.iterdir()) == []


def test_a_failure_inside_tells_nothing_to_the_client(serving, small, caplog):
    """An exception that nobody foresaw becomes a 500 without its text, which the log has."""

    class Broken(Slow):
        def predict(self, *args, **options):
            raise RuntimeError("/secret/path")

    with serving(Broken(small)) as server:
        answer = server.color(PNG)
        assert answer.status == 500
        assert "secret" not in answer.body.decode()
        assert server.ask("GET", "/health").status == 200
    assert any("/secret/path" in str(record.exc_info) for record in caplog.records)

"""The HTTP endpoint: pictures in and out, its limits, and what it refuses."""

import io
import json
import socket
import struct
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
import skimage.data
from colorizers import Broken, Greedy, Slow
from PIL import Image

from labcolor import read_metadata, read_picture, rgb_to_lab
from labcolor.demo.workers import Limits


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, **options)
    return file.getvalue()


GREY = np.random.default_rng(0).integers(60, 200, (80, 120), np.uint8)
PNG = encoded(GREY)
SAFE = encoded(GREY[:64, :64])


def form(*contents, names=("picture", "like", "like")):
    """A form with files, as curl -F sends it."""
    heads = [f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="../../etc/a.png"' for name in names]
    parts = [head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in zip(heads, contents, strict=False)]
    return b"".join(parts) + b"--x--\r\n"


FORM = "multipart/form-data; boundary=x"
PHOTO = skimage.data.coffee()[::2, ::2]
LEFT, RIGHT = encoded(PHOTO[:, :150]), encoded(PHOTO[:, 150:])


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
    answer = server.ask("POST", "/color", form(PNG), Content_Type=FORM)
    assert answer.status == 200
    np.testing.assert_array_equal(read_picture(answer.body), read_picture(server.color(PNG).body))


def test_an_exemplar_in_a_form_lends_its_colors(server, classifier):
    """A second file, named like, gives what predict gives with it, and so it does for the next request, and without."""
    for files, like in (((RIGHT, LEFT), LEFT), ((RIGHT, LEFT), LEFT), ((RIGHT, RIGHT), RIGHT), ((RIGHT,), None)):
        answer = server.color(form(*files), kind=FORM)
        assert answer.status == 200
        np.testing.assert_array_equal(read_picture(answer.body), classifier.predict(RIGHT, like=like))
    refused = server.ask("POST", "/preview", form(RIGHT, LEFT), Content_Type=FORM)
    assert (refused.status, refused.error) == (400, "like: only /color uses it. Leave it out.")


@pytest.fixture(scope="module")
def limited(serving, small):
    """A server of a model without hints, with a name of its own, which takes a megabyte."""
    with serving(small, names=["Color.example.org"], limits=Limits(size=1 << 20, workers=1)) as server:
        yield server


def test_a_model_without_hints_takes_no_exemplar(limited):
    """It says so."""
    answer = limited.color(form(RIGHT, LEFT), kind=FORM)
    assert (answer.status, "like: this model cannot spread known colors" in answer.error) == (400, True)


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
        ("?hint=500,2,ffffff", "image/png", PNG, 400, "hints: expected positions in the picture"),
        ("?" + "&".join(["hint=1,1,ffffff"] * 201), "image/png", PNG, 400, "hint: expected at most 200, got 201"),
        ("", "image/png", b"", 400, "expected a picture, got an empty body"),
        ("", "image/png", PNG[:200], 400, "cannot be decoded"),
        ("", "image/png", b"no picture", 415, "no decoder knows its format"),
        ("", "image/tiff", b"II*\0" + b"\xff" * 60, 415, "cannot be decoded"),
        ("", "image/heic", b"\0\0\0\x18ftypheic" + bytes(40), 415, "picture"),
        ("", "text/plain", PNG, 415, "Content-Type: expected image/*"),
        ("", FORM, b"--x--\r\n", 400, "expected a form with one picture, and at most one exemplar"),
        ("", "multipart/form-data", form(PNG), 400, "expected a form with one or two files"),
        ("", FORM, form(PNG, PNG, names="pq"), 400, "expected a form with one picture"),
        ("", FORM, form(PNG, names=["like"]), 400, "expected a form with one picture"),
        ("", FORM, form(PNG, PNG, PNG), 400, "damaged or contains more"),
        ("", FORM, form(PNG)[:-20], 400, "this form is truncated"),
        ("", FORM, form(PNG)[:60], 400, "this form is truncated"),
        ("", FORM, form(b""), 400, "got an empty file"),
        ("", FORM, form(PNG, b""), 400, "got an empty file"),
        ("", FORM, form(PNG, b"no picture"), 415, "like: expected a picture"),
        ("", FORM, form(PNG, LEFT[:2000]), 400, "like: expected a picture"),
        ("", FORM, form(PNG, encoded(np.zeros((9, 9, 4), np.uint8))), 400, "got a transparent picture"),
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
        ("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript"),
        ("/spots.js", "text/javascript"), ("/view.js", "text/javascript"), ("/kept.js", "text/javascript"),
        ("/engine.js", "text/javascript"), ("/icon.svg", "image/svg+xml"),
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


def test_own_names_and_pages_are_let_in(limited):
    """Addresses, localhost, names that were given, and the server's own page may ask."""
    own = f"127.0.0.1:{limited.port}"
    for headers in [
        {},
        {"Host": "localhost"},
        {"Host": "[::1]:80"},
        {"Host": "192.168.1.7"},
        {"Host": "color.example.org"},
        {"Host": own, "Origin": f"http://{own}"},
        {"Host": own, "Origin": "https://color.example.org"},
    ]:
        assert limited.ask("GET", "/health", **headers).status == 200


def test_large_files_are_refused(limited):
    """More bytes than allowed are refused by their announced length, and where none is announced, as they come."""
    for body in (bytes(2 << 20), form(bytes(2 << 20))):
        kind = "image/png" if body[0] == 0 else FORM
        answer = limited.color(body, kind=kind)
        assert (answer.status, "at most 1 MB" in answer.error) == (413, True)
    assert limited.color(form(bytes(700 << 10), bytes(700 << 10)), kind=FORM).status == 413
    assert limited.color(bytes(1 << 16) for _ in range(40)).status == 413
    assert limited.ask("GET", "/health").status == 200


def test_large_pictures_are_refused_before_they_are_decoded(server):
    """A small file that says that it has 400 megapixels, and one of 61, are refused by their header alone."""

    def bomb(width, height):
        chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(100)))]
        parts = [struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks]
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)

    for width, height in ((20000, 20000), (10000, 6100)):
        answer = server.color(bomb(width, height))
        assert answer.status == 413
        assert "pixels, got" in answer.error
        answer = server.color(form(PNG, bomb(width, height)), kind=FORM)
        assert (answer.status, answer.error[:5]) == (413, "like:")
    assert server.ask("POST", "/preview", bomb(10000, 6100), Content_Type="image/png").status == 413


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def health(server):
    return json.loads(server.ask("GET", "/health").body)


def head(content, path="/color"):
    """The head of a request, without its body."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: image/png", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_bounded_number_of_pictures_is_colored_at_a_time(serving, small, tmp_path):
    """Two are colored, two wait, the server refuses the fifth; then all four are done, each its own."""
    slow = Slow(small, tmp_path)
    pictures = [encoded(np.full((40, 50 + index), 90 + index, np.uint8)) for index in range(4)]
    with serving(slow, limits=Limits(workers=2, waiting=2)) as server, ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(server.color, picture) for picture in pictures]
        until(lambda: slow.count == 2)
        assert health(server) == {"status": "ok", "coloring": 2, "waiting": 2, "places": 4}
        refused = server.color(PNG)
        assert (refused.status, refused.headers["retry-after"]) == (503, "3")
        assert "full" in refused.error
        assert slow.count == 2
        slow.release()
        sizes = [read_picture(answer.result().body).shape[1] for answer in answers]
        until(lambda: health(server)["coloring"] == 0)
        assert health(server)["waiting"] == 0
    assert sizes == [50, 51, 52, 53]


@pytest.fixture(scope="module")
def strict(serving, small, tmp_path_factory):
    """A server with one worker, little time, and a colorizer that stops when it is told to."""
    slow = Slow(small, tmp_path_factory.mktemp("slow"))
    slow.release()
    with serving(slow, limits=Limits(seconds=2, workers=1, waiting=0)) as server:
        until(lambda: server.color(PNG).status == 200)
        yield server, slow


def test_work_that_takes_too_long_is_killed(strict):
    """After the limit the client gets 503 and the process is replaced, although its work would go on."""
    server, slow = strict
    slow.stop()
    answer = server.color(PNG)
    assert (answer.status, "not done in time" in answer.error) == (503, True)
    until(lambda: health(server)["coloring"] == 0)
    slow.release()
    until(lambda: server.color(PNG).status == 200)


def test_uploads_that_do_not_arrive_keep_nobody_out(strict):
    """Thirty senders that stop in the middle get 408; meanwhile others are served, though the queue has one place."""
    server, _ = strict
    senders = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(30)]
    for sender in senders:
        sender.sendall(head(bytes(100)) + b"abc")
    until(lambda: server.color(PNG).status == 200, 1.5)
    for sender in senders:
        assert sender.recv(1 << 16).startswith(b"HTTP/1.1 408")
        sender.close()


def test_an_upload_must_keep_a_rate(server, monkeypatch):
    """A sender of a few bytes at a time gets 408 long before its time has passed."""
    monkeypatch.setattr("labcolor.demo.uploads._GRACE", 0.5)
    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, timeout=0.1) as slow:
        slow.sendall(head(PNG))
        for byte in PNG:
            slow.sendall(bytes([byte]))
            with suppress(TimeoutError):
                assert slow.recv(1 << 16).startswith(b"HTTP/1.1 408")
                break
        else:
            pytest.fail("the whole picture was read")


def test_a_result_that_nobody_reads_is_given_up(strict):
    """A client that asks for a large result and does not read it holds a place for a limited time."""
    server, _ = strict
    noise = encoded(np.random.default_rng(0).integers(0, 255, (2000, 2000), np.uint8))
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(head(noise, "/color?format=bmp") + noise)
        assert idle.recv(10).startswith(b"HTTP")
        assert server.color(PNG).status == 503
        until(lambda: server.color(PNG).status == 200)


def test_connections_without_a_request_are_closed(strict, monkeypatch):
    """Silent connections, headers that arrive byte by byte, and those of a second request have a limit."""
    server, _ = strict
    monkeypatch.setattr("labcolor.demo.server._HEADERS", 0.5)
    silent, slow, again = (socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(3))
    again.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"200" in again.recv(1 << 16)
    end = time.monotonic() + 20
    waiting = {silent, slow, again}
    while waiting:
        assert time.monotonic() < end
        for connection in list(waiting):
            try:
                if connection is not silent:
                    connection.sendall(b"G")
                connection.settimeout(0.05)
                closed = connection.recv(1) == b""
            except TimeoutError:
                closed = False
            except ConnectionError:
                closed = True
            if closed:
                waiting.discard(connection)
                connection.close()


def test_two_lengths_are_refused(server):
    """A request with Content-Length and chunks gets 400."""
    both = head(PNG).replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert raw(server, both + b"0\r\n\r\n").split()[1] == "400"


@pytest.mark.parametrize("way", ["memory", "time"])
def test_a_worker_that_takes_too_much_is_replaced(serving, small, way):
    """Memory and processor time without end cost their request alone."""
    if way == "memory" and sys.platform != "linux":
        pytest.skip("only Linux limits the memory of a process")
    limits = Limits(workers=1, pixels=10_000_000, seconds=30 if way == "memory" else 3)
    with serving(Greedy(small, way), limits=limits) as server:
        until(lambda: server.color(SAFE).status == 200)
        assert server.color(PNG).status in {"memory": (413,), "time": (503, 413)}[way]
        until(lambda: server.color(SAFE).status == 200)


def test_hints_cannot_take_the_server(strict):
    """Hints as wide as a large picture, as many as there may be, are refused."""
    server, _ = strict
    large = encoded(np.full((1100, 1000), 90, np.uint8))
    hints = "&".join(["hint=1,1,ffffff,999999999"] * 200)
    answer = server.color(large, f"?{hints}")
    assert (answer.status, "cover the picture at most" in answer.error) == (400, True)


def test_a_client_that_goes_away_is_not_waited_for(serving, small, tmp_path):
    """Its picture leaves the queue, so that nobody colors it."""
    slow = Slow(small, tmp_path)
    with serving(slow, limits=Limits(workers=1)) as server:
        first, second = (socket.create_connection(("127.0.0.1", server.port)) for _ in range(2))
        first.sendall(head(PNG) + PNG)
        until(lambda: slow.count == 1)
        second.sendall(head(PNG) + PNG)
        until(lambda: health(server)["waiting"] == 1)
        second.close()
        until(lambda: health(server)["waiting"] == 0)
        slow.release()
        assert first.recv(1 << 16).startswith(b"HTTP/1.1 200")
        first.close()
        until(lambda: health(server)["coloring"] == 0)
    assert slow.count == 1


def test_several_people_get_their_own_pictures(server):
    """Twelve pictures at once, of different sizes and saturations, come back each as it does alone."""
    rng = np.random.default_rng(1)
    work = [(encoded(rng.integers(0, 255, (60 + 7 * i, 90), np.uint8)), f"?saturation={i % 4}") for i in range(12)]
    alone = [server.color(*one).body for one in work]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda one: server.color(*one).body, work)) == alone


def test_no_picture_stays(serving, small, tmp_path, monkeypatch):
    """Pictures, forms and damaged files leave no temporary file, nor does a worker that dies."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    large = encoded(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8), "TIFF") + bytes(3 << 20)
    with serving(Greedy(small, "end"), limits=Limits(workers=1)) as server:
        assert server.color(SAFE).status == 200
        assert server.color(SAFE[:200]).status == 400
        assert server.ask("POST", "/color", form(large), Content_Type=FORM).status == 200
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        assert server.color(PNG).status == 413
        until(lambda: server.color(SAFE).status == 200)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert list(tmp_path.iterdir()) == []


def test_a_failure_inside_tells_nothing_to_the_client(serving, small, caplog):
    """An exception that nobody foresaw becomes a 500 without its text, which the log has."""
    with serving(Broken(small), limits=Limits(workers=1)) as server:
        answer = server.color(PNG)
        assert answer.status == 500
        assert "secret" not in answer.body.decode()
        assert server.ask("GET", "/health").status == 200
    assert any("/secret/path" in message for message in caplog.messages)

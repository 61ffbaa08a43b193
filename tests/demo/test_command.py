"""``labcolor demo``: it starts, serves, and ends in order; what it needs and cannot have is said."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest
from PIL import Image

from labcolor.cli import main
from labcolor.demo.server import listen


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(tmp_path, kind):
    """It prints where it is, answers there and loads no TensorFlow.

    With its worker busy, an upload under way and a silent connection, a signal ends the server and its processes soon.
    """
    code = (
        "import sys; from labcolor.cli import main;"
        "code = main(['demo', '--port', '0', '--model', 'reference', '--workers', '1']);"
        "sys.exit(code + 10 * ('tensorflow' in sys.modules))"
    )
    command, environment = [sys.executable, "-c", code], {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:")
    port = int(address.strip("/").rsplit(":")[-1])
    file = io.BytesIO()
    Image.new("L", (6000, 6000), 90).save(file, "PNG")
    body = file.getvalue()
    head = b"POST /color HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
    busy, slow, silent = (socket.create_connection(("127.0.0.1", port)) for _ in range(3))
    busy.sendall(head % len(body) + body)
    slow.sendall(head % len(body) + b"abc")
    while b'"coloring":1' not in urllib.request.urlopen(f"http://127.0.0.1:{port}/health").read():
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(kind)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors.startswith("labcolor: press Ctrl-C to stop.\n")
    assert errors.endswith("labcolor: stopped.\n")
    assert "Traceback" not in errors
    psutil.wait_procs(children, timeout=5)
    assert not any(child.is_running() for child in children)
    assert list(tmp_path.glob("labcolor*")) == []
    for connection in (busy, slow, silent):
        connection.close()


def test_a_port_that_is_taken_is_named(capsys):
    """It is an error in one sentence, with the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["demo", "--port", str(port), "--model", "reference"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"labcolor: 127.0.0.1, port {port}: cannot be opened: ")
    assert "Choose another with --host or --port." in error
    assert main(["demo", "--host", "no such host", "--model", "reference"]) == 1


def test_opening_it_to_others_is_warned_of(caplog):
    """An address that other machines reach is logged as a warning, loopback is not."""
    for host in ("127.0.0.1", "localhost"):
        listen(host, 0).close()
    assert caplog.messages == []
    listen("0.0.0.0", 0).close()
    (message,) = caplog.messages
    assert "other machines can reach this server" in message


def test_what_is_not_installed_is_named(monkeypatch, capsys):
    """Without its packages the command says which is missing, and how to install all of them."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["demo"]) == 1
    error = capsys.readouterr().err
    assert "uvicorn" in error.split("Install")[0]
    assert error.endswith("python -m pip install python-multipart starlette uvicorn\n")


@pytest.mark.parametrize("option", [["--port", "70000"], ["--workers", "0"], ["--megapixels", "900"]])
def test_wrong_limits_are_refused(option):
    """A limit out of its range is a wrong command line."""
    with pytest.raises(SystemExit, match="2"):
        main(["demo", *option])

"""The page of the documentation: its examples work as they stand."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import skimage.data

from labcolor import read_picture, write_picture

PAGE = (Path(__file__).parents[2] / "docs" / "demo.md").read_text(encoding="utf-8")


def test_the_python_example(server, tmp_path, monkeypatch):
    """It posts a file and writes the result."""
    monkeypatch.chdir(tmp_path)
    write_picture("old.jpg", skimage.data.camera()[::4, ::4])
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code.replace(":8000", f":{server.port}"), "demo.md", "exec"), {})
    assert read_picture("colored.jpg").shape == (128, 128, 3)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_curl_examples(server, tmp_path, monkeypatch):
    """They post a file as a body, as a form, and with an exemplar, and write the results."""
    monkeypatch.chdir(tmp_path)
    write_picture("old.jpg", skimage.data.camera()[::4, ::4])
    write_picture("postcard.jpg", skimage.data.coffee()[::4, ::4])
    lines = [line for line in PAGE.splitlines() if line.startswith("curl ")]
    assert len(lines) == 3
    for line in lines:
        subprocess.run(line.replace(":8000", f":{server.port}"), shell=True, check=True, capture_output=True)
    assert read_picture("colored.jpg").shape == read_picture("colored.png").shape == (128, 128, 3)
    assert (read_picture("like.jpg") != read_picture("colored.jpg")).any()

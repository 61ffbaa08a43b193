"""The README: each of its Python snippets runs as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from labcolor import write_picture
from labcolor.io import ffmpeg

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_snippets_run_as_they_stand(tmp_path, monkeypatch, photographs):
    """In a folder with the files that they name, one after the other, as in a notebook."""
    monkeypatch.chdir(tmp_path)
    write_picture("old.jpg", skimage.data.camera())
    Path("my-photographs").mkdir()
    for index, photo in enumerate(photographs[:3]):
        write_picture(f"my-photographs/{index}.png", photo[::2, ::2])
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc=size=96x64:rate=10:duration=1", "-y", "old.mp4"])
    snippets = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) > 1
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(compile(snippet, str(README), "exec"), names)
    assert np.ptp(names["colored"].astype(int), axis=2).max() > 10
    assert Path("mine.labcolor").exists()

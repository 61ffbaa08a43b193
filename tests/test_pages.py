"""The pages: each command and each piece of Python runs as it stands, or says why it cannot run here."""

import doctest
import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from labcolor import Colorizer, write_picture
from labcolor.cli import main
from labcolor.io import ffmpeg

REPOSITORY = Path(__file__).parents[1]
PAGES = {
    path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "labcolor/weights/*.md")
    for path in sorted(REPOSITORY.glob(pattern))
    if not {"_build", "gallery", "generated", "node_modules"} & set(path.parts)
}
CI = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(?:<!-- (?P<mark>.*) -->\n)?```(?P<kind>\S*).*\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
TRAINED = set()  # commands that ran: in the same words on another page, they would train the same again
RUN, SHOWN = {"bash", "python", "pycon"}, {"js", "nginx", "text", "toml"}
SLOW = re.compile(r"labcolor (train|export|demo|video)|\.(fit|export)\(|_video\(|^python ", re.MULTILINE)


def run_here(page):
    """The blocks of a page that are run, as pairs of kind and text, in their order."""
    found = [(block["mark"] or "", block["kind"], block["text"]) for block in BLOCK.finditer(PAGES[page])]
    return [(kind, text) for mark, kind, text in found if kind in RUN and not left_out(mark)]


def left_out(mark):
    """Whether the comment above a block says that it is run elsewhere, or not at all."""
    return mark.startswith("not run: ") or mark in re.findall(r"\$\(commands (\w+)\)", CI)


def runnable():
    """The pages with blocks to run, some of them slow."""
    for page in PAGES:
        if blocks := run_here(page):
            slow = any(SLOW.search(text) for kind, text in blocks if kind != "pycon")
            yield pytest.param(page, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("page", PAGES)
def test_no_block_escapes(page):
    """Each block is run, or shows no commands, or has a comment above it that says why it is not run."""
    text = PAGES[page]
    blocks = list(BLOCK.finditer(text))
    assert text.count("```") == 2 * len(blocks)
    assert {block["kind"] for block in blocks if not block["kind"].startswith("{")} <= RUN | SHOWN
    assert text.count("<!-- not run") == sum((block["mark"] or "").startswith("not run: ") for block in blocks)


class Reader:
    """Who follows a page: a folder with the files that pages name, a shell, and a Python session."""

    def __init__(self, page, programs):
        self.names = {"__name__": page}
        self.page = page
        self.server = None
        self.address = "127.0.0.1:8000"
        path = os.pathsep.join([str(Path(sys.executable).parent), str(programs), os.environ["PATH"]])
        self.environment = os.environ | {"PATH": path, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def follow(self, kind, text):
        """Run a block."""
        text = text.replace("127.0.0.1:8000", self.address)
        text = re.sub(r"\bepochs=\d+", "epochs=1", text)  # one shows that it runs
        if kind == "python":
            for name in re.findall(r'colorize_video\("[^"]+", "([^"]+)"', text):
                remove(Path(name))  # from an alternative
            exec(compile(text, self.page, "exec"), self.names)
        elif kind == "pycon":
            self.compare(text)
        else:
            for line in text.replace("\\\n", " ").splitlines():
                self.type(line)

    def compare(self, text):
        """Run examples with their output."""
        example = doctest.DocTestParser().get_doctest(text, self.names, self.page, self.page, None)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(example, clear_globs=False)
        self.names = example.globs
        assert runner.summarize(verbose=False).failed == 0

    def type(self, line):
        """Run a command, which has to succeed and to write what it names."""
        words = shlex.split(line, comments=True)
        if words[:1] != ["labcolor"] or "|" in words:
            if "|" in words:
                remove(Path(words[-1]))  # from an alternative
            subprocess.run(["bash", "-o", "pipefail", "-c", line], env=self.environment, check=True)
        elif words[1] == "demo":
            self.serve(words[1:])
        else:
            self.color(words[1:])

    def color(self, words):
        """Run a command of labcolor in this process."""
        if tuple(words) in TRAINED:
            return
        named = [words[at + 1] for at, word in enumerate(words) if word in {"-o", "--sheet", "--report"}] or words[2:3]
        destinations = [Path(name).parent if "%" in name else Path(name) for name in named]
        if "--resume" not in words:  # pages show alternatives, of which each reader tries one
            for destination in destinations:
                remove(destination)
        if words[0] == "train":
            assert main([*words, "--epochs", "1"]) == 0
            TRAINED.add(tuple(words))
        else:
            assert main(words) == 0
        assert all(destination.exists() for destination in destinations)

    def serve(self, words):
        """Start a server at a free port."""
        self.close()
        command = [sys.executable, "-m", "labcolor", *words, "--port", "0"]
        self.server = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        self.address = re.search(r"http://([\d.:]+)", self.server.stdout.readline())[1]

    def close(self):
        """End the server."""
        if self.server is not None:
            self.server.terminate()
            self.server.wait()
            self.server.stdout.close()


def remove(path):
    """Remove a file or a folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with small files of the names that pages use."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "bin").mkdir()
    shutil.copy(ffmpeg.executable(), folder / "bin" / "ffmpeg")
    photos = {name: getattr(skimage.data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}
    for name in ("album", "my-photographs", "photographs", "old", "films", "scan"):
        (folder / name).mkdir()
    for number, photo in enumerate(photos.values()):
        for name in ("album", "my-photographs", "photographs", "old"):
            write_picture(folder / name / f"{number}.jpg", photo[::2, ::2])
        write_picture(folder / "scan" / f"{number:06}.tif", photos["chelsea"][::4, ::4])
    for name in ("old.jpg", "scan.tif", "still.jpg", "postcard.jpg"):
        write_picture(folder / name, photos["chelsea"][::2, ::2])
    write_picture(folder / "suit.jpg", photos["astronaut"])
    for name in ("frame", "another"):
        write_picture(folder / f"{name}.png", photos["coffee"][:48, :64])
    (folder / "your_program.py").write_text("import labcolor\n", encoding="utf-8")
    Colorizer.from_pretrained("reference").save(folder / "mine.labcolor")
    # two shots at rest, of 15 seconds with one frame each
    for number, name in enumerate(("chelsea", "coffee")):
        write_picture(folder / f"shot{number}.png", photos[name][:288:6, :384:6])
    still = ["-loop", "1", "-r", "1", "-t", "15", "-i"]
    inputs = [*still, str(folder / "shot0.png"), *still, str(folder / "shot1.png")]
    ffmpeg.run([*inputs, "-filter_complex", "concat=n=2,format=yuv420p", "-r", "1", "-y", str(folder / "old.mkv")])
    for name in ("old.mp4", "film.mov", "scan.mov", "scan.mkv", "films/first.mkv"):
        ffmpeg.run(["-i", str(folder / "old.mkv"), "-c", "copy", "-y", str(folder / name)])
    return folder


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("page", list(runnable()))
def test_pages_run_as_they_stand(page, prepared, tmp_path, monkeypatch, caplog):
    """One block after the other, commands and Python; the errors on a page are those that it shows."""
    caplog.set_level(logging.NOTSET, "labcolor")  # a page sets it; other tests see it as it was
    shutil.copytree(prepared, tmp_path, ignore=shutil.ignore_patterns("bin"), dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    reader = Reader(page, prepared / "bin")
    try:
        for kind, text in run_here(page):
            reader.follow(kind, text)
    finally:
        reader.close()
    if "colored" in reader.names and isinstance(reader.names["colored"], np.ndarray):
        assert np.ptp(reader.names["colored"].astype(int), axis=-1).max() > 10

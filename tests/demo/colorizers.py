"""Colorizers of which worker processes get copies."""

import os
import tempfile
import time
from pathlib import Path


class Colored:
    """A colorizer that gives each picture its colors in the way of another; warms up at once."""

    def __init__(self, colorizer):
        self.model_ = colorizer.model_
        self._colorizer = colorizer

    def __getstate__(self):
        """A copy in another process needs no more than the colorizer."""
        return {**self.__dict__, "model_": None}

    def predict(self, picture, **options):
        """Color."""
        if picture.shape[:2] != (64, 64):  # with which a worker begins
            self.before()
        return self._colorizer.predict(picture, **options)


class Slow(Colored):
    """A colorizer whose predictions take until they are let go; a file tells so, for processes may be killed."""

    def __init__(self, colorizer, folder):
        super().__init__(colorizer)
        self._open = Path(folder, "open")
        self._begun = Path(folder, "begun")

    def release(self):
        """Let all go."""
        self._open.touch()

    def stop(self):
        """Let none go from now on."""
        self._open.unlink()

    @property
    def count(self):
        """How many predictions have begun."""
        return self._begun.stat().st_size if self._begun.exists() else 0

    def before(self):
        """Count the picture, and wait."""
        with self._begun.open("ab") as file:
            file.write(b"x")
        while not self._open.exists():
            time.sleep(0.01)


class Broken(Colored):
    """A colorizer with a mistake."""

    def before(self):
        """Fail as nobody foresaw."""
        raise RuntimeError("/secret/path")


class Greedy(Colored):
    """A colorizer that takes memory, or processor time, without end; or ends."""

    def __init__(self, colorizer, way):
        super().__init__(colorizer)
        self.way = way

    def before(self):
        """Take it."""
        if self.way == "end":
            tempfile.mkstemp()
            os._exit(1)
        kept = []
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.way == "memory":
                kept.append(bytearray(1 << 26))

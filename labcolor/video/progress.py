"""Progress of work on a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Progress: TypeAlias = bool | Callable[[int, int | None], object]  # as for colorize_video


@contextmanager
def shown(progress: Progress, total: int | None) -> Iterator[Callable[[int], object]]:
    """Yield a function that reports progress. Call it with the number of frames done."""
    if callable(progress):
        yield lambda done: progress(done, total)
    elif progress:
        from tqdm.auto import tqdm  # in a notebook without ipywidgets it warns

        with tqdm(total=total, unit="frame") as bar:
            yield lambda done: bar.update(done - bar.n)
    else:
        yield lambda done: None

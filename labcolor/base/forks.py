"""Forked processes, in which TensorFlow cannot run."""

from __future__ import annotations

import os
import sys

from labcolor.errors import LabcolorError

__all__ = ["check_process", "forked"]

_forked = False


def _note_fork() -> None:
    global _forked
    _forked = _forked or "tensorflow" in sys.modules


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


def forked() -> bool:
    """Return whether this process was forked from a process with TensorFlow."""
    return _forked


def check_process() -> None:
    """Raise a LabcolorError in a forked process, in which TensorFlow would hang."""
    if forked():
        raise LabcolorError(
            "TensorFlow does not survive a fork, and this process was forked from a process that had imported it. "
            'Start workers with multiprocessing.get_context("spawn"), or with joblib.'
        )

"""Old names that still work, with a warning, until the version that removes them."""

from __future__ import annotations

import warnings

__all__ = ["warn_renamed"]


def warn_renamed(old: str, new: str) -> None:
    """Warn the caller of the caller that ``old`` is called ``new`` now."""
    warnings.warn(f"{old} is deprecated and will be removed in 0.3. Use {new}.", FutureWarning, stacklevel=3)

"""What a Colorizer is, as an HTML table for notebooks; it loads neither TensorFlow nor Keras."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from typing import Any

from labcolor.base.validation import shortened
from labcolor.networks.model import FittedModel

__all__ = ["summary"]

_MEGABYTE = 1e6


def summary(name: str, params: Mapping[str, Any], changed: Collection[str], model: FittedModel | None) -> str:
    """Return a table of a model, and a folded table of all parameters.

    Parameters
    ----------
    name : str
        Name of the estimator's class.
    params : mapping of str to object
        The parameters of the estimator.
    changed : collection of str
        Names of the parameters that differ from their defaults, which are printed in bold.
    model : FittedModel or None
        The trained or loaded model.

    Returns
    -------
    str
        HTML without a script or a style sheet; all text in it is escaped.
    """
    state = "fitted" if model is not None else "not fitted"
    about = (
        {"state": "not fitted: call fit, or use from_pretrained or load"}
        if model is None
        else _about(model, str(params["engine"]))
    )
    rows = [
        (f"<b>{escape(key)}</b>" if key in changed else escape(key), f"<code>{escape(shortened(value))}</code>")
        for key, value in params.items()
    ]
    return (
        f"<div><b>{escape(name)}</b> ({state})"
        f"{_table((escape(key), escape(value)) for key, value in about.items())}"
        f"<details><summary>Parameters</summary>{_table(rows)}</details></div>"
    )


def _table(rows: Any) -> str:
    """Return rows of two cells as an HTML table."""
    cell = 'style="text-align: left"'
    lines = (f'<tr><th scope="row" {cell}>{key}</th><td {cell}>{value}</td></tr>' for key, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _about(model: FittedModel, engine: str) -> dict[str, str]:
    """Return the rows of the table of a model."""
    count = sum(weight.size for weight in model.weights)
    size = sum(weight.nbytes for weight in model.weights) / _MEGABYTE
    form = model.onnx_form
    forms = "none: TensorFlow runs it" if form is None else "float32" + (" and int8" if form.int8 else "")
    return {
        "network": model.architecture.name,
        "size": f"{count:,} weights, {size:.1f} MB",
        "working size": f"{model.working_size} pixels, the short side of the picture that the network sees",
        "trained on": _trained_on(model.training),
        "hints": "yes" if model.hints else "no: call fit_hints",
        "ONNX form": forms,
        "engine": engine,
    }


def _trained_on(training: Mapping[str, Any]) -> str:
    """Return the number of pictures and steps of a training, as far as they are recorded."""
    count, steps = training.get("photographs", training.get("pictures")), training.get("steps")
    parts = [f"{count:,} pictures"] if isinstance(count, int) else []
    parts += [f"{steps:,} steps"] if isinstance(steps, int) else []
    return ", ".join(parts) or "unknown"

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
    """Return a table of a model, and one of all parameters, which opens.

    Parameters
    ----------
    name : str
        Of the estimator's class.
    params : mapping of str to object
        Its parameters.
    changed : collection of str
        Names of those that differ from the defaults; they are printed bold.
    model : FittedModel or None
        What it has trained or loaded.

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
    cell = 'style="text-align: left"'
    lines = (f'<tr><th scope="row" {cell}>{key}</th><td {cell}>{value}</td></tr>' for key, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _about(model: FittedModel, engine: str) -> dict[str, str]:
    """Return what a model is, row by row."""
    count = sum(weight.size for weight in model.weights)
    size = sum(weight.nbytes for weight in model.weights) / _MEGABYTE
    training = ", ".join(
        f"{value:,} photographs" if key == "photographs" and isinstance(value, int) else f"{key}: {shortened(value)}"
        for key, value in model.training.items()
    )
    form = model.onnx_form
    forms = "none: TensorFlow runs it" if form is None else "float32" + (" and int8" if form.int8 else "")
    return {
        "network": model.architecture.name,
        "size": f"{count:,} weights, {size:.1f} MB",
        "working size": f"{model.working_size} pixels, the short side of what the network sees",
        "trained on": training or "unknown",
        "hints": "yes" if model.hints else "no: teach it by fit_hints",
        "ONNX form": forms,
        "engine": engine,
    }

"""HTML table of a Colorizer, for notebooks. It imports neither TensorFlow nor Keras."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from html import escape
from typing import Any

from labcolor.base.validation import shortened
from labcolor.networks.model import FittedModel


def summary(name: str, params: Mapping[str, Any], changed: Collection[str], model: FittedModel | None) -> str:
    """Return a table of a model, and a folded table of all parameters, as HTML without scripts and style sheets.

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
    """
    about = {"state": "not fitted: call fit, or use from_pretrained or load"}
    if model is not None:
        about = _about(model, str(params["engine"]))
    rows = [
        (f"<b>{escape(key)}</b>" if key in changed else escape(key), f"<code>{escape(shortened(value))}</code>")
        for key, value in params.items()
    ]
    return (
        f"<div><b>{escape(name)}</b> ({'not fitted' if model is None else 'fitted'})"
        f"{_table((escape(key), escape(value)) for key, value in about.items())}"
        f"<details><summary>Parameters</summary>{_table(rows)}</details></div>"
    )


def _table(rows: Iterable[tuple[str, str]]) -> str:
    """Return rows of two cells as an HTML table."""
    cell = 'style="text-align: left"'
    lines = (f'<tr><th scope="row" {cell}>{key}</th><td {cell}>{value}</td></tr>' for key, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _about(model: FittedModel, engine: str) -> dict[str, str]:
    """Return the rows of the table of a model."""
    count, size = (sum(getattr(weight, name) for weight in model.weights) for name in ("size", "nbytes"))
    form, training = model.onnx_form, model.training
    recorded = {"pictures": training.get("photographs", training.get("pictures")), "steps": training.get("steps")}
    return {
        "network": model.architecture.name,
        "size": f"{count:,} weights, {size / 1e6:.1f} MB",
        "working size": f"{model.working_size} pixels, the short side of the network's input",
        "trained on": ", ".join(f"{n:,} {of}" for of, n in recorded.items() if isinstance(n, int)) or "unknown",
        "hints": "yes" if model.hints else "no: call fit_hints",
        "ONNX form": "no: TensorFlow runs it" if form is None else "float32" + (" and int8" if form.int8 else ""),
        "engine": engine,
    }

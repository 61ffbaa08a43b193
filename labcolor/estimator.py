"""Base class of estimators: parameters, ``repr`` and HTML for scikit-learn and notebooks, without importing them."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from html import escape
from typing import Any, Self

from labcolor.base.validation import shortened
from labcolor.errors import InputError
from labcolor.networks.model import FittedModel


class Estimator:
    """Base class of estimators.

    The parameters are those of ``__init__``, which stores them unchanged and without checks. A subclass may add
    parameters.
    """

    @classmethod
    def _parameters(cls) -> dict[str, inspect.Parameter]:
        """Return the parameters of ``__init__`` by name. With ``**params``, add those of the base class."""
        found: dict[str, inspect.Parameter] = {}
        for kind in cls.__mro__:
            if "__init__" not in vars(kind):
                continue
            _, *own = inspect.signature(vars(kind)["__init__"]).parameters.values()
            named = [one for one in own if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
            found = {one.name: one for one in named} | found
            if named == own:
                break
        return found

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default True
            Ignored. It exists for scikit-learn.

        Returns
        -------
        dict
            The values of the parameters.

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer().get_params()["network"]
        'reference'
        """
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name. Their values are checked on use.

        Parameters
        ----------
        **params
            Parameters of the class.

        Returns
        -------
        Colorizer
            The estimator itself.

        Raises
        ------
        InputError
            A parameter does not exist.

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer().set_params(epochs=5)
        Colorizer(epochs=5)
        """
        known = self._parameters()
        for name, value in params.items():
            if name not in known:
                raise InputError(f"{name}: expected one of the parameters {', '.join(known)}.")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self) -> Any:
        """Return the tags that scikit-learn reads."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )

    def __repr__(self) -> str:
        """Return the parameters that differ from their defaults, as text."""
        changed = [f"{name}={getattr(self, name)!r}" for name in self._changed()]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _changed(self) -> list[str]:
        """Return the names of the parameters that differ from their defaults."""
        return [
            name for name, parameter in self._parameters().items() if not _same(getattr(self, name), parameter.default)
        ]


def _same(value: Any, default: Any) -> bool:
    """Return whether a value equals its default. False if they cannot be compared."""
    try:
        return bool(value == default)
    except (TypeError, ValueError):
        return False


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

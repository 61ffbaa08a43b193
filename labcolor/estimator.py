"""The interface of scikit-learn's estimators without scikit-learn: parameters, their checks, and ``repr``."""

from __future__ import annotations

import inspect
from typing import Any, Self

from labcolor.errors import InputError


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

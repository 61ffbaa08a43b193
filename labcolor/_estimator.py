"""scikit-learn's contract of an estimator, without scikit-learn: parameters, their checks, and how it shows itself."""

from __future__ import annotations

import html
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from labcolor._validation import Check, require
from labcolor.errors import InputError

__all__ = ["Estimator"]


class Estimator:
    """Base of an estimator. Its parameters are those of ``__init__``, which stores them unchanged and checks nothing.

    A subclass may add parameters of its own, and their checks to ``parameter_checks``.
    """

    parameter_checks: ClassVar[Mapping[str, Check]] = {}

    @classmethod
    def _parameters(cls) -> dict[str, inspect.Parameter]:
        """Return the parameters of ``__init__`` by name; with ``**params``, those of the class above, too."""
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
            It is there for scikit-learn and changes nothing.

        Returns
        -------
        dict

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer().get_params()["network"]
        'reference'
        """
        return {name: getattr(self, name) for name in self._parameters()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name. Their values are checked when they are used.

        Parameters
        ----------
        **params
            As for the class.

        Returns
        -------
        Colorizer
            Itself.

        Raises
        ------
        InputError
            There is no such parameter.

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

    def check_params(self) -> None:
        """Check the values of all parameters.

        Raises
        ------
        InputError, InputTypeError
            One cannot be used.

        Examples
        --------
        >>> from labcolor import Colorizer
        >>> Colorizer(epochs=5).check_params()
        """
        for name, check in self.parameter_checks.items():
            require(name, getattr(self, name), check)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags, which it asks for."""
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there is a trained model."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Show the parameters that differ from the defaults."""
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, parameter in self._parameters().items()
            if not _same(getattr(self, name), parameter.default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _repr_html_(self) -> str:
        """Show all parameters as a table, in notebooks."""
        rows = "".join(
            f"<tr><td>{name}</td><td>{html.escape(repr(value))}</td></tr>" for name, value in self.get_params().items()
        )
        state = "fitted" if self.__sklearn_is_fitted__() else "not fitted"
        return (
            f"<details><summary><code>{type(self).__name__}</code> ({state})</summary><table>{rows}</table></details>"
        )


def _same(value: Any, default: Any) -> bool:
    """Return whether a value is its default, also where it cannot be compared."""
    try:
        return bool(value == default)
    except (TypeError, ValueError):
        return False

"""The architectures that a Colorizer can use, by name: the two of the package, and those that users register."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from labcolor.backends.tensorflow import build_outline
from labcolor.base.forks import check_process
from labcolor.base.validation import integer, one_of, require, shortened
from labcolor.errors import InputError, InputTypeError, LabcolorError
from labcolor.networks.autoencoder import build_autoencoder
from labcolor.networks.efficientnet import build_efficientnet
from labcolor.networks.heads import BinsHead, Head, RegressionHead

if TYPE_CHECKING:
    import keras

__all__ = [
    "MULTIPLE",
    "Architecture",
    "as_architecture",
    "get_architecture",
    "list_architectures",
    "register_architecture",
]

MULTIPLE = integer(1, most=1024)


@dataclass(frozen=True)
class Architecture:
    """Builder of a network, and the meaning of its output.

    Parameters
    ----------
    name : str
        Its name in model files: letters, digits, ``-``, ``_`` and ``.``.
    build : callable
        Builds the network. It takes the keywords ``seed`` and ``dtype``, as :func:`labcolor.build_autoencoder` does,
        and the ``options``, and returns a ``keras.Model`` from scaled L, (N, H, W, 1), to what the head expects.
    head : Head
        Meaning of the network's output: a :class:`RegressionHead`, a :class:`BinsHead`, or one of your own.
    multiple : int, default 8
        Height and width of the network's input are multiples of this; at most 1024.
    options : mapping, optional
        More keywords for ``build``. They are saved in model files as JSON.

    Examples
    --------
    A smaller reference network, in a Colorizer:

    >>> from labcolor import Colorizer
    >>> from labcolor.networks import get_architecture
    >>> small = get_architecture("reference").with_options(encoder=(16, 32, 64), decoder=(32, 16))
    >>> small.network().count_params()
    46674
    >>> Colorizer(network=small).network.name
    'reference'
    """

    name: str
    build: Callable[..., keras.Model]
    head: Head
    multiple: int = 8
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Convert the options as a model file does, or raise an InputError if JSON cannot hold them."""
        try:
            plain = json.loads(json.dumps(dict(self.options)))
        except (RecursionError, TypeError, ValueError) as error:
            raise InputError(f"options: expected numbers, texts and sequences of these by name: {error}.") from error
        object.__setattr__(self, "options", {name: _as_tuples(value) for name, value in plain.items()})

    def network(self, *, seed: int | None = None, dtype: str = "float32") -> keras.Model:
        """Build the network.

        Parameters
        ----------
        seed : int, optional
            Fixes the initial weights.
        dtype : str
            Keras dtype policy: "float32", or "mixed_bfloat16".

        Returns
        -------
        keras.Model
            Its input is (N, H, W, 1), scaled lightness.

        Raises
        ------
        InputError
            The builder refuses the options.
        LabcolorError
            This process was forked from one that had loaded TensorFlow.

        Examples
        --------
        >>> from labcolor.networks import get_architecture
        >>> get_architecture("reference").network().count_params()
        3099714
        """
        with self._building():
            return self.build(**self.options, seed=seed, dtype=dtype)

    def outline(self, most: int) -> keras.Model:
        """Build the network without memory for its weights, to see its shapes.

        Parameters
        ----------
        most : int
            Largest number of weights.

        Returns
        -------
        keras.Model
            Only its shapes are meaningful.

        Raises
        ------
        InputError
            The builder refuses the options, or the network has more weights.

        Examples
        --------
        >>> from labcolor.networks import get_architecture
        >>> get_architecture("reference").outline(most=16).count_params()
        3099714
        """
        with self._building():
            return build_outline(lambda: self.build(**self.options, seed=0, dtype="float32"), most)

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Name the options in errors of a builder, and refuse to build in a forked process."""
        check_process()
        from labcolor.backends.keras import looking_for_devices

        try:
            with looking_for_devices():
                yield
        except LabcolorError:
            raise
        except Exception as error:
            raise InputError(
                f"{self.name}: its builder refuses the options {shortened(dict(self.options))}: {error}"
            ) from error

    def with_options(self, **options: Any) -> Architecture:
        """Return this architecture with other options for its builder.

        Parameters
        ----------
        **options
            Keywords of the builder; those that are not given stay as they are.

        Returns
        -------
        Architecture
            The changed copy.

        Examples
        --------
        See the class.
        """
        return replace(self, options={**self.options, **options})


def _as_tuples(value: Any) -> Any:
    """Convert the lists of JSON to tuples."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


_registered: dict[str, Architecture] = {}


def register_architecture(architecture: Architecture) -> Architecture:
    """Register an architecture, so that ``Colorizer(network=name)`` and model files can use it.

    Parameters
    ----------
    architecture : Architecture
        It replaces a registered one of the same name, but none of the package.

    Returns
    -------
    Architecture
        The registered architecture.

    Raises
    ------
    InputTypeError, InputError
        It is not an Architecture, or its name or multiple is invalid.

    Examples
    --------
    >>> from labcolor import Colorizer, build_autoencoder
    >>> from labcolor.networks import Architecture, RegressionHead, register_architecture
    >>> def build_wide(*, seed=None, dtype="float32"):
    ...     return build_autoencoder((96, 192, 384, 768, 384), (192, 96), seed=seed, dtype=dtype)
    >>> wide = register_architecture(Architecture("wide", build_wide, RegressionHead()))
    >>> Colorizer(network="wide")
    Colorizer(network='wide')
    """
    if not isinstance(architecture, Architecture):
        raise InputTypeError(f"architecture: expected an Architecture, got {type(architecture).__name__}.")
    if not isinstance(architecture.name, str) or not re.fullmatch(r"[\w.-]+", architecture.name):
        raise InputError(
            f"architecture: expected a name of letters, digits, -, _ and ., got {shortened(architecture.name)}."
        )
    if architecture.name in _PACKAGED:
        raise InputError(f"architecture: {architecture.name!r} comes with the package. Choose another name.")
    require("multiple", architecture.multiple, MULTIPLE)
    _registered[architecture.name] = architecture
    return architecture


def get_architecture(name: str) -> Architecture:
    """Return the architecture of a name.

    Parameters
    ----------
    name : str
        "reference", "efficientnet", or one that was registered.

    Returns
    -------
    Architecture
        The architecture.

    Raises
    ------
    InputError
        The name is unknown.

    Examples
    --------
    >>> from labcolor.networks import get_architecture
    >>> get_architecture("efficientnet").multiple
    32
    """
    require("network", name, one_of(*_registered))
    return _registered[name]


def as_architecture(network: str | Architecture) -> Architecture:
    """Return the architecture of ``Colorizer(network=...)``, which may be its name."""
    return network if isinstance(network, Architecture) else get_architecture(network)


def list_architectures() -> list[str]:
    """Return the names of all registered architectures.

    Returns
    -------
    list of str
        In the order of registration.

    Examples
    --------
    >>> from labcolor.networks import list_architectures
    >>> list_architectures()[:2]
    ['reference', 'efficientnet']
    """
    return list(_registered)


_PACKAGED: set[str] = set()
register_architecture(Architecture("reference", build_autoencoder, RegressionHead(), multiple=8))
register_architecture(Architecture("efficientnet", build_efficientnet, BinsHead(), multiple=32))
_PACKAGED |= set(_registered)

"""Architectures of networks by name: the packaged ones, and those that users register."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from labcolor.backends.tensorflow import build_outline, check_process
from labcolor.base.validation import instance_of, integer, one_of, require, shortened
from labcolor.errors import InputError, LabcolorError
from labcolor.networks.autoencoder import build_autoencoder
from labcolor.networks.efficientnet import build_efficientnet
from labcolor.networks.heads import BinsHead, Head, RegressionHead

if TYPE_CHECKING:
    import keras

MULTIPLE = integer(1, most=1024)


@dataclass(frozen=True)
class Architecture:
    """Builder of a network, and the meaning of its output.

    Parameters
    ----------
    name : str
        Name in model files, of letters, digits, ``-``, ``_`` and ``.``.
    build : callable
        Function that builds the network. Its keywords are ``seed`` and ``dtype``, as for
        :func:`labcolor.build_autoencoder`, and the ``options``. It returns a ``keras.Model`` from scaled L,
        (N, H, W, 1), to the output that the head expects.
    head : Head
        Meaning of the network's output: a :class:`RegressionHead`, a :class:`BinsHead`, or a head of your own.
    multiple : int, default 8
        Divisor of the height and width of the network's input, from 1 to 1024.
    options : mapping, optional
        More keywords for ``build``. Model files contain them as JSON.

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
        """Convert the options like a model file, or raise an InputError if JSON does not support them."""
        try:
            plain = json.loads(json.dumps(dict(self.options)))
        except (RecursionError, TypeError, ValueError) as error:
            raise InputError(f"options: expected numbers, texts and sequences of them by name: {error}.") from error
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
            The network. Its input is (N, H, W, 1), scaled lightness.

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
        """Build the network without memory for its weights. Only its shapes are meaningful.

        Parameters
        ----------
        most : int
            Largest number of weights.

        Returns
        -------
        keras.Model
            The network.

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
            Keywords of the builder. Other options stay unchanged.

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


_registered = {
    "reference": Architecture("reference", build_autoencoder, RegressionHead(), multiple=8),
    "efficientnet": Architecture("efficientnet", build_efficientnet, BinsHead(), multiple=32),
}
_PACKAGED = frozenset(_registered)


def register_architecture(architecture: Architecture) -> Architecture:
    """Register an architecture, so that ``Colorizer(network=name)`` and model files can use it.

    Parameters
    ----------
    architecture : Architecture
        The architecture. It replaces a registered architecture of the same name, except a packaged one.

    Returns
    -------
    Architecture
        The registered architecture.

    Raises
    ------
    InputTypeError, InputError
        ``architecture`` is not an Architecture, or its name or multiple is invalid.

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
    require("architecture", architecture, instance_of(Architecture))
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
        "reference", "efficientnet", or a registered name.

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
    """Convert the parameter ``network`` of a Colorizer, which may be a name, to an architecture."""
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

"""``FittedModel``: a trained model as one immutable value, with everything that predictions need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from labcolor._version import __version__
from labcolor.base.typing import Array
from labcolor.base.validation import Check, instance_of, integer, number, optional, require, require_names
from labcolor.color.codec import LabCodec
from labcolor.errors import InputError, ModelFileError
from labcolor.networks.heads import Head
from labcolor.networks.hint_spreader import LARGEST_CONSTANT, spreader_shapes
from labcolor.networks.layers import last_convolution
from labcolor.networks.model_file import HINTS, WEIGHT, Layout, PackedModel, compact, encode_model, numbered
from labcolor.networks.onnx_form import GRAPHS, OnnxForm, digest
from labcolor.networks.registry import MULTIPLE, Architecture, get_architecture

if TYPE_CHECKING:
    import keras

WORKING_SIZE = integer(8, most=1024)  # in model files, too, because the time of a prediction grows with its square
_NUMBERS = Check("numbers", (list,), lambda values: {*map(type, values)} <= {int, float})
_PARTS = {  # members of about.json
    "format": instance_of(int),
    "labcolor": instance_of(str),
    "architecture": instance_of(dict),
    "codec": instance_of(dict),
    "head": instance_of(dict),
    "working_size": WORKING_SIZE,
    "overview": number(0, 1),
    "quiet": number(0, 1e6),
    "history": instance_of(dict),
    "training": instance_of(dict),
    "light": optional(instance_of(dict)),  # OnnxForm checks its values
}


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A trained network with everything that predictions need.

    Parameters
    ----------
    architecture : Architecture
        The network's architecture.
    weights : tuple of ndarray
        Weights of the network, float32, in Keras's order.
    codec : LabCodec
        Scaling of its input and output.
    head : Head
        Meaning of its output, with arrays from the training.
    working_size : int
        Short side, in pixels, of the network's input.
    hints : tuple of ndarray
        Weights of the hint spreader, or an empty tuple if it was not trained.
    history : mapping
        Figures of each epoch.
    training : mapping
        Training pictures and parameters, as numbers and texts.
    onnx_form : OnnxForm, optional
        Form that runs without Keras. It belongs to the weights, so pass None with other weights.
    overview : float, default 0
        Weight, from 0 to 1, of a second prediction of coarse colors from an overview: the mirrored picture with a short
        side of 64 pixels. The first prediction is made at the working size.
    quiet : float, default 0
        Variance of ab at which the colors of a picture are reduced halfway to a fifth, so that pictures that the
        network hardly knows stay nearly grey, or 0 for no reduction. The head must have uncertainty.

    Raises
    ------
    InputError
        The ONNX form does not belong to the weights.

    Examples
    --------
    >>> from labcolor import Colorizer
    >>> model = Colorizer.from_pretrained("reference").model_
    >>> model.architecture.name, model.working_size
    ('reference', 136)
    """

    architecture: Architecture
    weights: tuple[Array, ...]
    codec: LabCodec
    head: Head
    working_size: int
    hints: tuple[Array, ...] = ()
    history: Mapping[str, list[float]] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    onnx_form: OnnxForm | None = None
    overview: float = 0.0
    quiet: float = 0.0

    def __post_init__(self) -> None:
        """Raise an InputError unless the ONNX form belongs to the weights."""
        if self.onnx_form is not None and self.onnx_form.sha256 != digest(self.weights):
            raise InputError(
                "onnx_form: expected the ONNX form of these weights, got that of other weights. Pass onnx_form=None."
            )

    @cached_property
    def network(self) -> keras.Model:
        """The Keras network with the weights, float32. Changes of it do not affect the model."""
        if self.onnx_form is not None:  # loading checked the ONNX form only
            self._check_layout()
        # without a seed, Keras would use the global random state
        return _with_weights(self.architecture.network(seed=0), self.weights)

    def to_bytes(self) -> bytes:
        """Pack the model as the content of a ``.labcolor`` file.

        Returns
        -------
        bytes
            The content, which is equal for equal models. Weights are stored in float16 if that is lossless.

        Raises
        ------
        ModelFileError
            A weight is not finite.
        """
        if not all(np.isfinite(weight).all() for weight in (*self.weights, *self.hints)):
            raise ModelFileError(
                "a weight of this model is not finite: its training diverged. Train again with a lower learning_rate."
            )
        form = self.onnx_form
        about = {
            "labcolor": __version__,
            "architecture": {
                "name": self.architecture.name,
                "options": dict(self.architecture.options),
                "multiple": self.architecture.multiple,
            },
            "codec": self.codec.get_config(),
            "head": self.head.get_config(),
            "working_size": self.working_size,
            "overview": self.overview,
            "quiet": self.quiet,
            "history": dict(self.history),
            "training": dict(self.training),
            "light": None if form is None else form.get_config(),
        }
        arrays = numbered(WEIGHT, map(compact, self.weights))
        arrays |= numbered(HINTS, self.hints)
        arrays |= {f"head/{name}": array for name, array in self.head.get_arrays().items()}
        if form is not None:
            arrays |= form.get_arrays()
        return encode_model(about, arrays)

    @classmethod
    def from_bytes(cls, content: bytes, where: str) -> FittedModel:
        """Unpack a model.

        Parameters
        ----------
        content : bytes
            The packed model, from :meth:`to_bytes`.
        where : str
            Name of the model in errors.

        Returns
        -------
        FittedModel

        Raises
        ------
        ModelFileError
            The bytes are not a model, are damaged, come from a newer version, or need an unregistered architecture.
        """
        packed = PackedModel(content, where)
        try:
            return cls._unpacked(packed)
        except ModelFileError:
            raise
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ModelFileError(f"{where}: not a model that this version can use: {error}") from error

    @classmethod
    def _unpacked(cls, packed: PackedModel) -> FittedModel:
        """Unpack a model. The contents are untrusted, so arrays are read only after their layout is known."""
        about = {"light": None, "overview": 0.0, "quiet": 0.0, **packed.about}
        require_names("model", about, _PARTS)
        for name, check in _PARTS.items():
            require(name, about[name], check)
        require_names("codec", about["codec"], LabCodec().get_config())
        architecture = _architecture_of(about["architecture"])
        light, network = about["light"], None
        weights: Layout
        graphs: Layout = {}
        if light is None:
            # options are untrusted, so memory is allocated only for arrays of the file
            unchecked = bool(architecture.options)
            network = architecture.outline(most=len(packed.names)) if unchecked else architecture.network(seed=0)
            weights = _floats_of(numbered(WEIGHT, [tuple(weight.shape) for weight in network.weights]))
        else:  # the arrays declare their shapes, because the network is not built
            weights = _floats_of(dict.fromkeys(sorted(name for name in packed.names if name.startswith("weight"))))
            graphs = dict.fromkeys(GRAPHS, (None, np.dtype(np.uint8)))
        head = {f"head/{name}": (array.shape, array.dtype) for name, array in architecture.head.get_arrays().items()}
        hints: Layout = {}
        if HINTS.format(0) in packed.names:
            features = light["features"] if network is None else last_convolution(network).input.shape[-1]
            hints = _floats_of(numbered(HINTS, spreader_shapes(features)))
        arrays = packed.arrays({**weights, **head, **hints, **graphs})
        if hints and np.abs(arrays[HINTS.format(1)]).max() > LARGEST_CONSTANT:
            raise InputError(f"expected constants of the hint spreader of at most {LARGEST_CONSTANT}.")
        model = cls(
            architecture=architecture,
            weights=tuple(arrays[name] for name in weights),
            codec=LabCodec(**about["codec"]),
            head=architecture.head.restored(about["head"], {name.removeprefix("head/"): arrays[name] for name in head}),
            working_size=about["working_size"],
            overview=about["overview"],
            quiet=about["quiet"],
            hints=tuple(arrays[name] for name in hints),
            history={str(name): _floats(values) for name, values in about["history"].items()},
            training=about["training"],
            onnx_form=None if light is None else OnnxForm.restored(light, arrays, weights),
        )
        if network is not None:
            if not unchecked:  # building a network takes longest, so it is kept
                vars(model)["network"] = _with_weights(network, model.weights)
            model._check_output()
        return model

    def _check_layout(self) -> None:
        """Raise an InputError unless the weights have the shapes of the architecture."""
        shapes = [tuple(weight.shape) for weight in self.architecture.outline(most=len(self.weights)).weights]
        if shapes != [weight.shape for weight in self.weights]:
            raise InputError(f"expected the weights of {self.architecture.name!r}, got others. Train it again.")

    def _check_output(self) -> None:
        """Raise an InputError unless network and head have the same stride."""
        height, width = self.architecture.multiple, 3 * self.architecture.multiple
        expected = height / self.head.stride, width / self.head.stride
        found = self.network.compute_output_shape((1, height, width, 1))[1:3]
        if found != expected:
            raise InputError(f"head: expected a stride of {height / found[0]:g}, got {self.head.stride}.")


def _with_weights(network: keras.Model, weights: Sequence[Array]) -> keras.Model:
    """Set the weights of a network and return it."""
    network.set_weights(weights)
    return network


def _floats_of(shapes: Mapping[str, tuple[int, ...] | None]) -> Layout:
    """Return the layout of arrays of float32 with these shapes."""
    return {name: (shape, np.dtype(np.float32)) for name, shape in shapes.items()}


def _floats(values: Any) -> list[float]:
    """Convert the values of a history to floats."""
    require("history", values, _NUMBERS)
    return [float(value) for value in values]


def _architecture_of(wanted: Mapping[str, Any]) -> Architecture:
    """Return the architecture that a file names, with its options."""
    require_names("architecture", wanted, ("name", "options", "multiple"))
    require("options", wanted["options"], instance_of(dict))
    require("multiple", wanted["multiple"], MULTIPLE)
    architecture = get_architecture(wanted["name"])
    if not wanted["options"] and wanted["multiple"] == architecture.multiple:
        return architecture
    return replace(architecture, multiple=wanted["multiple"], options=wanted["options"])

"""Export of trained models as model files with an ONNX form, ONNX, LiteRT, Keras files or SavedModels."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from labcolor.backends.litert import convert_to_tflite
from labcolor.backends.onnxruntime import load_session
from labcolor.base.paths import check_destination, write_file, writing_errors
from labcolor.base.typing import Array
from labcolor.errors import InputError, ModelFileError
from labcolor.networks.int8 import kept_in_float, quantize
from labcolor.networks.layers import last_convolution
from labcolor.networks.model import FittedModel
from labcolor.networks.model_file import WEIGHT, numbered, write_model
from labcolor.networks.onnx_form import OnnxForm, digest
from labcolor.networks.onnx_graph import build_graph
from labcolor.networks.whole_picture import build_whole

if TYPE_CHECKING:
    import keras

ENDINGS = (".labcolor", ".onnx", ".tflite", ".keras", "")  # a SavedModel is a folder without an ending
_IN_INT8 = (".labcolor", ".onnx", ".tflite")


def check_request(path: Path, *, int8: bool, whole: bool = False) -> None:
    """Raise an error, before the work begins, for an export that is not possible.

    Raises
    ------
    InputError
        The ending is unknown, or its form does not support int8 or whole pictures.
    ModelFileError
        No file can be written to the path.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"path: expected {', '.join(ENDINGS[:-1])} or no ending, got {path.suffix!r}.")
    if int8 and ending not in _IN_INT8:
        raise InputError(f"int8: expected a path that ends in {', '.join(_IN_INT8)}, got {path.name!r}.")
    if whole and (int8 or ending != ".onnx"):
        raise InputError(f"whole: expected a path that ends in .onnx, and no int8, got {path.name!r} and int8={int8}.")
    if not ending and path.exists():
        raise ModelFileError(f"{path}: exists already. Remove it, or choose another folder.")
    check_destination(path, ModelFileError)


def export_model(model: FittedModel, path: Path, calibration: Sequence[Array] = (), *, whole: bool = False) -> None:
    """Write a model in the form that the ending of a path selects.

    Parameters
    ----------
    model : FittedModel
        The model.
    path : Path
        The destination, checked by :func:`check_request`. An existing file is replaced.
    calibration : sequence of ndarray, each (1, H, W, 1), float32
        Scaled L of pictures, from which the ranges of int8 are derived. Empty for float32.
    whole : bool, default False
        Whether the ONNX file colors whole pictures.

    Raises
    ------
    InputError
        The form does not support a layer of the network, or the head.
    ModelFileError
        The file cannot be written.
    LabcolorError
        A package that the form needs is not installed.
    """
    ending = path.suffix.lower()
    if ending == ".labcolor":
        write_model(path, with_onnx_form(model, calibration).to_bytes())
        return
    if whole:
        write_model(path, build_whole(with_onnx_form(model) if model.onnx_form is None else model))
        return
    network = _with_decoding(model)
    if ending == ".onnx":
        content = build_graph(network, without_values=False)
        folded = _folded(content)
        write_model(path, quantize(folded, calibration, kept_in_float(network)) if calibration else folded)
    elif ending == ".tflite":
        write_model(path, convert_to_tflite(network, calibration, kept_in_float(network)))
    else:
        _write_by_keras(network, path, ending)


def with_onnx_form(model: FittedModel, calibration: Sequence[Array] = ()) -> FittedModel:
    """Return a model with its ONNX form, which includes int8 if there are pictures for calibration.

    Raises
    ------
    InputError
        The ONNX form does not support a layer of the network.
    LabcolorError
        The package onnx is not installed.
    """
    network = model.network
    graph = build_graph(network, without_values=True)
    form = OnnxForm(
        graph=graph,
        features=last_convolution(network).input.shape[-1],
        int8=quantize(_folded(graph, model.weights), calibration, kept_in_float(network)) if calibration else b"",
        sha256=digest(model.weights),
    )
    return replace(model, onnx_form=form)


def _with_decoding(model: FittedModel) -> keras.Model:
    """Return the network from scaled L to unscaled ab."""
    from labcolor.backends.keras import keras

    network = model.network
    return keras.Model(network.inputs[0], model.head.append(network.output, model.codec), name=network.name)


def _folded(content: bytes, weights: Sequence[Array] = ()) -> bytes:
    """Return an ONNX model with constants and batch normalization folded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "folded.onnx"
        named = numbered(WEIGHT, weights)
        load_session(content, named, optimize="ORT_ENABLE_BASIC", optimized_model_filepath=os.fspath(path))
        return path.read_bytes()


def _write_by_keras(network: keras.Model, path: Path, ending: str) -> None:
    """Write a Keras file or a SavedModel atomically."""
    if ending:
        write_file(path, network.save, ModelFileError)
        return
    with (
        writing_errors(path, ModelFileError),
        tempfile.TemporaryDirectory(prefix=".labcolor-", dir=path.parent) as folder,
    ):
        network.export(Path(folder) / "model", verbose=False)
        (Path(folder) / "model").rename(path)

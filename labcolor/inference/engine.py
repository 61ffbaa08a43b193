"""Engines that run a trained network: ONNX Runtime on its ONNX form, or Keras on the network."""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, get_args

import numpy as np

from labcolor.backends.onnxruntime import load_session, multiplies_exactly
from labcolor.backends.tensorflow import check_process, compiled
from labcolor.base.choices import DeviceName, EngineName
from labcolor.base.threads import get_threads
from labcolor.base.typing import Array
from labcolor.base.validation import Check, one_of
from labcolor.errors import InputError, LabcolorError, OutOfMemoryError
from labcolor.networks.layers import last_convolution
from labcolor.networks.model import FittedModel
from labcolor.networks.model_file import WEIGHT, numbered

if TYPE_CHECKING:
    import keras

ENGINE: Check = one_of(*get_args(EngineName))
DEVICE: Check = one_of(*get_args(DeviceName))
_log = logging.getLogger(__name__)


class Engine(Protocol):
    """Engine of one trained network, for pictures of every size and several threads."""

    @property
    def name(self) -> str:
        """Name of the engine in ``Colorizer(engine=...)``."""

    def run(self, batch: Array, features: bool = False) -> list[Array]:
        """Run the network.

        Parameters
        ----------
        batch : ndarray, shape (N, H, W, 1), float32
            Scaled L. H and W are multiples of the architecture's ``multiple``.
        features : bool
            Whether to return the input of the last convolution, too.

        Returns
        -------
        list of ndarray
            The output of the network, (N, h, w, C) float32, which its head decodes. With ``features``, also the input
            of its last convolution, (N, h, w, F) float32.

        Raises
        ------
        InputError
            The network has no convolution that has features.
        OutOfMemoryError
            The batch did not fit in memory.
        """


def make_engine(model: FittedModel, kind: EngineName, device: DeviceName = "cpu") -> Engine:
    """Return the engine for ``Colorizer(engine=kind, device=device)``.

    Parameters
    ----------
    model : FittedModel
        The model.
    kind : {"auto", "onnxruntime", "onnxruntime-int8", "tensorflow"}
        "auto": ONNX Runtime if the model has an ONNX form, in int8 if it has that and this processor multiplies
        int8 exactly; otherwise TensorFlow. On another device than the CPU: "onnxruntime".
    device : {"cpu", "cuda", "directml", "coreml", "openvino"}
        Where ONNX Runtime runs the network.

    Returns
    -------
    Engine

    Raises
    ------
    InputError
        The model has no such ONNX form, or the engine does not run on the device.
    LabcolorError
        The engine is not installed, cannot use the ONNX form or the device, or this process was forked from one that
        had loaded TensorFlow.
    """
    if device != "cpu":
        if kind not in ("auto", "onnxruntime"):
            raise InputError(f"device: expected 'cpu' with engine={kind!r}, got {device!r}. Leave engine at 'auto'.")
        kind = "onnxruntime"
    if kind == "tensorflow":
        return KerasEngine(model)
    form = model.onnx_form
    if kind == "auto":
        if form is None or find_spec("onnxruntime") is None:
            return KerasEngine(model)
        try:
            return OnnxEngine(model, int8=bool(form.int8) and multiplies_exactly())
        except LabcolorError as error:
            if find_spec("tensorflow") is None:
                raise
            _log.warning("TensorFlow runs the network, because ONNX Runtime cannot: %s", error)
            return KerasEngine(model)
    if form is None or (kind == "onnxruntime-int8" and not form.int8):
        raise InputError(
            f"engine: this model has no ONNX form for {kind!r}. Create it by Colorizer.export, or choose 'auto'."
        )
    return OnnxEngine(model, int8=kind == "onnxruntime-int8", device=device)


class KerasEngine:
    """Engine that runs the Keras network on TensorFlow, or on another backend of Keras.

    Parameters
    ----------
    model : FittedModel
        The model.

    Raises
    ------
    LabcolorError
        Keras is not installed, or this process was forked from a process with TensorFlow.
    """

    name = "tensorflow"

    def __init__(self, model: FittedModel) -> None:
        check_process()
        self._network = model.network
        self._lock = threading.Lock()
        self._compiled: dict[bool, Callable[[Array], list[Array]]] = {}  # without and with features

    def run(self, batch: Array, features: bool = False) -> list[Array]:
        """Run the network, which the first call compiles; see :class:`Engine`."""
        check_process()
        with self._lock:
            if features not in self._compiled:
                self._compiled[features] = compiled(_with_features(self._network) if features else self._network)
        return self._compiled[features](batch)


def _with_features(network: keras.Model) -> keras.Model:
    """Return a network with a second output, the input of its last convolution."""
    from labcolor.backends.keras import keras

    return keras.Model(network.inputs, [network.output, last_convolution(network).input])


class OnnxEngine:
    """Engine that runs the ONNX form of a model on ONNX Runtime, with :func:`labcolor.get_threads` threads.

    It survives a fork, because the child process creates its own session.

    Parameters
    ----------
    model : FittedModel
        A model that has an ONNX form.
    int8 : bool
        Whether to run the int8 form instead of the float32 form.
    device : {"cpu", "cuda", "directml", "coreml", "openvino"}
        Where to run it.

    Raises
    ------
    InputError
        ONNX Runtime has no such device.
    LabcolorError
        ONNX Runtime is not installed, or cannot use the ONNX form or the device.
    """

    def __init__(self, model: FittedModel, *, int8: bool, device: DeviceName = "cpu") -> None:
        self.name = "onnxruntime-int8" if int8 else "onnxruntime"
        self._int8 = int8
        self._device = device
        self._model = model
        self._stride = model.head.stride
        self._lock = threading.Lock()
        self._session: tuple[tuple[int, int], Any] | None = None
        self._ready()

    def run(self, batch: Array, features: bool = False) -> list[Array]:
        """Run the network; see :class:`Engine`."""
        names = ["outputs", "features"] if features else ["outputs"]
        session = self._ready()
        try:
            results: list[Array] = session.run(names, {"l": np.ascontiguousarray(batch, np.float32)})
        except Exception as error:  # all classes but one are plain Exceptions
            if "alloc" in str(error).lower():
                raise OutOfMemoryError(
                    f"the network ran out of memory on a batch of shape {batch.shape}. Lower working_size."
                ) from error
            raise LabcolorError(f"ONNX Runtime cannot run the ONNX form of this model: {error}") from error
        expected = tuple(side // self._stride for side in batch.shape[1:3])
        if results[0].ndim != 4 or results[0].shape[1:3] != expected:
            raise LabcolorError(
                f"expected an output of {expected} from the ONNX form of this model, got {results[0].shape}. "
                f"Export it again, or set engine='tensorflow'."
            )
        return results

    def _ready(self) -> Any:
        """Return a session of this process with the current number of threads."""
        key = os.getpid(), get_threads()
        with self._lock:
            if self._session is None or self._session[0] != key:
                if self._session is not None and self._session[0][0] != key[0]:
                    # the session of the parent process has no threads here, and its end would wait for them, so it is
                    # never freed
                    ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._session[1]))
                form = self._model.onnx_form
                assert form is not None
                session = load_session(
                    form.int8 if self._int8 else form.graph,
                    {} if self._int8 else numbered(WEIGHT, self._model.weights),
                    self._device,
                    # higher levels replace float products by products of int8 that saturate
                    optimize="ORT_ENABLE_BASIC" if self._int8 and not multiplies_exactly() else "ORT_ENABLE_ALL",
                    intra_op_num_threads=key[1],
                    inter_op_num_threads=1,
                    enable_cpu_mem_arena=False,  # the arena keeps memory for the largest picture
                    enable_mem_pattern=False,  # the pattern keeps a plan for each size of input
                )
                self._session = key, session
            return self._session[1]

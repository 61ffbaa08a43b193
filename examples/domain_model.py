"""A model for one kind of scene: the reference network, trained on from the packaged weights on pictures of it alone.

    python examples/domain_model.py {coast,forest,glacier} PHOTOS -o MODEL [--epochs N]

PHOTOS holds tar files of photographs and a ``provenance.csv``, which holds the path that each photograph had where it
came from; the scene is in that path. Every 40th photograph of all, by name, is left out of the training, as it was for
the packaged models; of these, the ones of the scene are measured.
"""

import argparse
import csv
import tarfile
import tempfile
from pathlib import Path

from labcolor import Colorizer
from labcolor.evaluation import center_square, evaluate, table
from labcolor.io.inputs import one_picture
from labcolor.training.sources import hold_out

SCENES = {"coast": ("/coast/", "/sea/"), "forest": ("/forest/",), "glacier": ("/glacier/",)}
SETS = "fmi", "intel150"


def main() -> None:
    """Train, save and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scene", choices=SCENES)
    parser.add_argument("photos", type=Path)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()

    with (arguments.photos / "provenance.csv").open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    words = SCENES[arguments.scene]
    wanted = {row["file"] for row in rows if row["set"] in SETS and any(word in row["source_path"] for word in words)}
    parts = hold_out([Path(row["file"]) for row in rows], 40)
    training, held_out = ([path for path in part if str(path) in wanted] for part in parts)
    print(f"{len(training)} photographs to train on, {len(held_out)} to measure")
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(arguments.photos.glob("*.tar")):
            with tarfile.open(path) as archive:
                members = [member for member in archive if member.name.removeprefix("./") in wanted]
                archive.extractall(folder, members, filter="data")
        reference = Colorizer.from_pretrained("reference")
        special = Colorizer.from_pretrained("reference").set_params(
            epochs=arguments.epochs, learning_rate=3e-4, precision="mixed_bfloat16", verbose=2
        )
        special.set_params(random_state=0).fit([Path(folder) / path for path in training])
        special.save(arguments.output)
        pictures = [center_square(Path(folder) / path, 256) for path in held_out]
    methods = {
        "grey": lambda picture: one_picture(picture, "picture").grey(),
        "reference": reference.predict,
        arguments.scene: special.predict,
    }
    print(table(evaluate(pictures, methods)))


if __name__ == "__main__":
    main()

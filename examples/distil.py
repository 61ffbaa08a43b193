"""The reference network, trained on photographs not as they are, but as the default model colors them.

    python examples/distil.py PHOTOS -o MODEL [--start MODEL] [--epochs N]

A photograph has one color where many were possible, and squared error answers with their mean. The default model has
made its choice already, from the lightness alone, so that the reference network can learn all of it. PHOTOS is a
folder; every 40th photograph, by name, is left out, as it was for the packaged models. The second part of the packaged
reference network's training was like this. It needs 65 kB of memory for each photograph.
"""

import argparse
import dataclasses
from pathlib import Path

from tqdm import tqdm

from labcolor import Colorizer, read_picture
from labcolor.errors import LabcolorError
from labcolor.io.inputs import one_picture
from labcolor.io.pictures import picture_paths
from labcolor.pictures.crops import reduce_picture
from labcolor.training.sources import hold_out

HOLD_OUT = 40  # each 40th photograph by name
SHORT_SIDE = 136  # what crops of 128 x 128 are taken from
SATURATION = 1.1  # of the default model's colors
CHROMA = 0.93  # what the trained chroma is multiplied by: nearer to the truth than all of the teacher's


def main() -> None:
    """Color, train and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--start", help="a model of the reference network to go on from; else the packaged one")
    parser.add_argument("--epochs", type=int, default=2)
    arguments = parser.parse_args()

    teacher = Colorizer.from_pretrained()
    colored = []
    training, _ = hold_out(picture_paths([arguments.photos]), HOLD_OUT)
    for path in tqdm(training):
        try:
            picture = one_picture(read_picture(path), str(path))
            small = reduce_picture(picture, SHORT_SIDE, str(path))
            colored.append(teacher.predict(small, saturation=SATURATION))
        except LabcolorError as error:
            print(error)
    pupil = Colorizer.load(arguments.start) if arguments.start else Colorizer.from_pretrained("reference")
    pupil.set_params(epochs=arguments.epochs, learning_rate=1e-3, precision="mixed_bfloat16", verbose=2)
    pupil.fit(colored)
    model = pupil.model_
    pupil.model_ = dataclasses.replace(model, head=dataclasses.replace(model.head, chroma=CHROMA))
    pupil.save(arguments.output)


if __name__ == "__main__":
    main()

"""A whole picture in one ONNX file: ONNX Runtime alone makes of pixels what ``predict`` makes of them."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import skimage.data
from PIL import Image

from labcolor import Colorizer, LabCodec
from labcolor.errors import InputError, InputTypeError
from labcolor.networks import BinsHead
from labcolor.networks.whole_picture import build_whole
from labcolor.pictures.picture import as_picture
from labcolor.pictures.small import SmallPicture

EXAMPLES = Path(__file__).parents[2] / "examples"
SIZES = [(1, 1), (1, 300), (7, 5), (40, 700), (64, 64), (97, 131), (136, 136), (250, 61), (200, 300)]


@pytest.fixture(scope="module", params=["efficientnet", "reference"])
def whole(request, tmp_path_factory):
    """A packaged model, and a function that colors pixels by its file."""
    colorizer = Colorizer.from_pretrained(request.param).set_params(engine="onnxruntime")
    path = tmp_path_factory.mktemp("whole") / "whole.onnx"
    colorizer.export(path, whole=True)
    return colorizer, path, runner(path)


def runner(model):
    """A function that colors pixels by ONNX Runtime."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])

    def run(picture, saturation=1.0):
        feeds = {"picture": picture, "saturation": np.array([saturation], np.float32)}
        return session.run(["colored"], feeds)[0]

    return run


def has_bars(picture):
    """Whether ``predict`` would leave some of the picture grey."""
    small = SmallPicture.of(as_picture(picture, "case"), 192)
    return small.content_box != (slice(0, picture.shape[0]), slice(0, picture.shape[1]))


def pictures(count, photographs, sizes=None):
    """Crops of photographs without bars at many sizes: grey, RGB and RGBA, each with a saturation from 0 to 2."""
    random = np.random.default_rng(0)
    kept = 0
    while kept < count:
        photograph = photographs[random.integers(len(photographs))]
        height, width = sizes[kept] if sizes else np.exp(random.uniform(0, np.log(1600), 2)).astype(int)
        crop = photograph[random.integers(150) :, random.integers(150) :]
        picture = np.array(Image.fromarray(crop).resize((width, height), Image.Resampling.BICUBIC))
        channels = (3, 1, 4)[kept % 3]
        if channels == 1:
            picture = picture[..., 1:2]
        elif channels == 4:
            picture = np.dstack([picture, random.integers(0, 256, (height, width), np.uint8)])
        if not has_bars(picture):
            kept += 1
            yield picture, random.uniform(0, 2)


def differences(whole, cases):
    """The largest difference to ``predict`` in each case, in levels of 255."""
    colorizer, _, run = whole
    for picture, saturation in cases:
        expected = colorizer.predict(picture, saturation=saturation).astype(int)
        found = run(picture, saturation)
        assert (found.shape, found.dtype) == (expected.shape, np.uint8)
        yield np.abs(found - expected).max()


def test_pictures_of_many_sizes(whole, photographs):
    """Nine sizes from one pixel on, in grey, RGB and RGBA, differ from ``predict`` by at most one level."""
    assert max(differences(whole, pictures(len(SIZES), photographs, SIZES))) <= 1


@pytest.mark.slow
def test_fifty_pictures(whole):
    """Fifty pictures of up to 1,600 pixels a side differ from ``predict`` by at most one level."""
    names = ("astronaut", "chelsea", "coffee", "immunohistochemistry", "retina", "hubble_deep_field")
    assert max(differences(whole, pictures(50, [getattr(skimage.data, name)() for name in names]))) <= 1


def test_pure_colors(whole):
    """All hues that leave the gamut, and bright yellow among them, differ from ``predict`` by at most one level."""
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.dstack([ramp[:, None] + 0 * ramp, ramp[::-1, None] + 0 * ramp, 0 * ramp[:, None] + ramp])
    assert max(differences(whole, [(picture, 1.0), (picture, 2.0)])) <= 1


def test_the_file(whole):
    """The file is valid, stands alone and is smaller than 12 MB; its first dimensions are free."""
    _, path, _ = whole
    assert path.stat().st_size < 12e6
    onnx.checker.check_model(path, full_check=True)
    graph = onnx.load(path).graph
    shapes = {value.name: [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]
              for value in (*graph.input, *graph.output)}  # fmt: skip
    assert shapes == {"picture": ["H", "W", "C"], "saturation": [1], "colored": ["H", "W", "D"]}


@pytest.mark.parametrize("whole", ["efficientnet"], indirect=True)
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has this unit on Linux only")
def test_memory(whole):
    """The peak of memory grows by less than 16 bytes for each pixel, of which the picture and its result take six."""
    code = """if True:
        import resource, sys
        import numpy as np, onnxruntime
        session = onnxruntime.InferenceSession(sys.argv[1])
        def peak(height, width):
            feeds = {"picture": np.zeros((height, width, 3), np.uint8), "saturation": np.ones(1, np.float32)}
            session.run(None, feeds)
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        small = peak(512, 512)
        print(1024 * (peak(1024, 1536) - small) / (1024 * 1536 - 512 * 512))
    """
    _, path, _ = whole
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 16


def test_a_model_that_was_trained(small, photographs, tmp_path):
    """A model without an ONNX form, whose weights float16 does not hold, keeps them, its codec and working size."""
    weights = tuple(weight * np.float32(1.001) for weight in small.model_.weights)
    colorizer = Colorizer(working_size=32)
    colorizer.model_ = replace(small.model_, weights=weights, onnx_form=None, codec=LabCodec(l_center=45, l_scale=55))
    colorizer.export(tmp_path / "whole.onnx", whole=True)
    run = runner(tmp_path / "whole.onnx")
    assert max(differences((colorizer, None, run), pictures(3, photographs, SIZES[4:]))) <= 1
    assert (tmp_path / "whole.onnx").stat().st_size > 4 * sum(weight.size for weight in weights)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "words"),
    [
        ("model.tflite", {"whole": True}, InputError, r"whole.*\.onnx"),
        ("model.onnx", {"whole": True, "int8": [np.zeros((200, 200, 3), np.uint8)]}, InputError, r"whole.*int8"),
        ("model.onnx", {"whole": "yes"}, InputTypeError, "whole"),
    ],
    ids=["another ending", "int8", "no bool"],
)
def test_bad_requests(reference, tmp_path, name, arguments, error, words):
    """Each is one error, and no file."""
    with pytest.raises(error, match=words):
        reference.export(tmp_path / name, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_head_of_ones_own(classifier):
    """A head whose decoding may be another is refused."""

    class Other(BinsHead):
        pass

    with pytest.raises(InputError, match=r"whole.*Other"):
        build_whole(replace(classifier.model_, head=Other()))


def check_example(whole, photographs, folder, *command):
    """An example colors a photograph as ``predict`` does."""
    colorizer, path, _ = whole
    Image.fromarray(photographs[1]).save(folder / "old.png")
    done = subprocess.run([*command, path, folder / "old.png", folder / "new.png"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found = np.asarray(Image.open(folder / "new.png")).astype(int)
    assert np.abs(found - colorizer.predict(photographs[1])).max() <= 1


@pytest.mark.parametrize("whole", ["reference"], indirect=True)
def test_the_example_in_python(whole, photographs, tmp_path):
    """It has ONNX Runtime, numpy and Pillow only."""
    check_example(whole, photographs, tmp_path, sys.executable, EXAMPLES / "onnx_whole.py")


@pytest.mark.parametrize("whole", ["reference"], indirect=True)
def test_the_example_in_javascript(whole, photographs, tmp_path):
    """It needs the two packages of npm that its first lines name."""
    script = EXAMPLES / "onnx_whole.mjs"
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    packages = 'await import("onnxruntime-web"); await import("sharp");'
    probe = ["node", "--input-type=module", "--eval", packages]
    if subprocess.run(probe, cwd=EXAMPLES, capture_output=True, check=False).returncode:
        pytest.skip("run: npm install --prefix examples")
    check_example(whole, photographs, tmp_path, "node", script)

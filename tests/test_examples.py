"""The examples: notebooks run as they stand, and the packages hold what they promise."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))


@pytest.fixture
def tools(monkeypatch):
    """The commands of this interpreter's environment, also where it is not active."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stripped(path):
    """A notebook holds no output and no number of a run, and its cells have names."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert cell.id.replace("-", "").isalpha()
        assert cell.metadata == {}
        assert cell.cell_type == "markdown" or (cell.outputs == [] and cell.execution_count is None)


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path, tools):
    """A notebook runs beside its pictures alone, without an error or a warning, and shows pictures."""
    for picture in path.parent.glob("*.jpg"):
        shutil.copy(picture, tmp_path)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": tmp_path}}, timeout=300).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    shown = [output.data for output in outputs if "data" in output]
    assert len(shown) > 1
    assert all({"image/png", "text/html"} & set(data) for data in shown)


@pytest.mark.slow
def test_downstream_package(tmp_path, tools, monkeypatch):
    """The example of a package passes its own hooks, installs without its source, and its test passes."""
    source, installed = tmp_path / "source", tmp_path / "installed"
    shutil.copytree(EXAMPLES / "downstream", source, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    monkeypatch.chdir(source)
    monkeypatch.setenv("PYTHONPATH", str(installed))

    def run(*command):
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr

    run("git", "init", "--quiet")
    run("git", "add", ".")
    run(sys.executable, "-m", "pre_commit", "run", "--all-files")
    install = (sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    run(*install, "--target", str(installed), ".")
    (source / "family_album.py").unlink()
    run(sys.executable, "-m", "pytest", "-q", "-W", "error")


class Tensor:
    """What the node uses of a tensor of torch."""

    def __init__(self, values):
        self.values = np.asarray(values, np.float32)

    def cpu(self):
        """Return itself."""
        return self

    def numpy(self):
        """Return the values."""
        return self.values

    def new_tensor(self, values):
        """Return a copy, of this tensor's type."""
        return Tensor(np.array(values))


@pytest.mark.parametrize("kind", ["stand-in", "torch"])
def test_comfyui_node(kind, batch):
    """By ComfyUI's contract, the inputs of the node fit its function, and a batch of pictures comes back in color."""
    tensor = Tensor if kind == "stand-in" else pytest.importorskip("torch").from_numpy
    place = EXAMPLES / "comfyui" / "__init__.py"
    spec = importlib.util.spec_from_file_location("comfyui_labcolor", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.NODE_CLASS_MAPPINGS.keys() == module.NODE_DISPLAY_NAME_MAPPINGS.keys()
    (node,) = module.NODE_CLASS_MAPPINGS.values()
    assert node.RETURN_TYPES == ("IMAGE",)
    inputs = node.INPUT_TYPES()["required"]
    assert inputs["image"] == ("IMAGE",)
    saturation = inputs["saturation"][1]["default"]
    grey = batch.astype(np.float32).mean(axis=-1, keepdims=True).repeat(3, axis=-1) / 250  # a little more than 1
    given = tensor(grey.copy())
    for model in inputs["model"][0]:
        (colored,) = getattr(node(), node.FUNCTION)(image=given, model=model, saturation=saturation)
        assert type(colored) is type(given)
        values = colored.cpu().numpy()
        assert (values.shape, values.dtype) == (batch.shape, np.float32)
        assert 0 <= values.min() <= values.max() <= 1
        assert np.ptp(values, axis=-1).max() > 0.05
    np.testing.assert_array_equal(given.numpy(), grey)

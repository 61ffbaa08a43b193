"""Color pictures on object storage with Ray Data: each worker holds the packaged model, and what is there is skipped.

python examples/object_storage.py s3://archive/scans s3://archive/colored     # or gs://, hdfs://, file://
"""

import sys
import tempfile
from pathlib import Path, PurePosixPath

import pyarrow.fs
import ray.data

from labcolor import Colorizer, read_metadata, set_threads, write_picture
from labcolor.errors import LabcolorError

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


def listing(uri: str) -> list[str]:
    """Return the paths of the files below a URI, without that of the URI."""
    files, root = pyarrow.fs.FileSystem.from_uri(uri)
    selector = pyarrow.fs.FileSelector(root, recursive=True, allow_not_found=True)
    found = [info.path for info in files.get_file_info(selector) if info.is_file]
    return [PurePosixPath(path).relative_to(root).as_posix() for path in found]


class Worker:
    """What runs in each process."""

    def __init__(self, source: str, destination: str) -> None:
        set_threads(1)
        self.colorizer = Colorizer.from_pretrained()
        self.source, self.source_root = pyarrow.fs.FileSystem.from_uri(source)
        self.destination, self.root = pyarrow.fs.FileSystem.from_uri(destination)

    def __call__(self, row: dict[str, str]) -> dict[str, str]:
        """Color one picture. Return its name, and what went wrong."""
        name, error = row["name"], ""
        try:
            with self.source.open_input_stream(f"{self.source_root}/{name}") as stream:
                content = stream.read()
            with tempfile.TemporaryDirectory() as folder:
                colored = Path(folder) / f"colored{PurePosixPath(name).suffix}"
                write_picture(colored, self.colorizer.predict(content), metadata=read_metadata(content))
                self.write(f"{self.root}/{name}", colored.read_bytes())
        except (LabcolorError, OSError) as problem:
            error = str(problem)
        return {"name": name, "error": error}

    def write(self, place: str, content: bytes) -> None:
        """Write a file that appears whole or not at all, as object storage shows it only when it is complete."""
        local = isinstance(self.destination, pyarrow.fs.LocalFileSystem)
        if local:
            self.destination.create_dir(place.rpartition("/")[0])
        with self.destination.open_output_stream(f"{place}.part" if local else place) as stream:
            stream.write(content)
        if local:
            self.destination.move(f"{place}.part", place)


def main(source: str, destination: str) -> int:
    """Color what is not there yet. Return 1 if something failed."""
    there = set(listing(destination))
    names = [name for name in listing(source) if name.lower().endswith(ENDINGS) and name not in there]
    print(f"{len(names)} to color, {len(there)} there already.")
    failed = {}
    if names:
        rows = ray.data.from_items([{"name": name} for name in names])
        answers = rows.map(Worker, fn_constructor_args=(source, destination), num_cpus=1, compute=pool())
        failed = {row["name"]: row["error"] for row in answers.iter_rows() if row["error"]}
    for name, error in failed.items():
        print(f"{name}: {error}")
    return 1 if failed else 0


def pool() -> ray.data.ActorPoolStrategy:
    """Return a worker for each CPU of the cluster."""
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    return ray.data.ActorPoolStrategy(size=max(1, int(ray.cluster_resources()["CPU"])))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

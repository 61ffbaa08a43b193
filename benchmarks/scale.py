"""Pictures a second on a local Ray cluster, against processes without Ray; and what a killed worker costs.

python benchmarks/scale.py FOLDER [--pictures 2000]
"""

import argparse
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import ray
import tables

from labcolor import Colorizer
from labcolor.io.pictures import picture_paths
from labcolor.ray import colorize_pictures

PLAIN = """
import sys
from pathlib import Path
from labcolor import Colorizer, read_picture, set_threads
from labcolor.colorizer import coloring
from labcolor.io.folders import color_file
set_threads(1)
colorizer = Colorizer.from_pretrained()
folder, out, first, step = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
colorizer.predict(read_picture(next(folder.iterdir())))
print("ready", flush=True)
sys.stdin.readline()
for path in sorted(folder.iterdir())[first::step]:
    color_file(path, out / path.name, coloring(colorizer), {"label": True})
"""


def plain(folder, out, processes):
    """Color by processes without Ray. Return the seconds after they have started."""
    out.mkdir()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", PLAIN, str(folder), str(out)]
    running = [subprocess.Popen([*command, str(number), str(processes)], **pipes) for number in range(processes)]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    started = time.perf_counter()
    for process in running:  # all start before one is waited for
        process.stdin.write("\n")
        process.stdin.flush()
    for process in running:
        process.communicate()
        assert process.returncode == 0
    return time.perf_counter() - started


def workers():
    """Return the processes of Ray's actors."""
    return [one for one in psutil.process_iter(["cmdline"]) if "ray::_Worker" in " ".join(one.info["cmdline"] or [])]


class Watch(threading.Thread):
    """Notes when results appear, how much memory a worker takes, and kills one of them at a number of results."""

    def __init__(self, out, kill_at):
        super().__init__(daemon=True)
        self.out, self.kill_at, self.killed, self.memory, self.first = out, kill_at, 0, 0, 0.0
        self.over = threading.Event()

    def run(self):
        """Look ten times a second."""
        while not self.over.wait(0.1):
            names = [path.name for path in self.out.iterdir()] if self.out.exists() else []
            done = sum(not name.startswith((".", "labcolor-")) for name in names)
            if done and not self.first:
                self.first = time.perf_counter()
            for worker in workers() if done else []:
                try:
                    self.memory = max(self.memory, worker.memory_full_info().uss)
                    if self.kill_at is not None and done >= self.kill_at and not self.killed:
                        self.killed = worker.pid
                        os.kill(worker.pid, signal.SIGKILL)
                except psutil.Error:
                    pass


def on_ray(folder, out, count, kill_at=None):
    """Color on two workers. Return the seconds of the job, those after the first result, and what was watched."""
    watch = Watch(out, kill_at)
    watch.start()
    started = time.perf_counter()
    report = colorize_pictures(folder, out, workers=count)
    ended = time.perf_counter()
    watch.over.set()
    watch.join()
    assert not report.failed, report.failed
    return ended - started, ended - watch.first, watch


def digests(out):
    """Return the SHA-256 of each result."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.iterdir()
        if not path.name.startswith((".", "labcolor-"))
    }


def main():
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=2000)
    arguments = tables.parse(parser)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "in"
        folder.mkdir()
        paths = picture_paths([arguments.folder])
        for number, path in enumerate(paths[:: max(1, len(paths) // arguments.pictures)][: arguments.pictures]):
            shutil.copy(path, folder / f"{number:05d}{path.suffix}")
        count = len(list(folder.iterdir()))
        Colorizer.from_pretrained().predict(next(folder.iterdir()))  # numba compiles once
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        one, two = (plain(folder, Path(work) / f"plain{processes}", processes) for processes in (1, 2))
        whole, steady, watch = on_ray(folder, Path(work) / "ray", 2)
        memory = watch.memory
        killed, _, watch = on_ray(folder, Path(work) / "killed", 2, kill_at=count // 2)
        assert watch.killed, "no worker was killed"
        results = [digests(Path(work) / name) for name in ("plain1", "plain2", "ray", "killed")]
        assert len(results[0]) == count
        assert all(result == results[0] for result in results), "the runs did not write the same bytes"
        times = {
            "one process without Ray, one thread": one,
            "two processes without Ray, after they have started": two,
            "two workers on Ray, after the first result": steady,
            "two workers on Ray, with their start": whole,
            "the same, one worker killed in the middle": killed,
        }
        with tables.Table("scale", f"{count:,} pictures", "takes", "pictures a second") as table:
            for name, seconds in times.items():
                table.add(name, f"{seconds:.1f} s", f"{count / seconds:.0f}")
            table.add("what Ray costs a picture, of a worker's time", f"{(steady - two) / count * 2000:.1f} ms", "")
            table.add("memory of a worker of its own", f"{memory / 1e6:.0f} MB", "")
        print("\nAll runs wrote the same bytes.")


if __name__ == "__main__":
    main()

"""Run the commands of the Dockerfile in a new virtual environment, for where there is no Docker.

    python scripts/try_dockerfile.py [PYTHON]

COPY, RUN, HEALTHCHECK and ENTRYPOINT are taken from the Dockerfile as they stand; /tmp/source becomes a folder of its
own, and users are not made. Then a picture is posted. PYTHON is the interpreter of the environment (default: this one).
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def instructions() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each instruction of the Dockerfile."""
    text = re.sub(r"\\\n", " ", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, rest = line.split(maxsplit=1)
            yield name, rest


def main() -> None:
    """Build, start, ask for its health, color a picture, and stop."""
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run([python, "-m", "venv", place / "venv"], check=True)
        environment = os.environ | {"PATH": f"{place / 'venv' / 'bin'}:{os.environ['PATH']}", "HOME": folder}
        environment.pop("PYTHONPATH", None)
        (place / "source").mkdir()
        health = entry = None
        for name, rest in instructions():
            rest = rest.replace("/tmp/source", str(place / "source"))
            print(name, rest, flush=True)
            if name == "COPY":
                *sources, target = rest.split()
                for source in (REPOSITORY / one for one in sources):
                    if source.is_dir():
                        ignore = shutil.ignore_patterns("__pycache__", ".mypy_cache")
                        shutil.copytree(source, target, ignore=ignore)
                    else:
                        shutil.copy(source, target)
            elif name == "RUN" and not rest.startswith("useradd"):
                subprocess.run(["sh", "-c", rest], check=True, env=environment, cwd=folder)
            elif name == "HEALTHCHECK":
                health = json.loads(rest.removeprefix("CMD "))
            elif name == "ENTRYPOINT":
                entry = json.loads(rest)
        absent = subprocess.run(
            ["python", "-c", "import tensorflow"], env=environment, stderr=subprocess.DEVNULL, check=False
        )
        assert absent.returncode == 1, "TensorFlow is there"
        server = subprocess.Popen(entry, env=environment, cwd=folder)
        try:
            for _ in range(60):
                time.sleep(0.5)
                asked = subprocess.run(health, env=environment, stderr=subprocess.DEVNULL, check=False)
                if asked.returncode == 0:
                    break
            else:
                raise SystemExit(f"not healthy: {shlex.join(health)}")
            picture = (REPOSITORY / "docs" / "images" / "strip.jpg").read_bytes()
            request = urllib.request.Request(
                "http://127.0.0.1:8000/color?format=png", picture, {"Content-Type": "image/jpeg"}
            )
            with urllib.request.urlopen(request) as answer:
                print(answer.status, answer.headers["Content-Type"], len(answer.read()), "bytes")
        finally:
            server.terminate()
        print("ended with", server.wait(20))


if __name__ == "__main__":
    main()

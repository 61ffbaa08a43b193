"""A short soak of the server; benchmarks/soak.py is the long one."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("psutil")
PATH = Path(__file__).parents[2] / "benchmarks" / "soak.py"


@pytest.mark.slow
def test_honest_clients_are_served_among_hostile_ones():
    """Of 200 mixed requests no honest one is lost or mixed up, and the server stays idle and in order at the end."""
    spec = importlib.util.spec_from_file_location("soak", PATH)
    soak = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(soak)
    figures = soak.soak(200, 0.6)
    assert figures["lost"] == 0
    assert figures["honest"] > 100
    assert figures["health"]["coloring"] == figures["health"]["waiting"] == 0

"""How benchmarks speak: one line a figure, measured against a peer or a limit in the same run."""

from __future__ import annotations


def line(name: str, value: float, unit: str, ratio: float, goal: float) -> bool:
    """Print `name value unit ratio goal PASS|FAIL`; whether the ratio is within its goal."""
    passed = ratio <= goal
    print(f"{name} {value:.3f} {unit} {ratio:.3f} {goal:g} {'PASS' if passed else 'FAIL'}", flush=True)
    return passed

"""Two tiers: few random examples in each run, and twenty times as many at night (``RAYMAP_TEST_TIER=nightly``), with the
tests and parameters that are marked ``nightly``: variants of what each run has tried in another way."""

from __future__ import annotations

import os
from typing import Any

import pytest

NIGHTLY = os.environ.get("RAYMAP_TEST_TIER") == "nightly"
TIMES = 20


def cases(count: int, variable: str = "RAYMAP_TEST_EXAMPLES") -> int:
    """How many cases a test tries: what an environment variable says, else ``count``, or more of them at night."""
    return int(os.environ.get(variable) or count * (TIMES if NIGHTLY else 1))


def at_night(*values: Any) -> Any:
    """Parameters of a test that a run by day leaves out."""
    return pytest.param(*values, marks=pytest.mark.nightly)

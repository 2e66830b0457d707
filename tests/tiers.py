"""Two tiers of random examples: few in each run, twenty times as many in one at night
(``RAYMAP_TEST_TIER=nightly``)."""

from __future__ import annotations

import os

NIGHTLY = os.environ.get("RAYMAP_TEST_TIER") == "nightly"
TIMES = 20


def cases(count: int, variable: str = "RAYMAP_TEST_EXAMPLES") -> int:
    """How many cases a test tries: what an environment variable says, else ``count``, or more of them at night."""
    return int(os.environ.get(variable) or count * (TIMES if NIGHTLY else 1))

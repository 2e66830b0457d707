"""The load of one sampler, the same for every SDK: decisions for three routes, a second at a time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

ROUTES = ("/checkout/7", "/health", "/products/3")
SLICES = 20
"""Bursts in which the requests of a second are made."""


def run(sampled: Callable[[str], bool]) -> None:
    """Ask for decisions; arguments: URL, begin (epoch seconds), seconds, requests a second and route.

    Prints a line for each second: [second, {route: [requests, sampled]}].
    """
    begin, seconds, rate = float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    for second in range(seconds):
        counts = {route: [0, 0] for route in ROUTES}
        for part in range(SLICES):
            time.sleep(max(0.0, begin + second + part / SLICES - time.time()))
            for _ in range(part, rate, SLICES):
                for route in ROUTES:
                    counts[route][0] += 1
                    counts[route][1] += sampled(route)
        print(json.dumps([second, counts]), flush=True)

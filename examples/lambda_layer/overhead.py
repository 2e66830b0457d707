"""What reading a function's events costs: cold starts and invocations with and without, in turn, under AWS's emulator.

python -m examples.lambda_layer.overhead --rie ~/go/bin/aws-lambda-rie
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from examples.lambda_layer.emulate import PYTHON, Function, installed_extension, queued
from examples.lambda_layer.stand_in import Platform

PROGRAM = PYTHON._replace(command=(*PYTHON.command[:-1], "examples.lambda_layer.overhead.handle"))
NOWHERE = "http://127.0.0.1:9"
"""Nothing is sent: the extension is the same but for the relay."""


def handle(event: dict[str, Any], context: object) -> int:
    """The least that a function does."""
    return len(event["Records"])


def measure(rie: str, events: str, batch: int, count: int) -> tuple[float, list[float]]:
    """Seconds of the cold start, and of each invocation after it."""
    os.environ["RAYMAP_LAMBDA_EVENTS"] = events
    root, sender = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}", secrets.token_hex(8)
    event = queued(root, sender, batch, time.time())
    times = []
    with tempfile.TemporaryDirectory() as spool:
        function = Function(rie, NOWHERE, Platform(), NOWHERE, spool, PROGRAM)
        try:
            for number in range(count + 1):
                begun = time.perf_counter()
                id = f"{secrets.token_hex(4)}-0000-4000-8000-{number:012x}"
                assert function.invoke(event, "", id) == batch
                times.append(time.perf_counter() - begun)
        finally:
            function.stop()
    return times[0], times[1:]


def _line(name: str, seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"{name}: p50 {cuts[49] * 1e3:.2f} ms, p99 {cuts[98] * 1e3:.2f} ms ({len(seconds)})"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rie", required=True, help="the emulator's binary")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--invocations", type=int, default=100, help="of each round")
    parser.add_argument("--batch", type=int, default=10)
    options = parser.parse_args()
    cold: dict[str, list[float]] = {"off": [], "on": []}
    warm: dict[str, list[float]] = {"off": [], "on": []}
    with installed_extension():
        for number in range(2 * options.rounds):
            events = ("off", "on")[(number + number // 2) % 2]
            first, others = measure(options.rie, events, options.batch, options.invocations)
            cold[events].append(first)
            warm[events] += others
    for events in ("off", "on"):
        print(_line(f"events {events}, cold start", cold[events]))
        print(_line(f"events {events}, invocation", warm[events]))


if __name__ == "__main__":
    main()

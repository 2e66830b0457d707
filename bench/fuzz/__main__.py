"""Fuzz decoders and parsers: nothing but the documented error, no input over a second, memory flat.

    python -m bench.fuzz --inputs 1000000 [--decoder otlp-logs --decoder filter] [--seed 1]

Inputs are the samples of tests/fuzz/corpus with changes, the same for the same seed. Prints a row for each
decoder, and what fails with the input in base64; exits with 1 if anything does.
"""

from __future__ import annotations

import argparse
import base64
import sys
import time
import traceback
from random import Random
from typing import NamedTuple

import psutil

from bench.fuzz.targets import TARGETS, Target
from collector.tuning import give_back_memory
from raymap.logging import set_up_logging

MAX_SECONDS = 1.0
"""CPU seconds of one input."""
MAX_BYTES = 1 << 20
"""Inputs are cut here: changes double parts of a sample again and again, up to 7 MB of valid records, and
work in proportion is none to find (requests of the greatest size: tests/raymap/test_worst_requests.py)."""
MAX_GROWTH = 64 << 20
"""Bytes of memory after the first inputs: what decoders remember has 37 MiB at most."""
_WARM = 20_000
"""Inputs after which caches are full, mostly: memory is compared with what it was then."""
_SHOWN = 5


class Outcome(NamedTuple):
    """What became of the inputs of a target. Memory in bytes."""

    name: str
    inputs: int
    seconds: float
    failures: list[tuple[bytes, str]]
    slowest: float
    slowest_input: bytes
    growth: int

    @property
    def failed(self) -> bool:
        return bool(self.failures) or self.slowest > MAX_SECONDS or self.growth > MAX_GROWTH

    def __str__(self) -> str:
        return (
            f"{self.name:<22} {self.inputs:>10,} {self.seconds:>8.1f} s {len(self.failures):>4} failures  "
            f"slowest {self.slowest * 1000:>7.1f} ms  {self.growth / (1 << 20):>+7.1f} MiB"
        )


def fuzz(target: Target, inputs: int, seed: int) -> Outcome:
    """Run so many inputs; stops after the tenth failure."""
    random, samples = Random(f"{target.name} {seed}"), target.samples()
    failures: list[tuple[bytes, str]] = []
    slowest, slowest_input = 0.0, b""
    warm = 0
    begun = time.process_time()
    for number in range(inputs):
        if number == min(_WARM, inputs // 2):
            warm = _memory()
        data = target.mutate(random.choice(samples), random.choice(samples), random)[:MAX_BYTES]
        before = time.thread_time()
        try:
            target.run(data)
        except target.documented:
            pass
        except Exception:
            failures.append((data, traceback.format_exc(limit=-8)))
            if len(failures) == 10:
                break
        spent = time.thread_time() - before
        if spent > slowest:
            slowest, slowest_input = spent, data
    seconds = time.process_time() - begun
    return Outcome(
        target.name, number + 1, seconds, failures, slowest, slowest_input, _memory() - warm
    )


def _memory() -> int:
    give_back_memory()
    return int(psutil.Process().memory_info().rss)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = [target.name for target in TARGETS]
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--decoder", action="append", choices=names)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    set_up_logging("error")
    failed = False
    for target in TARGETS:
        if options.decoder and target.name not in options.decoder:
            continue
        outcome = fuzz(target, options.inputs, options.seed)
        print(outcome, flush=True)
        for data, trace in outcome.failures[:_SHOWN]:
            print(trace, base64.b64encode(data[:20_000]).decode(), sep="\n", flush=True)
        if outcome.slowest > MAX_SECONDS:
            print("slow:", base64.b64encode(outcome.slowest_input[:20_000]).decode(), flush=True)
        if outcome.growth > MAX_GROWTH:
            print(f"grows: more than {MAX_GROWTH >> 20} MiB", flush=True)
        failed = failed or outcome.failed
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

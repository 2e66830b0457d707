"""Fuzz the same decoders and parsers guided by coverage.

    pip install atheris
    python -m bench.fuzz_guided --minutes 30 [--corpus FOLDER]

One input goes to the target that its first byte chooses. A crash ends the run, exits 1 and leaves the input in
``crash-*``; the closing line of libFuzzer counts the runs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["collector", "store", "raymap"]):
    from bench.fuzz.targets import TARGETS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--corpus", type=Path, help="keep and reuse interesting inputs here")
    options = parser.parse_args()
    corpus = options.corpus or Path(tempfile.mkdtemp(prefix="raymap-fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for number, target in enumerate(TARGETS):
        for place, sample in enumerate(target.samples()):
            (corpus / f"{target.name}-{place}").write_bytes(bytes([number]) + sample)
    arguments = [sys.argv[0], str(corpus), f"-max_total_time={int(options.minutes * 60)}"]
    atheris.Setup([*arguments, "-max_len=8192", "-rss_limit_mb=2000"], fuzz_one)
    atheris.Fuzz()


def fuzz_one(data: bytes) -> None:
    """One input."""
    if not data:
        return
    target = TARGETS[data[0] % len(TARGETS)]
    try:
        target.run(data[1:])
    except target.documented:
        return


if __name__ == "__main__":
    main()

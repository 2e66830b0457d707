"""Two real replicas (tests/store/replicated) under load, and what happens to them. Fails (exit code 1) unless what was
acknowledged is stored once and every map is right in time."""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from pathlib import Path

import structlog

from bench.replicated.cases import CASES, FAKETIME
from tests.store.replicated.rig import Rig


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.replicated", description=__doc__)
    parser.add_argument("cases", nargs="*", default=[*CASES], help=f"of {', '.join(CASES)}")
    parser.add_argument("--seconds", type=float, default=20.0, help="for which it lasts")
    options = parser.parse_args()
    if "clocks" in options.cases and FAKETIME not in os.environ:
        parser.error(
            f"clocks needs {FAKETIME}, the path of libfaketime.so.1 (Debian's package libfaketime)"
        )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="raymap-bench-", dir="/dev/shm") as folder:
        rig = Rig(Path(folder))
        try:
            rig.start()
            for name in options.cases:
                print(f"{name}: {CASES[name].__doc__}", flush=True)
                wrong += CASES[name](rig, options.seconds)
        finally:
            rig.stop()
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())

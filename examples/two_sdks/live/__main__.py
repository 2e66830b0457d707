"""Runs what this machine has the tools for, and prints one table of all runs."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from examples.two_sdks.diff import Graph, differences
from examples.two_sdks.live import fake_aws, plan
from examples.two_sdks.live.programs import Run, prepare, prepare_each, runs
from examples.two_sdks.live.record import Recorder
from examples.two_sdks.live.servers import raymap, settled, visit
from examples.two_sdks.live.table import tables

BUILD = Path.home() / ".cache" / "raymap-two-sdks"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.two_sdks.live", description=__doc__)
    parser.add_argument("--only", default="", help="runs whose names contain this")
    parser.add_argument("--build", type=Path, default=BUILD, help="folder for builds")
    parser.add_argument("--record", type=Path, help="folder for what the SDKs send")
    options = parser.parse_args()
    options.build.mkdir(parents=True, exist_ok=True)
    selected = [run for run in runs(options.build) if options.only.lower() in run.name.lower()]
    skipped = prepare_each((run.language for run in selected), options.build, prepare)
    ready = [run for run in selected if run.language not in skipped]
    graphs, failed = _run(ready, options.build, options.record)
    print(tables(graphs))
    outcomes = plan.ONCE if options.record else plan.OUTCOMES
    for name, graph in graphs.items():
        known = plan.known_of(name)
        for service in sorted(known.unnamed):
            print(f"{name}: known: records no resource of {service}")
        for service in sorted(known.without_status):
            print(f"{name}: known: records no status of some failures of {service}")
        if known.without_server:
            print(f"{name}: known: does not see the HTTP server")
        wanted = plan.expected(outcomes, known)
        for difference in differences(wanted, graph, ("the plan", "this run")):
            print(f"{name}: UNEXPECTED: {difference}")
    for run in selected:
        if run.language in skipped:
            print(f"SKIPPED {run.name}: {skipped[run.language]}", file=sys.stderr)
    for name, reason in failed.items():
        print(f"FAILED {name}: {reason!r}", file=sys.stderr)
    sys.exit(1 if failed or not graphs else 0)


def _run(
    ready: list[Run], build: Path, record: Path | None
) -> tuple[dict[str, Graph], dict[str, Exception]]:
    """The map of each run, and what went wrong with those that have none."""
    graphs: dict[str, Graph] = {}
    failed: dict[str, Exception] = {}
    with fake_aws.serving() as aws:
        for run in ready:
            print(f"running {run.name}", file=sys.stderr)
            try:
                graphs[run.name] = _map(run, build, aws, record)
            except (OSError, RuntimeError, subprocess.TimeoutExpired) as reason:
                failed[run.name] = reason
    return graphs, failed


def _map(run: Run, build: Path, aws: str, record: Path | None) -> Graph:
    """The map that one run makes on an empty Raymap; its payloads are written to ``record``."""
    outcomes = plan.ONCE if record else plan.OUTCOMES
    began = time.time()
    with raymap() as server:
        if record is None:
            visit(run, build, aws, server, outcomes)
        else:
            with Recorder(server) as recorder:
                visit(run, build, aws, recorder.addresses, outcomes)
            recorder.write(record, run)
        return settled(server, began, plan.expected(outcomes, plan.known_of(run.name)))


if __name__ == "__main__":
    main()

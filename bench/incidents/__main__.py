"""Plays scripted incidents through the receivers of a real server, and judges the line that it has for each.

Each incident has a server, a map's traffic with its noise, an hour that is learnt from, one that has to be quiet, and the
incident. Everything is sent with timestamps of the past and judged by `raymap problems replay`.

    python -m bench.incidents --seed 1
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from bench.incidents.play import play
from bench.incidents.score import Verdict, judge
from bench.incidents.script import Incident, read_incidents, read_shop
from bench.incidents.world import DAY, World

WEDNESDAY = 6
"""1970-01-07: a weekday before which there was another one."""
AFTERNOON = 14 * 60
ENOUGH = 0.9
"""Part of the incidents whose node, and whose beginning, have to be right."""


def main() -> int:
    """Print a line for each incident, and the totals; 1 if they are not good enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the traffic and its noise")
    parser.add_argument("--only", default="", help="incidents whose name contains this")
    parser.add_argument("--at-once", type=int, default=2, help="servers")
    options = parser.parse_args()
    chosen = [
        (number, each) for number, each in enumerate(read_incidents()) if options.only in each.name
    ]
    verdicts: list[Verdict] = []
    with ProcessPoolExecutor(options.at_once) as pool:
        for (_, incident), (verdict, costs) in zip(
            chosen, pool.map(partial(_run, options.seed), chosen), strict=True
        ):
            verdicts.append(verdict)
            _print(incident, verdict, costs)
    return _totals(verdicts)


def _run(seed: int, chosen: tuple[int, Incident]) -> tuple[Verdict, str]:
    number, incident = chosen
    days = int(time.time()) // 60 // DAY - 2
    onset = (days - (days - WEDNESDAY) % 7) * DAY + AFTERNOON
    world = World(read_shop(), incident, 1000 * seed + number, onset - incident.history)
    played = play(world, 7000 * seed + number)
    costs = ", ".join(f"{name} {value:.0f} s" for name, value in played.seconds.items())
    return judge(played), f"{played.spans:,} spans; {costs}"


def _print(incident: Incident, verdict: Verdict, costs: str) -> None:
    where = f"{incident.source} → {incident.at}" if incident.source else incident.at
    print(f"\n{incident.name}: {where} ({incident.what})")
    print(f"    {verdict.text or 'no line'}")
    words = [f"node {_mark(verdict.node)}", f"since {_mark(verdict.since)}"]
    if verdict.late is not None:
        words[-1] += f" ({verdict.late:+.0f} min, found in minute {verdict.found:.0f})"
    words.append(f"callers {_mark(verdict.callers)}")
    if verdict.missing:
        words.append(f"not named: {', '.join(verdict.missing)}")
    if verdict.strange:
        words.append(f"named: {', '.join(verdict.strange)}")
    print(f"    {'; '.join(words)}; {costs}")
    for each in verdict.others:
        print(f"    besides: {each}")
    for each in verdict.quiet:
        print(f"    in the quiet hour: {each}")
    sys.stdout.flush()


def _mark(right: bool) -> str:
    return "right" if right else "WRONG"


def _totals(verdicts: list[Verdict]) -> int:
    many = len(verdicts)
    nodes, since = sum(each.node for each in verdicts), sum(each.since for each in verdicts)
    callers, quiet = (
        sum(each.callers for each in verdicts),
        sum(len(each.quiet) for each in verdicts),
    )
    others = sum(len(each.others) for each in verdicts)
    print(
        f"\nof {many}: node {nodes}, since ± 1 min {since}, callers {callers}; {others} further lines; "
        f"{quiet} lines in {many} quiet hours"
    )
    return int(min(nodes, since) < ENOUGH * many or quiet > 0)


if __name__ == "__main__":
    raise SystemExit(main())

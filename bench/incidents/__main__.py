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
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from typing import Any

from bench.incidents.play import Played, play
from bench.incidents.script import Incident, read_incidents, read_shop
from bench.incidents.traffic import Handled
from bench.incidents.world import DAY, LENGTH, World

SURE = 1
"""Minutes by which the beginning may be wrong."""
FAILING, SLOWER, LEAST = 0.05, 1.5, 5
"""What makes a caller one that has to be named: an excess of failures, or times as long, and requests a minute."""


@dataclass(frozen=True)
class Verdict:
    """``text``: line 1 of the strip while the incident lasted, or how the first line in the quiet hour read."""

    text: str
    node: bool
    late: float | None
    """Minutes from the onset to what the line says of it."""
    found: float | None
    """Minutes from the onset until there was a line."""
    missing: tuple[str, ...]
    """Callers that should be named."""
    strange: tuple[str, ...]
    """What is named and does not depend on the node."""
    others: tuple[str, ...]
    """Further lines."""
    quiet: tuple[str, ...]
    """Lines in the quiet hour."""

    @property
    def since(self) -> bool:
        """Whether the beginning is right."""
        return self.late is not None and abs(self.late) <= SURE

    @property
    def callers(self) -> bool:
        """Whether the callers are."""
        return bool(self.text) and not self.missing and not self.strange


def judge(played: Played) -> Verdict:
    """Line 1, whether it is right, and what there was besides."""
    world = played.world
    onset, end = world.onset * 60, world.end * 60
    quiet = [each for each in played.events if each["at"] < onset and each["event"] == "opened"]
    strip = [each for each in played.events if onset <= each["at"] < end]
    first = next((each for each in reversed(strip) if each["rank"] == 1), None)
    if first is None:
        lines = tuple(each["problem"]["text"] for each in quiet)
        return Verdict("", False, None, None, (), (), (), lines)
    id = first["problem"]["id"]
    own = [each for each in played.events if each["problem"]["id"] == id]
    last = own[-1]["problem"]
    named = {_name(each) for each in (*last["entries"], *last["callers"])} - {world.incident.at}
    may = world.shop.callers(world.incident.at)
    must = {name for name in may if _is_hit(played, name)}
    others = {
        each["problem"]["id"]: each["problem"]["text"]
        for each in played.events
        if each["at"] >= onset and each["problem"]["id"] != id
    }
    return Verdict(
        text=first["problem"]["text"],
        node=_name(first["problem"]["origin"]) == world.incident.at,
        late=(first["problem"]["since"] - onset) / 60,
        found=(min(each["at"] for each in own if each["at"] >= onset) - onset) / 60 + 1,
        missing=tuple(sorted(must - named)),
        strange=tuple(sorted(named - may)),
        others=tuple(others.values()),
        quiet=tuple(each["problem"]["text"] for each in quiet),
    )


def _name(node: dict[str, Any]) -> str:
    """A database is called ``name@host``."""
    return str(node["name"]).partition("@")[0]


def _is_hit(played: Played, name: str) -> bool:
    before, during = played.handled[name, False], played.handled[name, True]
    if during.requests < LEAST * LENGTH or not before.requests:
        return False
    failing = during.bad / during.requests - before.bad / before.requests
    slower = max(b / a for a, b in zip(_quantiles(before), _quantiles(during), strict=True))
    return failing >= FAILING or slower >= SLOWER


def _quantiles(handled: Handled) -> tuple[float, float]:
    tenths = quantiles(handled.times, n=10)
    return tenths[4], tenths[8]


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

"""Judges what a replay has said of an incident, by what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from bench.incidents.play import Played
from bench.incidents.traffic import Handled
from bench.incidents.world import LENGTH

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

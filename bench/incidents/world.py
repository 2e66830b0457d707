"""How a minute of a world is: how many requests there are, how each node is doing, what the incident does. Quiet minutes are
not clean: a daily season, failure rates and times that vary, bursts of client errors, deployments with bad minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from bench.incidents.script import CLIENTS, Incident, Kind, Shop

DAY = 1440
QUIET, LENGTH, AFTER = 60, 40, 15
"""Minutes before the incident that have to be quiet, those of the incident, and those after it."""
MIDDAY = 14 * 60
BURST, DEPLOY = 1 / 110, 1 / 90
"""How many begin a minute."""


@dataclass
class Condition:
    """Of a node in a minute: shares that fail, and times as long as usual."""

    fault: float
    error: float
    slower: float


class World:
    """``first``: the minute since the epoch in which it begins."""

    def __init__(self, shop: Shop, incident: Incident, seed: int, first: int) -> None:
        self.shop, self.incident, self.first = shop, incident, first
        self.onset = first + incident.history
        self.end = self.onset + LENGTH
        self.last = self.end + AFTER
        """The minute after the last one."""
        random = self._random = Random(seed)
        self._amplitude, self._level = random.uniform(0.2, 0.4), 0.0
        self._scale = {each: random.uniform(0.8, 1.25) for each in shop.entries}
        self._fault = {name: 10 ** random.uniform(-4.3, -2.3) for name in shop.nodes}
        for node in shop.nodes.values():
            for call in node.calls:
                if call.optional:  # what is tolerated is often broken
                    self._fault[call.target] = 10 ** random.uniform(-2.5, -1.4)
        self._error = {name: 10 ** random.uniform(-3.5, -1.7) for name in shop.nodes}
        self._shape = {name: random.choice((1.0, 2.0, 5.0)) for name in shop.nodes}
        self._drift = dict.fromkeys(shop.nodes, 0.0)
        self._bursts: dict[str, tuple[int, float]] = {}
        self._bad: dict[str, tuple[int, float, float]] = {}
        self.versions = dict.fromkeys(shop.nodes, 1)
        self.deployed: list[tuple[int, str, str]] = []
        """Minute, service and version of each deployment."""

    def is_on(self, minute: int) -> bool:
        """Whether the incident lasts."""
        return self.onset <= minute < self.end

    def requests(self, minute: int) -> dict[str, float]:
        """What clients send to each entry, on average."""
        incident = self.incident
        self._level = 0.97 * self._level + self._random.gauss(0, 0.01)
        season = 1 + self._amplitude * math.cos(2 * math.pi * (minute % DAY - MIDDAY) / DAY)
        load = incident.load * season * math.exp(self._level)
        found = {name: rate * self._scale[name] * load for name, rate in self.shop.entries.items()}
        if self.is_on(minute) and incident.source == CLIENTS:
            found[incident.at] *= incident.calls
        return found

    def conditions(self, minute: int) -> dict[str, Condition]:
        """Of all nodes, without what only some requests of the incident get."""
        random = self._random
        self._disturb(minute)
        found = {}
        for name in self.shop.nodes:
            drift = self._drift[name] = 0.9 * self._drift[name] + random.gauss(0, 0.01)
            shape = self._shape[name]
            fault = self._fault[name] * random.gammavariate(shape, 1 / shape)
            error = self._error[name] * random.gammavariate(shape, 1 / shape)
            until, burst = self._bursts.get(name, (0, 0.0))
            error += burst if minute < until else 0
            until, bad, slower = self._bad.get(name, (0, 0.0, 1.0))
            is_bad = minute < until
            fault += bad if is_bad else 0
            found[name] = Condition(fault, error, math.exp(drift) * (slower if is_bad else 1))
        return found

    def _disturb(self, minute: int) -> None:
        random = self._random
        services = [each.name for each in self.shop.nodes.values() if each.kind is Kind.SERVICE]
        if minute == self.onset and self.incident.version:
            self._deploy(minute, self.incident.at)
        if random.random() < BURST:
            name = random.choice(services)
            self._bursts[name] = minute + random.randint(1, 3), random.uniform(0.03, 0.25)
        if random.random() < DEPLOY:
            name = random.choice(services)
            if name != self.incident.at:
                bad = random.uniform(0.003, 0.03), random.uniform(1.05, 1.3)
                self._bad[name] = (minute + random.randint(1, 3), *bad)
                self._deploy(minute, name)

    def _deploy(self, minute: int, name: str) -> None:
        self.versions[name] += 1
        self.deployed.append((minute, name, f"v{self.versions[name]}"))

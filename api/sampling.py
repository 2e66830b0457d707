"""Central sampling: the default rule, and quotas for reporting clients (docs/xray-format.md §8).

`Sampler` keeps the state of reporting clients in this process; the arithmetic is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

DEFAULT_RULE = "Default"
INTERVAL = 10
"""Seconds between reports of a client."""
LIVE = 3 * INTERVAL
"""Seconds without a report after which a client is forgotten; also the TTL of a quota."""
STATISTICS_TTL = 1800
"""Seconds that statistics are retained for GetSamplingStatisticSummaries."""
MAX_CLIENTS = 10_000


class Report(Struct, frozen=True):
    """Counts of one client since its last report. Whether ``sampled`` includes ``borrowed`` differs
    between SDKs, so nothing here depends on it."""

    rule: str
    client: str
    requests: int
    sampled: int
    borrowed: int


class Rule(Struct, frozen=True):
    """The default rule, which matches every request."""

    rate: float
    reservoir: int
    modified: float


class Target(Struct, frozen=True):
    """Sampling rate and quota of a client until ``expires`` (epoch seconds)."""

    rate: float
    quota: int
    expires: float


class Window(Struct):
    """Counts of all clients in ten seconds."""

    requests: int = 0
    sampled: int = 0
    borrowed: int = 0


def share_out(reservoir: int, traffic: Mapping[str, int]) -> dict[str, int]:
    """Quotas of clients in proportion to their traffic, which add up to the reservoir.

    Largest-remainder method; without any traffic the quotas are equal.
    """
    weights = traffic if any(traffic.values()) else dict.fromkeys(traffic, 1)
    total = sum(weights.values())
    quotas = {client: reservoir * weight // total for client, weight in weights.items()}
    left = reservoir - sum(quotas.values())
    by_remainder = sorted(weights, key=lambda c: (-(reservoir * weights[c] % total), c))
    for client in by_remainder[:left]:
        quotas[client] += 1
    return quotas


class Sampler:
    """The sampling rule and the clients reporting to this process. Not thread-safe."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self.rule = Rule(rate, reservoir=1, modified=float(int(clock())))
        self._clock = clock
        self._clients: dict[str, tuple[float, int]] = {}
        self._windows: dict[int, Window] = {}

    def report(self, report: Report) -> Target | None:
        """Record a report and return the client's new target; None for an unknown rule."""
        if report.rule != DEFAULT_RULE:
            return None
        now = self._clock()
        self._forget(now)
        if report.client in self._clients or len(self._clients) < MAX_CLIENTS:
            self._clients[report.client] = (now, report.requests)
        window = self._windows.setdefault(int(now) // INTERVAL * INTERVAL, Window())
        window.requests += report.requests
        window.sampled += report.sampled
        window.borrowed += report.borrowed
        traffic = {client: requests for client, (_, requests) in self._clients.items()}
        quota = share_out(self.rule.reservoir, traffic).get(report.client, 0)
        return Target(self.rule.rate, quota, float(int(now) + LIVE))

    def windows(self) -> dict[int, Window]:
        """Recent statistics by the start of each ten seconds."""
        self._forget(self._clock())
        return dict(self._windows)

    def _forget(self, now: float) -> None:
        gone = [client for client, (seen, _) in self._clients.items() if seen < now - LIVE]
        for client in gone:
            del self._clients[client]
        old = [start for start in self._windows if start < now - STATISTICS_TTL]
        for start in old:
            del self._windows[start]


def render_rule(rule: Rule) -> dict[str, Any]:
    """The rule as a SamplingRuleRecord, limited to members that every SDK knows (§8.4)."""
    return {
        "SamplingRule": {
            "RuleName": DEFAULT_RULE,
            "RuleARN": f"arn:aws:xray:local::sampling-rule/{DEFAULT_RULE}",
            "ResourceARN": "*",
            "Priority": 10000,
            "FixedRate": rule.rate,
            "ReservoirSize": rule.reservoir,
            "ServiceName": "*",
            "ServiceType": "*",
            "Host": "*",
            "HTTPMethod": "*",
            "URLPath": "*",
            "Version": 1,
            "Attributes": {},
        },
        "CreatedAt": 0.0,
        "ModifiedAt": rule.modified,
    }

"""Central sampling: rules, quotas and boosts for reporting clients (docs/xray-format.md §8).

All API processes give the same answers, because these are functions of what clients reported in
earlier windows of ten seconds, which is in the store. The quotas of a rule that are valid at any
moment add up to its reservoir at most, and exactly to it while clients and traffic stay the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from api.sampling_rules import all_rules
from store.config.protocol import Configuration, SamplingReport
from store.config.records import SamplingRule
from store.errors import StoreUnavailable
from store.model import TimeRange
from store.protocol import Store

SECOND = 1_000_000
INTERVAL = 10
"""Seconds between reports of a client, and the length of a window."""
LIVE = 3 * INTERVAL
"""Seconds without a report after which a client takes no part."""
SETTLE = 2
"""Seconds in which the reports of all processes are stored and visible."""
OVERLAP = 3
"""Windows in which a quota is valid: that in which it is given, and the two after."""
BOOST_SECONDS = 60
"""How long a boost lasts."""
CONFIGURATION_SECONDS = 1.0
"""Age of the configuration that clients are answered from, at most."""

Weights = Mapping[str, Mapping[str, int]]
"""Requests by rule and client."""


class Target(Struct, frozen=True):
    """What a client is to do. ``quota`` and ``expires`` (epoch seconds) are None before the client
    has a share; ``boost``: rate and expiry."""

    rate: float
    quota: int | None
    expires: float | None


class Boost(Struct, frozen=True):
    """A raised sampling rate until ``expires`` (epoch seconds)."""

    rate: float
    expires: float


def coarse(requests: int) -> int:
    """A count rounded to two binary digits.

    Exact counts move from report to report, and shares with them; a client gets the least of its
    latest shares, so quotas would add up to less than the reservoir all the time.
    """
    step = 1 << max(0, requests.bit_length() - 2)
    return (requests + step // 2) // step * step


def share_out(reservoir: int, traffic: Mapping[str, int]) -> dict[str, int]:
    """Quotas of clients in proportion to their traffic, which add up to the reservoir.

    Largest-remainder method on `coarse` traffic; without any traffic the quotas are equal.
    """
    weights = {client: coarse(requests) for client, requests in traffic.items()}
    weights = weights if any(weights.values()) else dict.fromkeys(traffic, 1)
    total = sum(weights.values())
    quotas = {client: reservoir * weight // total for client, weight in weights.items()}
    left = reservoir - sum(quotas.values())
    by_remainder = sorted(weights, key=lambda c: (-(reservoir * weights[c] % total), c))
    for client in by_remainder[:left]:
        quotas[client] += 1
    return quotas


def reports_of(window: int) -> TimeRange:
    """The span of the reports that the shares of a window (its number since the epoch) follow."""
    end = (window * INTERVAL - SETTLE) * SECOND
    return TimeRange(end - LIVE * SECOND, end)


def weights_of(reports: Iterable[SamplingReport]) -> dict[str, dict[str, int]]:
    """Requests by rule and client."""
    weights: dict[str, dict[str, int]] = {}
    for report in reports:
        weights.setdefault(report.rule, {})[report.client] = report.requests
    return weights


def quota_of(shares: list[dict[str, int]], client: str) -> int | None:
    """A client's quota, given the shares in a rule in the `OVERLAP` last windows, newest first.

    The least of its shares: every quota that is still valid is at most its client's share in the
    oldest of these windows that has any, and those shares add up to the reservoir.
    """
    if client not in shares[0]:
        return None
    return min(share.get(client, 0) for share in shares if share)


def boost_rate(rule: SamplingRule, anomalies: int) -> float:
    """The rate at which about one anomaly per second is recorded, within the rule's limits."""
    assert rule.boost is not None
    needed = INTERVAL / anomalies if anomalies else 0.0
    return min(rule.boost.max_rate, max(rule.rate, needed))


class Sampler:
    """Answers clients from the store, which it reads once for each window."""

    def __init__(self, store: Store, rate: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._configuration: tuple[float, Configuration] | None = None
        self._weights: dict[int, Weights] = {}
        self._shares: dict[tuple[int, str, int], dict[str, int]] = {}
        self._boosts: tuple[int, dict[tuple[str, str], Boost]] = (-1, {})

    def rules(self, configuration: Configuration) -> dict[str, SamplingRule]:
        """All rules by name, in the order in which clients try them."""
        return all_rules(configuration, self._rate)

    def configuration(self) -> Configuration:
        """The configuration, a second old at most; older while the store is unavailable."""
        with self._lock:
            now, known = self._clock(), self._configuration
            if known is not None and 0 <= now - known[0] < CONFIGURATION_SECONDS:
                return known[1]
            try:
                found = self._store.read_configuration()
            except StoreUnavailable:
                if known is None:
                    raise
                return known[1]
            self._configuration = now, found
            return found

    def forget(self) -> None:
        """Read the configuration again, after this process has changed it."""
        with self._lock:
            self._configuration = None

    def target(self, rule: SamplingRule, client: str) -> Target:
        """What a client is to do until its next report."""
        window = int(self._clock()) // INTERVAL
        quota = quota_of([self._share(window - n, rule) for n in range(OVERLAP)], client)
        expires = None if quota is None else float((window + OVERLAP) * INTERVAL)
        return Target(rule.rate, quota, expires)

    def boost(self, rule: SamplingRule, service: str) -> Boost | None:
        """The raised rate of a rule for a service, if anomalies were missed recently."""
        window = int(self._clock()) // INTERVAL
        with self._lock:
            if self._boosts[0] != window:
                self._boosts = window, {}
            boosts = self._boosts[1]
            if (rule.name, "") not in boosts:
                boosts[rule.name, ""] = Boost(0, 0)  # marks the rule as read in this window
                boosts.update(self._read_boosts(rule, window))
            boost = boosts.get((rule.name, service))
        return boost if boost is not None and boost.expires > window * INTERVAL else None

    def _read_boosts(self, rule: SamplingRule, window: int) -> dict[tuple[str, str], Boost]:
        """The one boost of each service in the current cooldown window of a rule."""
        if rule.boost is None:
            return {}
        end = window * INTERVAL - SETTLE
        cooldown = rule.boost.cooldown_minutes * 60 or BOOST_SECONDS
        span = TimeRange(end // cooldown * cooldown * SECOND, end * SECOND)
        boosts = {}
        for report in self._store.first_anomalies(rule.name, span):
            # In force from the window after the report on, as all processes see it then.
            begins = -(-(report.at // SECOND + SETTLE) // INTERVAL) * INTERVAL
            rate = boost_rate(rule, report.anomalies)
            if rate > rule.rate:
                boosts[rule.name, report.service] = Boost(rate, float(begins + BOOST_SECONDS))
        return boosts

    def _share(self, window: int, rule: SamplingRule) -> dict[str, int]:
        key = window, rule.name, rule.reservoir
        with self._lock:
            if key not in self._shares:
                traffic = self._read_weights(window).get(rule.name, {})
                self._shares[key] = share_out(rule.reservoir, traffic) if traffic else {}
            return self._shares[key]

    def _read_weights(self, window: int) -> Weights:
        """Requests by rule and client for a window, read once; those of old windows are dropped."""
        if window not in self._weights:
            reports = self._store.last_sampling_reports(reports_of(window))
            self._weights[window] = weights_of(reports)
            oldest = max(self._weights) - OVERLAP
            self._weights = {n: w for n, w in self._weights.items() if n > oldest}
            self._shares = {key: s for key, s in self._shares.items() if key[0] > oldest}
        return self._weights[window]


def render_target(rule: str, target: Target, boost: Boost | None) -> dict[str, Any]:
    """A SamplingTargetDocument; members that mean nothing are absent (docs/xray-format.md §8.4)."""
    rendered: dict[str, Any] = {
        "RuleName": rule,
        "FixedRate": target.rate,
        "Interval": INTERVAL,
    }
    if target.quota is not None:
        rendered |= {"ReservoirQuota": target.quota, "ReservoirQuotaTTL": target.expires}
    if boost is not None:
        rendered["SamplingBoost"] = {"BoostRate": boost.rate, "BoostRateTTL": boost.expires}
    return rendered

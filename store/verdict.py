"""Does a new version of a service do worse than the one before? Statistical tests, pure.

A check fails only if the difference is significant *and* large enough to matter (a practical floor):
of two equal versions less than one in a hundred fails, and with millions of requests a difference that
no user would notice does not fail. The tests need no library: Fisher's exact test is a sum of
hypergeometric terms by `math.lgamma`, the rank test a normal approximation with correction for ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from math import erfc, exp, lgamma, sqrt
from typing import Literal, NamedTuple

from store.graph import Statistics
from store.model import NodeKey
from store.rules.histogram import percentiles

ALPHA = {"fault": 0.005, "throttle": 0.001, "latency": 0.001}
"""Significance of each check: with that of the calls they fail less than 1 % of equal versions. Most of it
is spent on faults."""
EDGE_ALPHA = 0.001
"""Significance of all calls of a version together."""
SHARE_FLOOR = 0.005
"""A share that grows by less than half a point does not fail."""
TIME_FLOOR = 0.10
"""A percentile that grows by less than a tenth does not fail; a histogram's buckets are 5 % wide."""
TIME_FLOOR_US = 5_000
"""Nor does one that grows by less than 5 ms."""
MIN_REQUESTS = 50
"""Finished requests that each version needs."""
NEGLIGIBLE = 1e-18
"""Terms of a sum of probabilities that need not be added."""


class Outcome(StrEnum):
    """A verdict. ``insufficient`` says that there is none yet: it is no pass."""

    PASS = "pass"
    FAIL = "fail"
    INSUFFICIENT = "insufficient"


CheckName = Literal["fault", "throttle", "latency"]
ChangeKind = Literal["new", "vanished", "failing"]


class Check(NamedTuple):
    """One comparison. ``baseline`` and ``candidate`` are shares, or times in microseconds; ``p`` is
    the probability of such a difference between equal versions."""

    name: CheckName
    baseline: float
    candidate: float
    p: float
    fails: bool
    text: str


class EdgeUse(NamedTuple):
    """Requests of a version that called a node, and those of them in which such a call failed."""

    requests: int
    failed: int


class EdgeChange(NamedTuple):
    """A node that the candidate calls otherwise than the baseline."""

    target: NodeKey
    kind: ChangeKind
    baseline: EdgeUse
    candidate: EdgeUse
    p: float


class Side(NamedTuple):
    """What is known of a version. ``statistics``: each segment once, however it was sampled.

    ``edges``: of the ``traced`` requests whose traces were read. ``unknown``: requests of which nothing
    says whether they failed (`store.invocation_evidence.is_unknown`); in the statistics they are ok.
    """

    version: str
    statistics: Statistics
    edges: Mapping[NodeKey, EdgeUse]
    traced: int
    unknown: int = 0


class Verdict(NamedTuple):
    """The outcome, each check, how the calls changed, and why in sentences."""

    outcome: Outcome
    checks: list[Check]
    edges: list[EdgeChange]
    reasons: list[str]


def without_pass(verdict: Verdict, reason: str) -> Verdict:
    """The verdict where not everything is known yet: what fails fails, and nothing passes."""
    outcome = Outcome.INSUFFICIENT if verdict.outcome is Outcome.PASS else verdict.outcome
    return verdict._replace(outcome=outcome, reasons=[reason, *verdict.reasons])


def judge(
    baseline: Side,
    candidate: Side,
    *,
    min_requests: int = MIN_REQUESTS,
    vanished_fails: bool = False,
) -> Verdict:
    """Compare two versions.

    A node that only the candidate calls, and where its calls fail, or that fails more often, fails
    the candidate; one that it no longer calls is reported, and fails it with ``vanished_fails``. What is
    known may fail it; it passes only if of enough requests it is known how they ended.
    """
    few = [side for side in (baseline, candidate) if side.statistics.total < max(1, min_requests)]
    if few:
        return Verdict(Outcome.INSUFFICIENT, [], [], [_too_few(side, min_requests) for side in few])
    old, new = baseline.statistics, candidate.statistics
    checks = [
        compare_shares("fault", old.fault, old.total, new.fault, new.total),
        compare_shares("throttle", old.throttle, old.total, new.throttle, new.total),
        compare_times(old.histogram, new.histogram),
    ]
    changes = edge_changes(baseline, candidate)
    failing = [
        c for c in changes if c.kind == "failing" or (vanished_fails and c.kind == "vanished")
    ]
    reasons = [c.text for c in checks if c.fails] + [
        _edge_text(c, baseline, candidate) for c in failing
    ]
    reached = Verdict(Outcome.FAIL if reasons else Outcome.PASS, checks, changes, reasons)
    for side in (candidate, baseline):
        if side.unknown and side.statistics.total - side.unknown < min_requests:
            reached = without_pass(reached, _unknown_text(side))
    return reached


def _too_few(side: Side, least: int) -> str:
    return f"version {side.version} has {side.statistics.total:,} finished requests, {least:,} are needed"


def _unknown_text(side: Side) -> str:
    return (
        f"version {side.version}: of {side.unknown:,} of {side.statistics.total:,} requests nothing says "
        "whether the handler failed; send the function's log lines (docs/lambda.md)"
    )


def compare_shares(name: CheckName, old: int, old_total: int, new: int, new_total: int) -> Check:
    """Whether the share of requests that ended so grew."""
    before, after = old / old_total, new / new_total
    p = fisher(old, old_total, new, new_total)
    text = (
        f"{name}s: {new:,} of {new_total:,} requests ({after:.2%}), before {old:,} of {old_total:,} "
        f"({before:.2%}); p = {p:.2g}"
    )
    return Check(name, before, after, p, p < ALPHA[name] and after - before >= SHARE_FLOOR, text)


def compare_times(old: Mapping[int, int], new: Mapping[int, int]) -> Check:
    """Whether response times grew, and by how much at the median or the 95th percentile."""
    p = rank_test(old, new)
    befores, afters = (percentiles(dict(each), (0.5, 0.95)) for each in (old, new))
    growths = [
        (after - before, before, after, name)
        for before, after, name in zip(befores, afters, ("median", "95th percentile"), strict=True)
        if before is not None and after is not None
    ]
    large = [g for g in growths if g[0] >= max(TIME_FLOOR * g[1], TIME_FLOOR_US)]
    _, before, after, name = max(large or growths, default=(0, 0, 0, "median"))
    text = f"latency: {name} {after / 1000:g} ms, before {before / 1000:g} ms; p = {p:.2g}"
    return Check("latency", before, after, p, p < ALPHA["latency"] and bool(large), text)


def edge_changes(baseline: Side, candidate: Side) -> list[EdgeChange]:
    """Nodes that are called significantly more or less often, by the requests that were read."""
    if not baseline.traced or not candidate.traced:
        return []
    targets = sorted(baseline.edges.keys() | candidate.edges.keys())
    least = EDGE_ALPHA / max(1, len(targets))
    return [
        change
        for target in targets
        if (change := _edge_change(target, baseline, candidate)) is not None and change.p < least
    ]


def _edge_change(target: NodeKey, baseline: Side, candidate: Side) -> EdgeChange | None:
    none = EdgeUse(0, 0)
    old, new = baseline.edges.get(target, none), candidate.edges.get(target, none)
    totals = baseline.traced, candidate.traced
    p = fisher(old.failed, totals[0], new.failed, totals[1])
    grown = new.failed / totals[1] - old.failed / totals[0]
    if grown >= SHARE_FLOOR and p < EDGE_ALPHA:
        return EdgeChange(target, "failing", old, new, p)
    if not old.requests:
        p = fisher(0, totals[0], new.requests, totals[1])
        return EdgeChange(target, "new", old, new, p)
    if not new.requests:
        return EdgeChange(
            target, "vanished", old, new, fisher(0, totals[1], old.requests, totals[0])
        )
    return None


def _edge_text(change: EdgeChange, baseline: Side, candidate: Side) -> str:
    old, new = change.baseline, change.candidate
    if change.kind == "vanished":
        return (
            f"{change.target.name} is no longer called; before in {old.requests:,} of "
            f"{baseline.traced:,} requests; p = {change.p:.2g}"
        )
    return (
        f"calls to {change.target.name} failed in {new.failed:,} of {candidate.traced:,} requests, "
        f"before in {old.failed:,} of {baseline.traced:,}; p = {change.p:.2g}"
    )


def fisher(old: int, old_total: int, new: int, new_total: int) -> float:
    """Fisher's exact test, one-sided: the probability of at least ``new`` of ``new_total`` when
    ``old`` + ``new`` fall among all by chance."""
    hits, total = old + new, old_total + new_total
    if new * old_total > old * new_total:
        return min(1.0, _sum_of_terms(hits, total, new_total, range(new, min(hits, new_total) + 1)))
    lowest = max(0, hits - old_total)
    return max(0.0, 1.0 - _sum_of_terms(hits, total, new_total, range(new - 1, lowest - 1, -1)))


def _sum_of_terms(hits: int, total: int, drawn: int, range_of_found: range) -> float:
    """Hypergeometric probabilities, from near the most probable number outwards."""
    fixed, p = _log_choose(total, drawn), 0.0
    for found in range_of_found:
        term = exp(_log_choose(hits, found) + _log_choose(total - hits, drawn - found) - fixed)
        p += term
        if term < NEGLIGIBLE * p:
            break
    return p


def _log_choose(n: int, k: int) -> float:
    if not 0 <= k <= n:
        return float("-inf")
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def rank_test(old: Mapping[int, int], new: Mapping[int, int]) -> float:
    """Mann and Whitney's test on two histograms, one-sided: the probability of so many pairs in which
    the new time is the greater one, of times from one distribution. Times of a bucket are ties."""
    m, n = sum(old.values()), sum(new.values())
    if not m or not n:
        return 1.0
    total = m + n
    greater, ties, below = 0.0, 0.0, 0
    for before, after in _by_time(old, new):
        greater += after * (below + before / 2)
        below += before
        ties += float(before + after) ** 3 - (before + after)
    variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    z = (greater - m * n / 2 - 0.5) / sqrt(variance)
    return erfc(z / sqrt(2)) / 2


def _by_time(old: Mapping[int, int], new: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """Counts of both per bucket, in the order of time."""
    for time in sorted(old.keys() | new.keys()):
        yield old.get(time, 0), new.get(time, 0)

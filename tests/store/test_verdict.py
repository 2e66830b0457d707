"""The statistics of a verdict: exact figures, and how often it errs in simulated deployments."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb

import pytest

from store.graph import Statistics
from store.model import NodeKey
from store.rules.histogram import bucket
from store.verdict import (
    EdgeUse,
    Outcome,
    Side,
    Verdict,
    compare_shares,
    compare_times,
    fisher,
    judge,
    rank_test,
)

TABLE = NodeKey("", "orders", "AWS::DynamoDB::Table")
CACHE = NodeKey("", "cache", "Database::Redis")


def exact(old: int, old_total: int, new: int, new_total: int) -> float:
    """Fisher's test in fractions."""
    hits, total = old + new, old_total + new_total
    found = range(new, min(hits, new_total) + 1)
    ways = sum(comb(hits, k) * comb(total - hits, new_total - k) for k in found)
    return float(Fraction(ways, comb(total, new_total)))


@pytest.mark.parametrize(
    "figures",
    [
        (1, 4, 3, 4),  # the lady tasting tea: 17/70
        (0, 100, 7, 20),
        (0, 5, 0, 5),
        (5, 5, 5, 5),
        (9, 40, 2, 50),
        (30, 300, 1, 10),
        (2, 3, 3, 3),
    ],
)
def test_fishers_test_is_exact(figures: tuple[int, int, int, int]) -> None:
    assert fisher(*figures) == pytest.approx(exact(*figures), rel=1e-9)


def test_fishers_test_of_millions() -> None:
    """Neither slow nor imprecise: equal shares are no evidence, and a tenth more of a hundredth is."""
    assert 0.4 < fisher(10_000, 1_000_000, 10_000, 1_000_000) < 0.6
    assert fisher(10_000, 1_000_000, 11_000, 1_000_000) < 1e-10
    assert fisher(11_000, 1_000_000, 10_000, 1_000_000) == pytest.approx(1.0)


def test_rank_test_without_difference() -> None:
    times = {100: 50, 200: 50}
    assert rank_test(times, times) == pytest.approx(0.5, abs=0.03)
    assert rank_test({100: 9}, {100: 9}) == 1.0  # one time only: nothing to rank
    assert rank_test({}, {100: 9}) == rank_test({100: 9}, {}) == 1.0


def test_rank_test_agrees_with_all_permutations() -> None:
    """Of 6 + 6 times with ties the share of the 924 divisions that are at least as extreme."""
    old, new = [1, 2, 2, 3, 5, 8], [3, 5, 5, 8, 9, 9]
    every = old + new

    def pairs(chosen: list[int], others: list[int]) -> float:
        return sum((n > o) + (n == o) / 2 for n, o in product(chosen, others))

    observed, extreme = pairs(new, old), 0
    for mask in range(1 << 12):
        if mask.bit_count() == 6:
            chosen = [every[i] for i in range(12) if mask >> i & 1]
            others = [every[i] for i in range(12) if not mask >> i & 1]
            extreme += pairs(chosen, others) >= observed
    assert rank_test(Counter(old), Counter(new)) == pytest.approx(extreme / comb(12, 6), abs=0.01)


def statistics(
    total: int, faults: int = 0, throttles: int = 0, times: dict[int, int] | None = None
) -> Statistics:
    histogram = times if times is not None else {20_000: total}
    return Statistics(
        ok=total - faults - throttles, fault=faults, throttle=throttles, histogram=histogram
    )


def side(version: str, figures: Statistics, edges: dict[NodeKey, EdgeUse] | None = None) -> Side:
    return Side(version, figures, edges or {}, figures.total if edges else 0)


def compare(old: Statistics, new: Statistics, min_requests: int = 50) -> Verdict:
    return judge(side("41", old), side("42", new), min_requests=min_requests)


def test_too_few_requests_are_no_pass() -> None:
    """Whichever version lacks them, and however well they went."""
    many, few = statistics(1000), statistics(49)
    for old, new in ((many, few), (few, many), (few, few), (many, statistics(0))):
        verdict = compare(old, new)
        assert verdict.outcome is Outcome.INSUFFICIENT
        assert "finished requests, 50 are needed" in verdict.reasons[0]
    assert compare(many, few, min_requests=49).outcome is Outcome.PASS
    assert compare(statistics(0), statistics(0), min_requests=0).outcome is Outcome.INSUFFICIENT


def test_faults_and_throttles_are_judged_apart() -> None:
    verdict = compare(statistics(1000), statistics(100, faults=7))
    assert verdict.outcome is Outcome.FAIL
    assert [check.name for check in verdict.checks if check.fails] == ["fault"]
    assert verdict.reasons[0].startswith("faults: 7 of 100 requests (7.00%), before 0 of 1,000")
    verdict = compare(statistics(1000), statistics(100, throttles=7))
    assert [check.name for check in verdict.checks if check.fails] == ["throttle"]


def test_a_difference_below_the_floor_does_not_fail() -> None:
    """Significant with a million requests, and less than half a point."""
    check = compare_shares("fault", 1000, 1_000_000, 4000, 1_000_000)
    assert check.p < 1e-9
    assert not check.fails
    assert compare_shares("fault", 1000, 1_000_000, 7000, 1_000_000).fails


def test_a_better_version_passes() -> None:
    old = statistics(1000, faults=100, times={900_000: 1000})
    assert compare(old, statistics(1000, times={20_000: 1000})).outcome is Outcome.PASS


def test_latency_needs_a_tenth_and_five_milliseconds() -> None:
    def moved(before: int, after: int) -> bool:
        return compare_times({before: 500, before * 2: 500}, {after: 500, after * 2: 500}).fails

    assert moved(100_000, 125_000)
    assert not moved(100_000, 105_000)
    assert not moved(1_000, 2_000)
    assert not moved(125_000, 100_000)
    check = compare_times({100_000: 900, 200_000: 100}, {100_000: 700, 900_000: 300})
    assert check.fails
    assert "95th percentile 900 ms, before 200 ms" in check.text


def test_calls_that_fail_newly() -> None:
    """To a node that only the candidate calls, or that the baseline calls without failure."""
    old = {TABLE: EdgeUse(500, 2)}
    for edges in ({TABLE: EdgeUse(500, 40)}, {TABLE: EdgeUse(500, 2), CACHE: EdgeUse(200, 30)}):
        verdict = judge(side("41", statistics(500), old), side("42", statistics(500), edges))
        assert verdict.outcome is Outcome.FAIL
        assert [change.kind for change in verdict.edges] == ["failing"]
        assert "failed in" in verdict.reasons[0]


def test_calls_that_are_new_or_vanished_are_reported() -> None:
    """They may be what was meant; a vanished one fails on request."""
    old, new = (
        side("41", statistics(500), {TABLE: EdgeUse(500, 0)}),
        side("42", statistics(500), {CACHE: EdgeUse(500, 0)}),
    )
    verdict = judge(old, new)
    assert verdict.outcome is Outcome.PASS
    assert {(change.target, change.kind) for change in verdict.edges} == {
        (TABLE, "vanished"),
        (CACHE, "new"),
    }
    verdict = judge(old, new, vanished_fails=True)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons[0].startswith("orders is no longer called; before in 500 of 500")


def test_a_rare_call_is_no_change() -> None:
    """Which of the versions makes it is chance."""
    old, new = {TABLE: EdgeUse(500, 0), CACHE: EdgeUse(2, 2)}, {TABLE: EdgeUse(500, 0)}
    for first, second in ((old, new), (new, old)):
        verdict = judge(side("41", statistics(500), first), side("42", statistics(500), second))
        assert verdict == (Outcome.PASS, verdict.checks, [], [])


def simulated(
    chance: random.Random, version: str, requests: int, faults: float, slower: float = 1.0
) -> Side:
    """A version with log-normal response times around 80 ms, throttles, and calls that may fail."""
    states = Counter(
        chance.choices(("ok", "fault", "throttle"), (0.99 - faults, faults, 0.01), k=requests)
    )
    times = Counter(
        bucket(round(chance.lognormvariate(11.3, 0.6) * slower)) for _ in range(requests)
    )
    edges = {
        TABLE: EdgeUse(requests, sum(chance.random() < 0.02 for _ in range(requests))),
        CACHE: EdgeUse(sum(chance.random() < 0.3 for _ in range(requests)), 0),
    }
    figures = Statistics(states["ok"], 0, states["throttle"], states["fault"], histogram=times)
    return Side(version, figures, edges, requests)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
def test_equal_versions_rarely_fail(share: float) -> None:
    """At most 1 % of 1,000 deployments of a canary of 100 requests beside 400."""
    chance = random.Random(20261128)
    failed = sum(
        judge(
            simulated(chance, "41", 400, share),
            simulated(chance, "42", 100, share),
            vanished_fails=True,
        ).outcome
        is Outcome.FAIL
        for _ in range(1000)
    )
    assert failed <= 10


@pytest.mark.slow
@pytest.mark.parametrize(("share", "beside"), [(0.0, 500), (0.01, 500), (0.03, 4500)])
def test_five_points_of_faults_are_found_in_500_requests(share: float, beside: int) -> None:
    """In at least 95 % of 300 deployments; where faults are common, with the baseline's share of a
    canary of a tenth."""
    chance = random.Random(20261129)
    found = sum(
        judge(
            simulated(chance, "41", beside, share), simulated(chance, "42", 500, share + 0.05)
        ).outcome
        is Outcome.FAIL
        for _ in range(300)
    )
    assert found >= 285


def test_a_quarter_slower_is_found() -> None:
    chance = random.Random(20261130)
    found = sum(
        judge(
            simulated(chance, "41", 500, 0.01), simulated(chance, "42", 500, 0.01, slower=1.25)
        ).outcome
        is Outcome.FAIL
        for _ in range(200)
    )
    assert found >= 190

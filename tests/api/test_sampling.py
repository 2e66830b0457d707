"""Quotas and boosts of central sampling, over several API processes that share a store only."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.sampling import BOOST_SECONDS, INTERVAL, SECOND, Sampler, boost_rate, share_out
from store.config import records
from store.config.protocol import AnomalyReport, SamplingReport
from store.config.records import RateBoost, SamplingRule
from store.memory import MemoryStore

NOW = 1_795_560_000.0
RULE = SamplingRule("r", priority=1, rate=0.1, reservoir=7)


class Fleet:
    """Clients that report to API processes with one store and one clock."""

    def __init__(self, processes: int = 2) -> None:
        self.now = NOW
        self.store = MemoryStore()
        self.samplers = [Sampler(self.store, 1.0, lambda: self.now) for _ in range(processes)]
        self.valid: dict[str, tuple[int, float]] = {}
        """Quota and expiry of each client."""

    def poll(self, client: str, requests: int, process: int = 0, rule: SamplingRule = RULE) -> None:
        """Report and take the target."""
        report = SamplingReport(rule.name, client, round(self.now * SECOND), requests, 0, 0)
        self.store.add_sampling_reports([report], [])
        target = self.samplers[process].target(rule, client)
        if target.quota is not None:
            assert target.expires is not None
            self.valid[client] = target.quota, target.expires

    def total(self) -> int:
        """The sum of the quotas that are valid now."""
        return sum(quota for quota, expires in self.valid.values() if expires > self.now)


@given(st.integers(0, 100), st.dictionaries(st.text(max_size=3), st.integers(0, 1000), min_size=1))
def test_quotas_add_up_to_the_reservoir(reservoir: int, traffic: dict[str, int]) -> None:
    quotas = share_out(reservoir, traffic)
    assert quotas.keys() == traffic.keys()
    assert sum(quotas.values()) == reservoir
    assert min(quotas.values()) >= 0


def test_quotas_follow_traffic() -> None:
    assert share_out(10, {"a": 300, "b": 100, "c": 100}) == {"a": 6, "b": 2, "c": 2}
    assert share_out(4, {"a": 0, "b": 0}) == {"a": 2, "b": 2}
    assert share_out(1, {"b": 5, "a": 5}) == {"a": 1, "b": 0}


def test_two_processes_hand_out_exactly_the_reservoir() -> None:
    fleet = Fleet()
    for second in range(80):
        fleet.now = NOW + second
        for number in range(5):
            if second % INTERVAL == number * 2:
                fleet.poll(f"client-{number}", 10 + number, process=number % 2)
        if second >= 50:
            assert fleet.total() == RULE.reservoir


@pytest.mark.parametrize("reservoir", [1, 7, 10, 21, 50])
@pytest.mark.parametrize("clients", [2, 3, 4, 7])
def test_quotas_stay_while_traffic_varies_a_little(reservoir: int, clients: int) -> None:
    """By two percent from report to report, as it does with real clients."""
    fleet, chance = Fleet(), Random(7)
    rule = SamplingRule("r", priority=1, rate=0.1, reservoir=reservoir)
    for second in range(120):
        fleet.now = NOW + second
        for number in range(clients):
            if second % INTERVAL == number:
                requests = 800 + chance.randrange(-16, 17)
                fleet.poll(f"client-{number}", requests, process=number % 2, rule=rule)
        if second >= 50:
            assert fleet.total() == reservoir


def test_a_restart_changes_no_quota() -> None:
    fleet = Fleet(processes=1)
    for second in range(0, 40, INTERVAL):
        fleet.now = NOW + second
        fleet.poll("a", 30)
        fleet.poll("b", 10)
    before = dict(fleet.valid)
    fleet.samplers = [Sampler(fleet.store, 1.0, lambda: fleet.now)]
    fleet.poll("a", 30)
    fleet.poll("b", 10)
    assert fleet.valid == before
    assert fleet.total() == RULE.reservoir


def test_a_lone_client_gets_the_whole_reservoir_with_its_second_report() -> None:
    fleet = Fleet(processes=1)
    fleet.poll("a", 5)
    assert fleet.valid == {}, "until then it borrows one request a second"
    fleet.now += INTERVAL
    fleet.poll("a", 5)
    assert fleet.valid["a"] == (RULE.reservoir, NOW + 4 * INTERVAL)


def test_a_silent_client_loses_its_share() -> None:
    fleet = Fleet(processes=1)
    for second in range(0, 120, INTERVAL):
        fleet.now = NOW + second
        if second <= 30:
            fleet.poll("gone", 90)
        fleet.poll("stays", 10)
    assert fleet.valid["stays"][0] == RULE.reservoir
    assert fleet.valid["gone"][1] < fleet.now


polls = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("abcde"), st.integers(0, 100), st.integers(0, 1)),
    max_size=60,
)


@settings(max_examples=60)
@given(st.integers(0, 20), polls)
def test_valid_quotas_never_exceed_the_reservoir(
    reservoir: int, steps: list[tuple[int, str, int, int]]
) -> None:
    """However clients come, go and change their traffic."""
    fleet = Fleet()
    rule = SamplingRule("r", priority=1, rate=0.1, reservoir=reservoir)
    for wait, client, requests, process in steps:
        fleet.now += wait
        fleet.poll(client, requests, process, rule)
        assert fleet.total() <= reservoir


def test_the_configuration_is_a_second_old_at_most() -> None:
    fleet = Fleet(processes=1)
    (sampler,) = fleet.samplers
    assert list(sampler.rules(sampler.configuration())) == ["Default"]
    fleet.store.change_configuration([records.put("r", RULE)], after=0, at=1)
    assert list(sampler.rules(sampler.configuration())) == ["Default"]
    fleet.now += 1
    assert list(sampler.rules(sampler.configuration())) == ["r", "Default"]


BOOSTED = SamplingRule("r", 1, rate=0.05, reservoir=1, boost=RateBoost(0.8, cooldown_minutes=5))


def test_boosts_record_about_one_anomaly_a_second() -> None:
    assert boost_rate(BOOSTED, 20) == 0.5
    assert boost_rate(BOOSTED, 1) == 0.8
    assert boost_rate(BOOSTED, 10_000) == BOOSTED.rate


def test_one_boost_in_a_cooldown_window() -> None:
    fleet = Fleet()
    start = NOW // 300 * 300
    fleet.now = start + 15
    report = AnomalyReport("r", "shop", round(fleet.now * SECOND), 20, 1)
    fleet.store.add_sampling_reports([], [report])
    rates = []
    for second in range(15, 315, INTERVAL):
        fleet.now = start + second
        boosts = [sampler.boost(BOOSTED, "shop") for sampler in fleet.samplers]
        assert boosts[0] == boosts[1]
        rates.append(boosts[0].rate if boosts[0] else None)
        later = AnomalyReport("r", "shop", round(fleet.now * SECOND), 30, 0)
        fleet.store.add_sampling_reports([], [later])
    assert rates.count(0.5) == BOOST_SECONDS // INTERVAL
    assert set(rates[1:7]) == {0.5}
    assert set(rates[8:]) == {None}
    assert fleet.samplers[0].boost(BOOSTED, "bank") is None

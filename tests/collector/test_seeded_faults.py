"""A fault in each rule of the map is noticed; without one, all cases have the map they should have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.collector.odd_cases import ODD_CASES
from tests.collector.seeded_faults import FAULTS, SUITES, Fault, notices, put


@pytest.mark.parametrize("make", ODD_CASES, ids=lambda make: make.__name__)
def test_odd_cases(make: Callable[[], str]) -> None:
    assert make() == ODD_CASES[make]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}: {fault.what}")
def test_each_fault_is_noticed(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    check = SUITES[fault.suite][fault.case]
    assert not notices(check)
    put(fault, monkeypatch)
    assert notices(check)

"""Small rules of the domain model."""

from __future__ import annotations

import pytest

from store.model import (
    MAX_RANK,
    NodeKey,
    State,
    TimeRange,
    arrival_of,
    client_of,
    derived_version,
    is_derived,
    part_version,
    precedence,
    relayed_version,
    version_of,
)
from store.times import MINUTE
from tests.builders import T0


def test_complete_takes_precedence_then_the_latest() -> None:
    in_progress, complete = State.IN_PROGRESS, State.OK
    assert precedence(complete, 1) > precedence(in_progress, 2)
    assert precedence(complete, 2) > precedence(complete, 1)
    assert precedence(in_progress, 2) > precedence(in_progress, 1)


def test_windows_are_half_open() -> None:
    window = TimeRange(T0, T0 + 120_000_000)
    assert T0 in window
    assert T0 + 120_000_000 not in window
    assert window.minutes == 2


def test_a_client_has_the_roots_name() -> None:
    client = client_of(NodeKey("123456789012", "shop", "AWS::Lambda"))
    assert client.is_client
    assert client.name == "shop"


def test_a_derived_copy_loses_to_every_complete_one_whichever_arrived_first() -> None:
    early, late = T0, T0 + MINUTE
    derived = derived_version(late, MAX_RANK)
    assert precedence(State.OK, derived) < precedence(State.FAULT, early)
    assert precedence(State.OK, derived) > precedence(State.IN_PROGRESS, late)


def test_of_two_derived_copies_the_greater_rank_wins_then_the_later_arrival() -> None:
    early, late = T0, T0 + MINUTE
    assert derived_version(early, 2) > derived_version(late, 1)
    assert derived_version(late, 1) > derived_version(early, 1)


def test_a_part_loses_to_every_complete_copy_whichever_arrived_first() -> None:
    early, late = T0, T0 + MINUTE
    part = part_version(late)
    for other in (early, derived_version(early, 0), part_version(late + 1)):
        assert precedence(State.OK, part) < precedence(State.FAULT, other)
    assert precedence(State.OK, part_version(early)) > precedence(State.IN_PROGRESS, late)
    assert arrival_of(part) == late
    assert version_of(State.OK, precedence(State.OK, part)) == part
    assert not is_derived(part)


def test_a_relayed_copy_is_between_reported_and_derived_ones_whichever_arrived_first() -> None:
    early, late = T0, T0 + MINUTE
    relayed = relayed_version(late)
    assert precedence(State.OK, relayed) < precedence(State.FAULT, early)
    assert precedence(State.OK, relayed_version(early)) > precedence(
        State.OK, derived_version(late, MAX_RANK)
    )
    assert precedence(State.OK, relayed_version(early)) > precedence(State.IN_PROGRESS, late)
    assert relayed_version(early) < relayed
    assert arrival_of(relayed) == late
    assert version_of(State.OK, precedence(State.OK, relayed)) == relayed
    assert not is_derived(relayed)


@pytest.mark.parametrize("version", [T0, derived_version(T0, 0), derived_version(T0, MAX_RANK)])
def test_a_version_tells_when_its_document_arrived_and_is_read_back(version: int) -> None:
    assert arrival_of(version) == T0
    assert version_of(State.OK, precedence(State.OK, version)) == version
    assert is_derived(version) == (version != T0)

"""Owners over epochs: which cell takes a document, and where a trace may be."""

from __future__ import annotations

import random

from store.owner import Epoch, Owners
from store.times import DAY, SECOND

CHANGE = 1_800_000_000 * SECOND
OWNERS = Owners((Epoch(0, (0, 1)), Epoch(CHANGE, (0, 1, 2))))


def xray_id(begun: int, number: int) -> bytes:
    return (begun // SECOND).to_bytes(4) + number.to_bytes(12)


def test_the_time_in_an_id_decides_whenever_its_documents_arrive() -> None:
    """A trace that was under way when the epoch began stays whole."""
    id = xray_id(CHANGE - SECOND, 5)
    arrivals = [CHANGE - SECOND, CHANGE, CHANGE + DAY - 10 * SECOND]
    assert {OWNERS.of_document(id, arrival) for arrival in arrivals} == {1}
    assert OWNERS.of_document(xray_id(CHANGE, 5), CHANGE - SECOND) == 2, "a clock that is ahead"


def test_without_a_time_the_arrival_decides() -> None:
    id = b"\xff" * 4 + (5).to_bytes(12)
    assert OWNERS.of_document(id, CHANGE - 1) == 1
    assert OWNERS.of_document(id, CHANGE) == 2


def test_a_trace_may_be_where_any_epoch_has_it() -> None:
    ids = [random.Random(7).randbytes(16) for _ in range(50)]
    for id in ids:
        for arrival in (CHANGE - DAY, CHANGE, CHANGE + DAY):
            assert OWNERS.of_document(id, arrival) in OWNERS.places_of(id)
    assert OWNERS.places_of(xray_id(0, 6)) == [0]
    assert OWNERS.places_of(xray_id(0, 5)) == [1, 2]


def test_epochs_that_are_long_over_have_no_say() -> None:
    assert OWNERS.since([CHANGE + DAY - 1]) == OWNERS
    assert OWNERS.since([CHANGE + 2 * DAY]).epochs == OWNERS.epochs[1:]


def test_a_drained_cell_takes_nothing() -> None:
    drained = Owners((*OWNERS.epochs, Epoch(CHANGE + DAY, (1, 2))))
    ids = [xray_id(CHANGE + 2 * DAY, number) for number in range(100)]
    assert {drained.of_document(id, CHANGE + 2 * DAY) for id in ids} == {1, 2}

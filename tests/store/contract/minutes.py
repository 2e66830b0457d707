"""Counts of minutes by node and edge, as columns."""

from __future__ import annotations

from array import array
from collections import Counter
from operator import add

from store.minutes import MinuteCounts, Series, SeriesKind
from store.model import NO_NODE, Kind, NodeKey, State
from store.protocol import Store
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import BACKEND, CLIENT, FRONTEND

FIRST = T0 // MINUTE
OF_FRONTEND = Series(SeriesKind.NODE, NO_NODE, FRONTEND)
OF_BACKEND = Series(SeriesKind.NODE, NO_NODE, BACKEND)
ENTERING = Series(SeriesKind.CALLS, CLIENT, FRONTEND)
CALLING = Series(SeriesKind.CALLS, FRONTEND, BACKEND)

Row = tuple[int, int, int, int, int, int, dict[int, int]]
_NOTHING: Row = (0, 0, 0, 0, 0, 0, {})


def rows_of(store: Store, counts: MinuteCounts) -> dict[Series, Row]:
    """Counts by series, with histograms: a series may have several rows."""
    ids, *numbers, lengths = (array("Q", column) for column in counts[1:-2])
    times, weights = (array("f", column) for column in counts[-2:])
    named = store.minute_series(ids, counts.minute, counts.minute)
    found: dict[Series, Row] = {}
    at = 0
    for id, length, *row in zip(ids, lengths, *numbers, strict=True):
        pairs = zip(times[at : at + length], weights[at : at + length], strict=True)
        at += length
        *before, histogram = found.get(named[id], _NOTHING)
        both = Counter(dict(pairs)) + Counter(histogram)
        found[named[id]] = (*map(add, before, row), dict(both))
    assert at == len(times)
    return found


class MinuteContract:
    """Every store passes every test."""

    def test_no_minute(self, store: Store) -> None:
        assert store.minute_counts(FIRST, FIRST + 60) == []
        assert store.minute_series([1], FIRST, FIRST + 60) == {}

    def test_minutes_by_node_and_edge(self, store: Store) -> None:
        """Minutes without units are absent; a unit counts by its weight, and is observed once."""
        late = T0 + 2 * MINUTE
        store.put(
            [
                segment(0xA1, calls=(call(),)),
                segment(0xA2, trace_id=trace_id(2), state=State.FAULT, weight=10),
                segment(0xA3, trace_id=trace_id(3), start=late, end=late + 3 * SECOND),
                segment(0xA4, trace_id=trace_id(4), start=late, state=State.IN_PROGRESS),
            ],
            "a",
        )
        first, second = store.minute_counts(FIRST, FIRST + 2)
        assert (first.minute, second.minute) == (FIRST, FIRST + 2)
        assert store.counted_minutes(FIRST, FIRST + 2) == 2
        assert store.counted_minutes(FIRST + 1, FIRST + 1) == 0
        both = (1, 0, 0, 10, 0, 2, {100_000: 11})
        one = (1, 0, 0, 0, 0, 1, {10_000: 1})
        assert rows_of(store, first) == {
            OF_FRONTEND: both,
            ENTERING: both,
            OF_BACKEND: one,
            CALLING: one,
        }
        later = (1, 0, 0, 0, 1, 2, {3_000_000: 1})
        assert rows_of(store, second) == {OF_FRONTEND: later, ENTERING: later}
        assert store.minute_counts(FIRST + 1, FIRST + 1) == []

    def test_ids_are_the_same_in_every_minute(self, store: Store) -> None:
        for number in range(2):
            start = T0 + number * MINUTE
            one = segment(0xA1 + number, trace_id=trace_id(number), start=start, end=start + 1)
            store.put([one], f"{number}")
        first, second = store.minute_counts(FIRST, FIRST + 1)
        assert sorted(array("Q", first.ids)) == sorted(array("Q", second.ids))

    def test_unconfirmed_clients_are_confirmed(self, store: Store) -> None:
        """A root that names a parent which never arrived is called by its client, as on the map."""
        store.put([segment(0xA1, parent_id=0xBAD)], "a")
        (minute,) = store.minute_counts(FIRST, FIRST)
        assert set(rows_of(store, minute)) == {OF_FRONTEND, ENTERING}

    def test_nodes_of_background_work(self, store: Store) -> None:
        store.put([segment(0xA1, kind=Kind.INTERNAL)], "a")
        (minute,) = store.minute_counts(FIRST, FIRST)
        key = NodeKey("", "frontend", "")
        assert set(rows_of(store, minute)) == {Series(SeriesKind.BACKGROUND, NO_NODE, key)}

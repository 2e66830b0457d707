"""Pinned traces."""

from __future__ import annotations

import pytest

from store.errors import TraceNotFound
from store.filters.conditions import touches
from store.model import (
    Link,
)
from store.pins import Pin
from store.protocol import Store
from store.query import Axis, TraceQuery
from store.times import SECOND
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import BACKEND, HOUR


class PinContract:
    """Every store passes every test."""

    def test_a_pin_changes_nothing_that_is_read(self, store: Store) -> None:
        """Not the trace, its revision, lists or the map: only how long it is stored."""
        sent, taken = trace_id(1), trace_id(2)
        worker = segment(
            0xB1,
            trace_id=taken,
            name="worker",
            start=T0 + SECOND,
            end=T0 + 2 * SECOND,
            links=(Link(sent, 0xC1),),
        )
        store.put([segment(0xA1, trace_id=sent, calls=(call(0xC1),)), worker], "a")
        store.put([segment(0xA1, trace_id=sent, calls=(call(0xC1),), version=T0 + 9)], "b")

        def seen() -> list[object]:
            lists = [store.find_traces(TraceQuery(HOUR, axis), limit=9) for axis in Axis]
            return [
                store.get_traces([sent, taken], raw=True),
                store.service_graph(HOUR),
                lists,
                store.find_traces(TraceQuery(HOUR, filter=touches(BACKEND)), limit=9),
            ]

        before = seen()
        store.pin(sent, "why", T0)
        store.pin(taken, "", T0)
        assert seen() == before
        store.pin(sent, "another word", T0 + 1)
        assert store.refresh_pins() == 0
        assert seen() == before
        store.unpin(sent, T0 + 2)
        assert seen() == before

    def test_pins_are_listed(self, store: Store) -> None:
        """The latest first; a second pin is a new note, and an unpin the end of it."""
        one, two = trace_id(1), trace_id(2)
        store.put([segment(1, trace_id=one), segment(1, trace_id=two)], "a")
        assert (store.pins(), store.pin_of(one), store.unpin(one, T0)) == ([], None, False)
        assert store.pin(one, "it's \\ \u2603", T0) == Pin(one, "it's \\ \u2603", T0)
        assert store.pin(two, "", T0 + 5) == Pin(two, "", T0 + 5)
        assert store.pins() == [Pin(two, "", T0 + 5), Pin(one, "it's \\ \u2603", T0)]
        assert store.pin(one, "better", T0 + 9) == Pin(one, "better", T0)
        assert store.pin_of(one) == Pin(one, "better", T0)
        assert store.unpin(one, T0 + 10)
        assert store.pins() == [Pin(two, "", T0 + 5)]
        assert not store.unpin(one, T0 + 11)
        assert store.pin(one, "again", T0 + 1).at == T0 + 1, "by a clock that lags"
        assert store.pin_of(one) == Pin(one, "again", T0 + 1)

    def test_only_what_is_a_trace_can_be_pinned(self, store: Store) -> None:
        store.put([segment(1, trace_id=trace_id(1), sampled=False)], "a")
        for number in (1, 2):
            with pytest.raises(
                TraceNotFound, match=r"there is no trace 1-[0-9a-f]{8}-0{23}\d here"
            ):
                store.pin(trace_id(number), "", T0)
        assert store.pins() == []

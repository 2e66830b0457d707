"""What is read of traces that links lead to."""

from __future__ import annotations

import pytest

from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units.deciding import Lookups
from store.clickhouse.units.whole_traces import link_ends
from store.model import NodeKey
from tests.builders import segment, trace_id

LINKS = 50


def test_each_trace_looks_up_its_own_ends(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for those in all other traces: a minute may have ten thousand links."""
    needed: list[int] = []
    need = Lookups.need_link_end

    def note(self: Lookups, id: int, *, is_call: bool) -> None:
        needed.append(id)
        need(self, id, is_call=is_call)

    monkeypatch.setattr(Lookups, "need_link_end", note)
    senders = [
        segment(n, trace_id=trace_id(n), name=f"sender-{n % 3}") for n in range(1, LINKS + 1)
    ]
    clickhouse_store.put(senders, "a")
    there = {(trace_id(n), n) for n in range(1, LINKS + 1)}
    elsewhere = {(trace_id(n), n + 1) for n in range(1, LINKS + 1)}
    with clickhouse_store._asking() as run:
        found = link_ends(run, there | elsewhere)
    assert found.keys() == there
    assert {end.node for end in found.values()} == {
        NodeKey("", f"sender-{n}", "") for n in range(3)
    }
    assert sorted(needed) == sorted(id for _, id in there | elsewhere)

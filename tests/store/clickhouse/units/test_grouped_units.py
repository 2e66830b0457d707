"""What the contract does not test of grouped maps: how many traces are read."""

from __future__ import annotations

import pytest

from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units import grouped_units, whole_traces
from store.errors import TooManyTraces
from store.grouped_graph import graph_of_grouped
from store.grouped_units import GroupedKey
from store.rules.dimensions import Dimension
from tests.store.contract.grouped import CHECKOUT, grouped, story
from tests.store.contract.nodes import HOUR


def test_a_window_with_too_many_traces_is_refused(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any is read; nothing is left out silently."""
    monkeypatch.setattr(grouped_units, "MAX_GROUPED_TRACES", 3)
    clickhouse_store.put([d for n in (1, 2, 3) for d in story(n, "1")], "a")
    assert grouped(clickhouse_store, Dimension.VERSION).services
    clickhouse_store.put(story(4, "1"), "b")
    with pytest.raises(TooManyTraces, match=r"more than 3 traces.*a shorter one, or a filter"):
        next(clickhouse_store.grouped_units(HOUR, Dimension.VERSION))


def test_chunks_and_large_traces_make_no_difference(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large trace only the rows of the window are read, and what decides on them."""
    clickhouse_store.put([d for n in range(1, 6) for d in story(n, str(n % 2))], "a")
    expected = grouped(clickhouse_store, Dimension.VERSION)
    monkeypatch.setattr(grouped_units, "CHUNK", 2)
    monkeypatch.setattr(whole_traces, "MOST_WHOLE", 1)
    found = graph_of_grouped(clickhouse_store.grouped_units(HOUR, Dimension.VERSION))
    assert found == expected
    assert found.services[GroupedKey(CHECKOUT, "1")].statistics.total == 3

"""The 87 published expressions find the traces that were named by hand, in every store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.clickhouse.store import ClickHouseStore
from store.filters.errors import FilterError
from store.filters.groups import expand_groups
from store.filters.parse import parse, parse_with_positions
from store.memory import MemoryStore
from store.model import TimeRange
from store.protocol import Store
from store.query import TraceQuery
from store.times import MINUTE
from tests.builders import T0
from tests.store.filters.published import GROUPS, IDS, PUBLISHED, REFUSED, corpus

WINDOW = TimeRange(T0 - MINUTE, T0 + MINUTE)
NAMES = {id: name for name, id in IDS.items()}


def wrong(store: Store) -> Iterator[str]:
    """Expressions that find other traces than expected."""
    groups = {name: parse(text) for name, text in GROUPS.items()}
    for text, expected in PUBLISHED.items():
        expression, positions = parse_with_positions(text)
        query = TraceQuery(WINDOW, filter=expand_groups(expression, groups, positions))
        found = {NAMES[hit.trace_id] for hit in store.find_traces(query, limit=50).found}
        if found != expected:
            yield f"{text}: missing {sorted(expected - found)}, wrong {sorted(found - expected)}"


def test_there_are_87() -> None:
    assert (len(PUBLISHED), len(REFUSED)) == (81, 6)


def test_memory_finds_them() -> None:
    store = MemoryStore()
    store.put(corpus(), "corpus")
    assert list(wrong(store)) == []


def test_clickhouse_finds_them(clickhouse_store: ClickHouseStore) -> None:
    clickhouse_store.put(corpus(), "corpus")
    assert list(wrong(clickhouse_store)) == []


@pytest.mark.parametrize("text", REFUSED)
def test_the_others_are_refused_where_they_are_wrong(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.position == REFUSED[text]

"""What semantic conventions let senders say, in whatever order it arrives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.model import Document
from tests.collector.convention_cases import CASES
from tests.collector.conventions import ALL, Case, documents_of, groups_of, map_of
from tests.collector.zipkin_dependencies.notation import DELIVERIES, reversed_one_by_one


@pytest.mark.parametrize("deliver", DELIVERIES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_map(case: Case, deliver: Callable[[Sequence[Any]], list[list[Any]]]) -> None:
    assert map_of(deliver(groups_of(case.spans))) == case.map


def test_names() -> None:
    assert Counter(case.name for case in CASES).most_common(1)[0][1] == 1
    assert {case.before for case in CASES} == {"right", "wrong"}


def test_clickhouse_draws_the_same(clickhouse_store: ClickHouseStore) -> None:
    """All cases in one map, in traces of their own, of services with names of their own."""
    batches: dict[int, list[Document]] = {}
    for number, case in enumerate(CASES):
        spans = [
            each._replace(service=f"{each.service} {number}", trace=each.trace + 16 * number)
            for each in case.spans
        ]
        for turn, groups in enumerate(reversed_one_by_one(groups_of(spans))):
            batches.setdefault(turn, []).extend(documents_of(groups, ALL.start + turn))
    memory = MemoryStore()
    for store in (memory, clickhouse_store):
        for turn, documents in batches.items():
            store.put(documents, f"{turn}")
    expected = memory.service_graph(ALL)
    assert len(expected.edges) > len(CASES)
    assert clickhouse_store.service_graph(ALL) == expected

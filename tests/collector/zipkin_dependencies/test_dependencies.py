"""Zipkin's dependency cases through the decoder and the stores, in every order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from collector.decode.otlp.columns import Spans
from collector.decode.zipkin.spans import decode_zipkin, decode_zipkin_protobuf
from store.clickhouse.store import ClickHouseStore
from store.graph import ServiceGraph
from store.memory import MemoryStore
from store.model import Document, TimeRange
from store.times import MINUTE
from tests.builders import T0
from tests.collector.zipkin_dependencies import linker_cases, storage_cases
from tests.collector.zipkin_dependencies.notation import (
    DELIVERIES,
    Case,
    in_one,
    json_body,
    links_of,
    protobuf_body,
    read_links,
    reversed_one_by_one,
    spans_of,
    twice,
)

CASES = (*linker_cases.CASES, *storage_cases.CASES)
ALL = TimeRange(T0 - MINUTE, T0 + MINUTE)
Deliver = Callable[[Sequence[Any]], list[list[Any]]]
deliveries = pytest.mark.parametrize("deliver", DELIVERIES)


def decoded(spans: Sequence[dict[str, Any]], version: int) -> list[Document]:
    """What a request is stored as."""
    return _whole(decode_zipkin(json_body(spans), version))


def _whole(found: Spans) -> list[Document]:
    assert found.rejected == []
    return list(found.documents)


def graph_of(case: Case, deliver: Deliver) -> ServiceGraph:
    """The map of a case alone."""
    store = MemoryStore()
    for number, spans in enumerate(deliver(spans_of(case))):
        store.put(decoded(spans, T0 + number), str(number))
    return store.service_graph(ALL)


cases = pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in CASES])


@deliveries
@cases
def test_links(case: Case, deliver: Deliver) -> None:
    assert links_of(graph_of(case, deliver)) == case.expected


@deliveries
@cases
def test_every_delivery_gives_one_graph(case: Case, deliver: Deliver) -> None:
    """Not its links alone: nodes, states and times, too."""
    assert graph_of(case, deliver) == graph_of(case, in_one)


@cases
def test_both_formats_say_the_same(case: Case) -> None:
    spans = spans_of(case)
    in_json = decoded(spans, T0)
    in_protobuf = _whole(decode_zipkin_protobuf(protobuf_body(spans), T0))
    assert [replace(each, raw=b"") for each in in_json] == [
        replace(each, raw=b"") for each in in_protobuf
    ]


def test_each_case_says_why() -> None:
    """A difference from Zipkin's links has a reason, and nothing else has one."""
    assert len(linker_cases.CASES) == 42
    assert len(storage_cases.CASES) == 17
    assert sum(case.ours is None for case in CASES) == 48
    for case in CASES:
        differs = case.ours is not None and case.expected != read_links(case.zipkin)
        assert differs == bool(case.why) == (case.ours is not None), case.name
    assert len({case.name for case in CASES}) == len(CASES)


def test_clickhouse_draws_the_same(clickhouse_store: ClickHouseStore) -> None:
    """All cases in one map, of services with names of their own; the requests of all are stored together,
    each in its turn."""
    batches: dict[int, list[Document]] = {}
    given = [(case, deliver) for deliver in (in_one, reversed_one_by_one, twice) for case in CASES]
    for number, (case, deliver) in enumerate(given):
        for turn, spans in enumerate(deliver(spans_of(case, number, f"{case.name} {number} "))):
            batches.setdefault(turn, []).extend(decoded(spans, T0 + turn))
    memory = MemoryStore()
    for store in (memory, clickhouse_store):
        for turn, documents in batches.items():
            store.put(documents, str(turn))
    found, expected = clickhouse_store.service_graph(ALL), memory.service_graph(ALL)
    assert len(links_of(expected)) > 3 * len(CASES) / 2
    assert links_of(found) == links_of(expected)
    assert found == expected

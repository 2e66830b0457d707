"""Counting traces by their rows is counting them one by one: of any traces, ClickHouse's groups are the memory store's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from store.clickhouse.connection.address import Address
from store.clickhouse.store import ClickHouseStore
from store.filters.group_by import key_names, parse_keys
from store.filters.parse import parse
from store.memory import MemoryStore
from store.model import Document, Http, Independent, Kind, NodeKey, State, TimeRange
from store.rules.annotations import annotation_item
from store.stats_groups import Figures, Stats
from store.stats_query import StatsQuery
from store.trace_stats import trace_stats
from tests.builders import T0, call, segment, subsegment, trace_id
from tests.conftest import empty
from tests.store.test_agreement import deliveries

EXAMPLES = int(os.environ.get("RAYMAP_TEST_EXAMPLES", "6"))
HOURS = 3_600_000_000
WINDOW = TimeRange(T0 - 2 * HOURS, T0 + 30 * HOURS)
ANNOTATIONS = ("annotation.tier", "annotation[odd key]")
FILTERS = (
    None,
    'operation = "GET /"',
    "fault",
    'service("web") { responsetime > 0.5 }',
    "annotation.tier EXISTS",
    'NOT user = "u1"',
)
NODES: tuple[tuple[NodeKey, ...], ...] = (
    (),
    (NodeKey("", "web", ""),),
    (NodeKey("", "shop/web", ""), NodeKey("", "table", "AWS::DynamoDB::Table")),
)
STATES = (*State, State.OK)


def requests(random: Random, number: int) -> list[Document]:
    """A trace as most are: a request, work inside, a call, its answer; some of it lost or changed."""
    one = random.choice
    id, start = trace_id(100 + number), T0 + random.randint(0, 90) * 1_000_000
    tables = NodeKey(one(("", "1")), "table", "AWS::DynamoDB::Table")
    names = random.sample(("web", "shop/web", "api"), 3)
    made: list[Document] = []

    def given(name: str) -> dict[str, Any]:
        items = [one(("gold", 1, 2**60, True, "1")) for _ in range(random.randint(0, 2))]
        return {
            "trace_id": id,
            "start": start,
            "end": start + one((0, 100, 900_000)),
            "state": one(STATES),
            "node": NodeKey(one(("", "1")), name, ""),
            "service": name.rpartition("/")[2],
            "operation": one(("", "GET /", "poll")),
            "user": one(("", "u1", "u2")),
            "service_version": one(("", "1")),
            "http": Http(one(("", "GET")), "", one((0, 200))),
            "annotations": tuple({annotation_item("tier", each): None for each in items}),
        }

    kind = one((Kind.SERVER, Kind.NONE, Kind.INTERNAL))
    made.append(segment(0xA1, kind=kind, **given(names[0])))
    inside: dict[str, Any] = {"independent": Independent.OF_SENDER}
    local = one((names[0], names[0], names[0], names[1]))
    made.append(subsegment(0xA2, 0xA1, kind=Kind.INTERNAL, **inside, **given(local)))
    parent = one((0xA1, 0xA2))
    for at in range(random.randint(0, 3)):
        about = given(names[0])
        target = one((tables, tables, NodeKey("", "api", "remote")))
        called = call(
            0xC0 + at,
            start=start,
            end=about["end"],
            node=target,
            service=one((target.name, "DynamoDB")),
            state=about["state"],
            operation="GetItem",
            status=about["http"].status,
        )
        made.append(
            subsegment(0xC0 + at, parent, kind=Kind.CLIENT, calls=(called,), **inside, **about)
        )
        if one((True, False, False)):
            answer = one((Kind.SERVER, Kind.SERVER, Kind.CONSUMER))
            made.append(segment(0xB0 + at, parent_id=0xC0 + at, kind=answer, **given(names[2])))
        parent = one((parent, parent, 0xC0 + at))
    lost = one((None, None, None, None, 0, 1, 2))
    return [each for at, each in enumerate(made) if at != lost] or made


def figures(found: Figures) -> tuple[Any, ...]:
    return list(found.states), sorted(found.times), found.traces


def comparable(stats: Stats) -> Any:
    groups = {
        key: (figures(each), {start: figures(of) for start, of in each.steps.items()})
        for key, each in stats.groups.items()
    }
    return groups, figures(stats.total), stats.examined, stats.bound


def queries(random: Random) -> StatsQuery:
    one, of_units = random.choice, random.choice((True, False))
    names = [*key_names(of_units=of_units), *ANNOTATIONS, "service", "operation", "state"]
    by = dict.fromkeys(one(names) for _ in range(random.randint(0, 3)))
    text = one(FILTERS)
    return StatsQuery(
        WINDOW,
        parse(text) if text else None,
        parse_keys(",".join(by), of_units=of_units),
        of_units,
        one(NODES) if of_units else (),
        one((frozenset(), frozenset((State.FAULT, State.ERROR)))) if of_units else frozenset(),
        one((0, 30_000_000)),
    )


def versioned(documents: Sequence[Document]) -> list[Document]:
    return [
        msgspec.structs.replace(each, version=T0 + 60_000_000 + at)
        for at, each in enumerate(documents)
    ]


@pytest.fixture(autouse=True)
def by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a filter, too, from the first trace on."""
    monkeypatch.setattr("store.trace_stats.FEW", 0)


def assert_equal(memory: MemoryStore, store: ClickHouseStore, random: Random, times: int) -> None:
    for _ in range(times):
        query = queries(random)
        expected = comparable(trace_stats(memory, query))
        assert comparable(trace_stats(store, query)) == expected, query


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_rows_of_requests_are_counted_as_traces_are(
    clickhouse_store: ClickHouseStore, seed: int
) -> None:
    random, memory = Random(seed), MemoryStore()
    made = [each for number in range(60) for each in requests(random, number)]
    for store in (memory, clickhouse_store):
        store.put(versioned(made), "requests")
    assert_equal(memory, clickhouse_store, random, 25)


@pytest.mark.timeout(60 * EXAMPLES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deliveries(), st.integers(0, 1 << 32))
def test_so_are_those_of_any_traces(
    clickhouse_store: ClickHouseStore,
    clickhouse_database: Address,
    batches: list[list[Document]],
    seed: int,
) -> None:
    empty(clickhouse_database)
    memory = MemoryStore()
    for number, batch in enumerate(batches):
        for store in (memory, clickhouse_store):
            store.put(batch, f"batch {number}")
    assert_equal(memory, clickhouse_store, Random(seed), 6)

"""GetTimeSeriesServiceStatistics: the sums of a series are the figures of the map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.forecast import DAY, Band, forecast
from api.xray import time_series
from api.xray.entity_selector import client_edges, of_pairs
from store.clickhouse.store import ClickHouseStore
from store.graph import Statistics, add_statistics
from store.memory import MemoryStore
from store.model import Document, NodeKey, State
from store.protocol import Store
from store.query import Entities
from store.times import MINUTE, SECOND
from tests.api.shop import FRONT, START, order, shop
from tests.builders import T0, call, segment, trace_id
from tests.conftest import empty
from tests.store.test_agreement import ALL, deliveries
from tests.tiers import cases

Json = dict[str, Any]
WINDOW = {"StartTime": START, "EndTime": START + 600}


def total(parts: Iterable[Statistics]) -> Statistics:
    found = Statistics(histogram={})
    for part in parts:
        add_statistics(found, part)
    return found


def assert_sums_are_the_graph(store: Store, step: int) -> None:
    """For every node and every edge of the graph of `ALL`, which is whole minutes."""
    graph = store.service_graph(ALL)

    def summed(entities: Entities) -> Statistics:
        series = store.entity_series(entities, ALL, step)
        assert [b.start for b in series] == sorted({b.start for b in series})
        assert all((b.start - ALL.start) % step == 0 for b in series)
        return total(bucket.statistics for bucket in series)

    for node, service in graph.services.items():
        nodes = frozenset((node,))
        assert summed(of_pairs(graph, nodes, set())) == total([service.statistics])
    for pair, edge in graph.edges.items():
        assert summed(of_pairs(graph, frozenset(), {pair})) == total([edge.statistics])
    for pair, link in graph.links.items():
        if pair not in graph.edges:
            assert summed(of_pairs(graph, frozenset(), {pair})) == total([link.statistics])
    clients = [edge.statistics for (source, _), edge in graph.edges.items() if source.is_client]
    assert summed(client_edges(graph)) == total(clients)


@pytest.mark.slow
@settings(max_examples=40)
@given(deliveries(), st.sampled_from((MINUTE, 5 * MINUTE)))
def test_sums_in_memory(batches: list[list[Document]], step: int) -> None:
    store = MemoryStore()
    for number, batch in enumerate(batches):
        store.put(batch, str(number))
    assert_sums_are_the_graph(store, step)


@settings(
    max_examples=cases(2),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=deliveries(), step=st.sampled_from((MINUTE, 5 * MINUTE)))
def test_sums_in_clickhouse(
    clickhouse_store: ClickHouseStore, batches: list[list[Document]], step: int
) -> None:
    empty(clickhouse_store.address)
    for number, batch in enumerate(batches):
        clickhouse_store.put(batch, f"{id(batches)}-{number}")
    assert_sums_are_the_graph(clickhouse_store, step)


@pytest.mark.parametrize("kind", ["memory", "clickhouse"])
def test_sums_with_accounts_that_callers_do_not_know(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """The map joins a call without an account to the only queue of that name."""
    store: Store = MemoryStore()
    if kind == "clickhouse":
        store = request.getfixturevalue("clickhouse_store")
    queue = NodeKey("123456789012", "jobs", "AWS::SQS::Queue")
    known = call(0xC1, node=queue, service="SQS")
    anonymous = call(0xC2, node=queue._replace(account=""), service="SQS")
    store.put([segment(0xA1, calls=(known, anonymous))], "t")
    graph = store.service_graph(ALL)
    assert graph.services[queue].statistics.total == 2
    assert_sums_are_the_graph(store, MINUTE)


def series(xray: Any, selector: str = "", **more: Any) -> list[Json]:
    if selector:
        more["EntitySelectorExpression"] = selector
    answer = xray.get_time_series_service_statistics(**WINDOW, **more)
    points: list[Json] = answer["TimeSeriesServiceStatistics"]
    return points


@pytest.fixture
def two_minutes(store: MemoryStore) -> MemoryStore:
    """The shop in the first minute, one order in the third."""
    store.put([*shop(), order(130, State.FAULT, 500)], "t")
    return store


def test_without_a_selector_it_is_what_clients_saw(two_minutes: MemoryStore, xray: Any) -> None:
    first, third = series(xray)
    assert [p["Timestamp"].timestamp() for p in (first, third)] == [START, START + 120]
    assert first["EdgeSummaryStatistics"] == {
        "OkCount": 4,
        "ErrorStatistics": {"ThrottleCount": 1, "OtherCount": 1, "TotalCount": 2},
        "FaultStatistics": {"OtherCount": 1, "TotalCount": 1},
        "TotalCount": 7,
        "TotalResponseTime": 0.7,
    }
    assert first["ResponseTimeHistogram"] == [{"Value": 0.1, "Count": 7}]
    assert third["EdgeSummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1
    assert not {"ServiceSummaryStatistics", "ServiceForecastStatistics"} & first.keys()


@pytest.mark.parametrize(
    ("selector", "counts"),
    [
        ('service("front")', [6, 1]),
        ('service(id(name: "front", type: "AWS::ECS::Container"))', [6, 1]),
        ('id(name: "orders", type: "AWS::DynamoDB::Table")', [6, 1]),
        ('service("DynamoDB")', [6, 1]),
        ('service("front") OR service("stock")', [12, 1]),
        ('service("none")', []),
        ("service()", [6 + 6 + 6 + 2, 3]),
    ],
)
def test_services(two_minutes: MemoryStore, xray: Any, selector: str, counts: list[int]) -> None:
    points = series(xray, selector)
    assert [p["ServiceSummaryStatistics"]["TotalCount"] for p in points] == counts
    assert all("EdgeSummaryStatistics" not in point for point in points)


def test_edges(two_minutes: MemoryStore, xray: Any) -> None:
    edge = 'edge(id(name: "front", type: "AWS::ECS::Container"), "stock")'
    first, *_ = series(xray, edge)
    assert first["EdgeSummaryStatistics"]["TotalCount"] == 6
    assert first["ResponseTimeHistogram"] == [{"Value": 0.04, "Count": 6}]
    (only,) = series(xray, 'edge("front", "orders")', Period=300)
    assert only["EdgeSummaryStatistics"]["TotalCount"] == 7


def test_a_window_is_extended_to_whole_periods(two_minutes: MemoryStore, xray: Any) -> None:
    """So that a refresh a second later shows the same periods."""
    found = xray.get_time_series_service_statistics(
        StartTime=START + 119.5, EndTime=START + 120.5, Period=60
    )["TimeSeriesServiceStatistics"]
    assert [p["Timestamp"].timestamp() for p in found] == [START + 120]


def test_pages(store: MemoryStore, xray: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_series, "PAGE_PERIODS", 4)
    store.put([order(minute * 60) for minute in (0, 3, 4, 9)], "t")
    pages = list(
        xray.get_paginator("get_time_series_service_statistics").paginate(**WINDOW, Period=60)
    )
    assert [len(page["TimeSeriesServiceStatistics"]) for page in pages] == [2, 1, 1]
    with pytest.raises(xray.exceptions.InvalidRequestException, match="another request"):
        xray.get_time_series_service_statistics(
            StartTime=START + 1200, EndTime=START + 1800, NextToken=pages[0]["NextToken"]
        )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"EntitySelectorExpression": "fault"}, "expected service"),
        ({"EntitySelectorExpression": 'service("a") { fault }'}, "without conditions"),
        ({"EntitySelectorExpression": 'service("a") OR edge("a", "b")'}, "of one kind"),
        ({"EntitySelectorExpression": 'service("a'}, "position 9"),
        ({"EntitySelectorExpression": 'id(name: "a", kind: "b")'}, "position 15"),
        ({"EntitySelectorExpression": "x" * 501}, "at most 500"),
        ({"Period": 61}, "multiple of 60"),
        ({"Period": 0}, "Period must lie between 60"),
        ({"ForecastStatistics": True}, "needs an EntitySelectorExpression"),
        ({"ForecastStatistics": True, "EntitySelectorExpression": 'service("a")'}, "with id"),
    ],
)
def test_invalid_requests(xray: Any, more: Json, said: str) -> None:
    with pytest.raises(xray.exceptions.InvalidRequestException, match=said):
        xray.get_time_series_service_statistics(**WINDOW, **more)


def test_forecast_is_a_band_around_earlier_days(store: MemoryStore, xray: Any) -> None:
    """From the same minute of earlier days; absent where too few of them had traffic."""
    faults = {1: 4, 2: 0, 3: 2}
    documents = [order(0), order(60)]
    for day, count in faults.items():
        states = [State.FAULT] * count + [State.OK] * 3
        documents += [
            segment(
                n + 1,
                trace_id=trace_id(1000 * day + n, epoch=START - day * 86_400),
                node=FRONT,
                start=T0 - day * DAY + n * SECOND,
                end=T0 - day * DAY + n * SECOND + 10,
                state=state,
            )
            for n, state in enumerate(states)
        ]
    store.put(documents, "t")
    selector = 'service(id(name: "front", type: "AWS::ECS::Container"))'
    first, second = series(xray, selector, ForecastStatistics=True)
    band = forecast([4, 0, 2])
    assert band is not None
    assert first["ServiceForecastStatistics"] == {
        "FaultCountHigh": band.high,
        "FaultCountLow": band.low,
    }
    assert "ServiceForecastStatistics" not in second
    assert "ServiceForecastStatistics" not in series(xray, selector)[0]
    edges = series(xray, 'edge("front", id(name: "orders"))', ForecastStatistics=True)
    assert all("ServiceForecastStatistics" not in point for point in edges)


def test_the_band() -> None:
    assert forecast([1, 2]) is None
    assert forecast([0, 0, 0]) == Band(0, 0)
    assert forecast([9, 9, 9, 9]) == Band(3, 15)
    assert forecast([0, 100, 0, 100]) == Band(0, 150)

"""GetServiceGraph and GetTraceGraph as boto3 sees them (docs/xray-format.md §5)."""

from __future__ import annotations

from typing import Any

import pytest

from store.memory import MemoryStore
from store.model import Link, NodeKey
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.api.shop import END, START, order, shop
from tests.builders import T0, call, segment, trace_id

Json = dict[str, Any]


@pytest.fixture
def services(store: MemoryStore, xray: Any) -> dict[tuple[str, str], Json]:
    """The shop's graph, nodes by name and type."""
    store.put(shop(), "shop")
    found = xray.get_service_graph(StartTime=START, EndTime=END)["Services"]
    assert [service["ReferenceId"] for service in found] == list(range(len(found)))
    return {(service["Name"], service.get("Type", "")): service for service in found}


def targets(services: dict[tuple[str, str], Json], of: Json) -> list[tuple[str, str]]:
    """Names and types of the nodes a node has edges to."""
    names = list(services)
    return [names[edge["ReferenceId"]] for edge in of["Edges"]]


def test_client_stands_before_the_root_with_its_figures(
    services: dict[tuple[str, str], Json],
) -> None:
    client, root = services["front", "client"], services["front", "AWS::ECS::Container"]
    assert client["State"] == "unknown"
    assert not {"Root", "SummaryStatistics", "DurationHistogram", "ResponseTimeHistogram"} & set(
        client
    )
    (edge,) = client["Edges"]
    assert targets(services, client) == [("front", "AWS::ECS::Container")]
    assert edge["SummaryStatistics"] == root["SummaryStatistics"]
    assert edge["ResponseTimeHistogram"] == root["ResponseTimeHistogram"]


def test_root_state_and_type(services: dict[tuple[str, str], Json]) -> None:
    assert services["front", "AWS::ECS::Container"]["Root"] is True
    assert services["front", "AWS::ECS::Container"]["State"] == "active"
    assert "Root" not in services["stock", ""]
    assert "Type" not in services["stock", ""]
    assert services["orders", "AWS::DynamoDB::Table"]["State"] == "unknown"
    assert services["orders", "AWS::DynamoDB::Table"]["Edges"] == []
    assert services["orders", "AWS::DynamoDB::Table"]["Names"] == ["orders", "DynamoDB"]
    assert all("AccountId" not in service for service in services.values())


def test_each_request_counts_in_one_class(services: dict[tuple[str, str], Json]) -> None:
    assert services["front", "AWS::ECS::Container"]["SummaryStatistics"] == {
        "OkCount": 3,
        "ErrorStatistics": {"ThrottleCount": 1, "OtherCount": 1, "TotalCount": 2},
        "FaultStatistics": {"OtherCount": 1, "TotalCount": 1},
        "TotalCount": 6,
        "TotalResponseTime": 0.6,
    }


def test_histograms_add_up(services: dict[tuple[str, str], Json]) -> None:
    for service in services.values():
        figures = [*service["Edges"], *([service] if "SummaryStatistics" in service else [])]
        for each in figures:
            total = sum(entry["Count"] for entry in each["ResponseTimeHistogram"])
            assert total == each["SummaryStatistics"]["TotalCount"]


def test_lambda_pair_is_two_nodes_and_an_edge(services: dict[tuple[str, str], Json]) -> None:
    half = services["resize", "AWS::Lambda"]
    assert targets(services, half) == [("resize", "AWS::Lambda::Function")]
    assert half["Root"] is True
    assert "Root" not in services["resize", "AWS::Lambda::Function"]


def test_edge_is_the_callers_view_with_the_name_it_used(
    services: dict[tuple[str, str], Json],
) -> None:
    front = services["front", "AWS::ECS::Container"]
    (edge,) = [e for e in front["Edges"] if list(services)[e["ReferenceId"]] == ("stock", "")]
    assert edge["ResponseTimeHistogram"] == [{"Value": 0.04, "Count": 6}]
    assert edge["Aliases"] == [{"Name": "backend.example.com", "Names": ["backend.example.com"]}]


def test_times_are_whole_seconds_around(store: MemoryStore, xray: Any) -> None:
    store.put([segment(start=T0 + 300_000, end=T0 + 1_200_000)], "t")
    graph = xray.get_service_graph(StartTime=START + 0.25, EndTime=START + 1.5)
    assert graph["StartTime"].timestamp() == START
    assert graph["EndTime"].timestamp() == START + 2
    assert {s["StartTime"].timestamp() for s in graph["Services"]} == {START}
    assert {s["EndTime"].timestamp() for s in graph["Services"]} == {START + 2}


def test_windows_may_be_longer_than_six_hours(store: MemoryStore, xray: Any) -> None:
    store.put(shop(), "shop")
    graph = xray.get_service_graph(StartTime=START - 90 * 86400, EndTime=END + 86400)
    assert len(graph["Services"]) == 7


def test_account_is_included_when_known(store: MemoryStore, xray: Any) -> None:
    known = segment()
    node = known.node._replace(account="123456789012")
    store.put([segment(node=node)], "t")
    services = xray.get_service_graph(StartTime=START, EndTime=END)["Services"]
    assert [s.get("AccountId") for s in services] == [None, "123456789012"]


def test_trace_graph_is_of_those_traces_only(store: MemoryStore, xray: Any) -> None:
    store.put(shop(), "shop")
    ids = [format_trace_id(trace_id(99)), format_trace_id(trace_id(7)), "nonsense"]
    services = xray.get_trace_graph(TraceIds=ids)["Services"]
    assert {service["Name"] for service in services} == {"resize"}


def test_many_response_times_are_merged(store: MemoryStore, xray: Any) -> None:
    """At most about 200 values, none lost."""
    documents = [
        order(0, trace_id=trace_id(n), end=T0 + 1000 * n * n, calls=()) for n in range(1, 600)
    ]
    store.put(documents, "t")
    services = xray.get_service_graph(StartTime=START, EndTime=END)["Services"]
    (front,) = [s for s in services if s.get("Root")]
    histogram = front["ResponseTimeHistogram"]
    assert len(histogram) <= 200
    assert sum(entry["Count"] for entry in histogram) == 599
    assert [e["Value"] for e in histogram] == sorted({e["Value"] for e in histogram})


def test_silent_callee_appears_once_called(store: MemoryStore, xray: Any) -> None:
    """An edge never dangles: its target is a service, though its own work lies outside."""
    early = segment(0xA1, calls=(call(0xCA),))
    late = segment(0xB1, name="late", parent_id=0xCA, start=T0 + 20 * SECOND, end=T0 + 21 * SECOND)
    store.put([early, late], "t")
    services = xray.get_service_graph(StartTime=START, EndTime=START + 10)["Services"]
    assert sorted(s["Name"] for s in services) == ["frontend", "frontend", "late"]


def test_a_link_between_traces_is_an_edge_with_ages(store: MemoryStore, xray: Any) -> None:
    """AWS's model: EdgeType ``link`` and ReceivedEventAgeHistogram instead of response times."""
    queue = NodeKey("", "jobs", "AWS::SQS::Queue")
    send = call(0xC1, node=queue, service="SQS", end=T0 + 11_000)
    taken = Link(trace_id(1), 0xC1, received=T0 + 2_011_000)
    start = T0 + 3 * SECOND
    worker = segment(
        0xB1, trace_id=trace_id(2), name="worker", start=start, end=start, links=(taken,)
    )
    store.put([segment(trace_id=trace_id(1), calls=(send,)), worker], "t")
    found = xray.get_service_graph(StartTime=START, EndTime=END)["Services"]
    (jobs,) = [service for service in found if service["Name"] == "jobs"]
    (edge,) = jobs["Edges"]
    assert found[edge["ReferenceId"]]["Name"] == "worker"
    assert edge["EdgeType"] == "link"
    assert edge["ReceivedEventAgeHistogram"] == [{"Value": 2.0, "Count": 1}]
    assert "ResponseTimeHistogram" not in edge


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        (("shop/api",), ["api"]),
        (("shop/api", "billing/api"), ["billing/api", "shop/api"]),
        (("shop/api", "api"), ["api", "shop/api"]),
    ],
)
def test_a_namespace_is_shown_where_one_name_has_two(
    store: MemoryStore, xray: Any, nodes: tuple[str, ...], names: list[str]
) -> None:
    """In the graph, in its edges, and in the summary of a trace, of which each has one; filters find all by name."""
    for number, name in enumerate(nodes, 1):
        document = segment(
            0xA1, trace_id=trace_id(number), node=NodeKey("", name, ""), service="api"
        )
        store.put([document], name)
    found = xray.get_service_graph(StartTime=START, EndTime=END)["Services"]
    for type in ("client", None):
        assert sorted(s["Name"] for s in found if s.get("Type") == type) == names
    leading = [s for s in found if s["Edges"]]
    assert all(found[s["Edges"][0]["ReferenceId"]]["Name"] == s["Name"] for s in leading)
    for text, count in (('service("api")', len(nodes)), ('service("shop/api")', 1)):
        given = {"StartTime": START, "EndTime": END, "FilterExpression": text}
        summaries = xray.get_trace_summaries(**given)["TraceSummaries"]
        assert [each["EntryPoint"]["Name"] for each in summaries] == ["api"] * count
        assert all("api" in each["ServiceIds"][0]["Names"] for each in summaries)

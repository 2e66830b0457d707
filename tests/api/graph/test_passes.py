"""Passes: graph in, graph out."""

from __future__ import annotations

from api.console.node_kinds import kind_of
from api.graph.build import Graph, build_graph, calls_of, edge_id, node_id, stats_of
from api.graph.find import find_node
from api.graph.passes import focus, parts, prune, traffic
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange
from store.service_graph import build_service_graph
from tests.api.shop import FRONT, TABLE, shop
from tests.builders import T0, segment

CLIENT = NodeKey("", "front", "client")
STOCK = NodeKey("", "stock", "")


def graph() -> Graph:
    store = MemoryStore()
    store.put(shop(), "shop")
    return build_graph(store.service_graph(TimeRange(T0, T0 + 600_000_000)))


def test_graph_carries_typed_figures() -> None:
    built = graph()
    assert stats_of(built, FRONT).statistics.total == 6
    assert calls_of(built, FRONT, TABLE).statistics.total == 6
    assert list(built) == sorted(built)


def test_ids_are_stable_and_lead_back() -> None:
    assert node_id(TABLE) == node_id(NodeKey("", "orders", "AWS::DynamoDB::Table"))
    assert find_node(graph(), node_id(TABLE)) == TABLE
    assert find_node(graph(), "n0") is None
    assert edge_id(FRONT, TABLE) == f"{node_id(FRONT)}:{node_id(TABLE)}"


def test_focus_goes_up_and_down() -> None:
    assert set(focus(graph(), TABLE, 1)) == {FRONT, TABLE}
    assert set(focus(graph(), TABLE, 2)) == {CLIENT, FRONT, TABLE, STOCK}
    assert set(focus(graph(), FRONT, 1).edges) == {(CLIENT, FRONT), (FRONT, TABLE), (FRONT, STOCK)}


def test_prune_keeps_the_busiest_and_their_edges() -> None:
    small = prune(graph(), 4)
    assert set(small) == {CLIENT, FRONT, TABLE, STOCK}
    assert small.number_of_edges() == 3
    assert prune(graph(), 7).number_of_nodes() == 7


def test_client_is_as_busy_as_its_calls() -> None:
    assert traffic(graph(), CLIENT) == 6


def test_parts_come_largest_first() -> None:
    assert [len(part) for part in parts(graph())] == [4, 3]


def test_passes_leave_their_graph_alone() -> None:
    given = graph()
    before = set(given), set(given.edges)
    focus(given, TABLE, 1)
    prune(given, 2)
    parts(given)
    assert (set(given), set(given.edges)) == before


def test_nothing_makes_an_empty_graph() -> None:
    assert len(build_graph(build_service_graph([]))) == 0


def test_kinds() -> None:
    kinds = {
        "": "service",
        "client": "client",
        "client::Synthetics": "client",
        "remote": "remote",
        "Database::SQL": "database",
        "AWS::ApiGateway::Stage": "gateway",
        "AWS::DynamoDB::Table": "table",
        "AWS::EC2::Instance": "service",
        "AWS::EC2": "remote",
        "AWS::ECS::Fargate": "service",
        "AWS::Kinesis::Stream": "stream",
        "AWS::KinesisFirehose::DeliveryStream": "stream",
        "AWS::Events::EventBus": "topic",
        "AWS::RDS::DBCluster": "database",
        "AWS::Lambda": "function",
        "AWS::Lambda::Function": "function",
        "AWS::S3::Bucket": "bucket",
        "AWS::SNS": "topic",
        "AWS::SQS::Queue": "queue",
        "AWS::STS": "remote",
        "AWS::SecretsManager": "remote",
        "AWS::StepFunctions::StateMachine": "workflow",
        "My::Own": "service",
    }
    assert {type: kind_of(type) for type in kinds} == kinds


def test_a_node_is_found_by_every_key_of_its_units() -> None:
    """The id of a service's name alone leads to the service of that name."""
    full = NodeKey("", "eu/stock", "")
    store = MemoryStore()
    store.put([segment(0xA1, node=full, service="stock")], "a")
    graph = build_graph(store.service_graph(TimeRange(T0, T0 + 600_000_000)))
    assert find_node(graph, node_id(full)) == find_node(graph, node_id(STOCK)) == full
    assert find_node(graph, node_id(TABLE)) is None

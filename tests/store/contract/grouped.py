"""Maps whose nodes are split by a dimension."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from store.filters.parse import parse
from store.graph import ServiceGraph
from store.grouped_graph import graph_of_grouped
from store.grouped_units import Grouped, GroupedKey
from store.model import Document, Fetched, Kind, Link, NodeKey, State, TimeRange
from store.protocol import Store
from store.query import TraceQuery, UnitQuery
from store.rules import dimensions
from store.rules.dimensions import OTHER_VALUES, Dimension
from store.rules.operations import OTHER_OPERATIONS
from store.times import MINUTE
from tests.builders import T0, call, http, segment, subsegment, trace_id
from tests.store.contract.nodes import CLIENT, FRONTEND, HOUR

CHECKOUT = NodeKey("", "checkout", "")
TABLE = NodeKey("", "orders", "AWS::DynamoDB::Table")


def story(number: int, version: str, state: State = State.OK, **change: Any) -> list[Document]:
    """The frontend (always of version 7) calls the checkout, which calls a table."""
    start = T0 + number * 1000
    given: dict[str, Any] = {"trace_id": trace_id(number), "start": start, "end": start + 900}
    request = call(0xC1, start=start, end=start + 800, node=CHECKOUT, state=state)
    status = 503 if state is State.FAULT else 200
    made = call(0xC2, start=start, end=start + 50, node=TABLE, service="DynamoDB", status=200)
    made = replace(made, operation="PutItem" if number % 2 else "GetItem")
    checkout: dict[str, Any] = {"name": "checkout", "parent_id": 0xC1, "http": http(status)}
    checkout["operation"] = f"POST /orders/{number % 2}"
    return [
        segment(0xA1, calls=(request,), service_version="7", http=http(status), **given),
        segment(
            0xB1,
            calls=(made,),
            service_version=version,
            **{**given, "state": state, **checkout, **change},
        ),
    ]


def grouped(
    store: Store, by: Dimension, filter: str = "", window: TimeRange = HOUR
) -> ServiceGraph:
    expression = parse(filter) if filter else None
    return graph_of_grouped(store.grouped_units(window, by, expression))


def requests(graph: ServiceGraph) -> dict[Any, int]:
    """Finished units by node, a split one as its name and value."""
    return {_short(key): stats.statistics.total for key, stats in graph.services.items()}


def calls(graph: ServiceGraph) -> dict[Any, int]:
    """Finished calls by the ends of the edges."""
    return {
        (_short(source), _short(target)): stats.statistics.total
        for (source, target), stats in {**graph.edges, **graph.links}.items()
    }


def _short(key: NodeKey) -> Any:
    if not isinstance(key, GroupedKey):
        return key
    return (key.name, key.value, key.region) if key.region else (key.name, key.value)


class GroupedContract:
    """`GraphReader.grouped_units`, `store.grouped_graph`, and `UnitQuery.by`."""

    def test_a_node_is_split_by_version_with_its_edges(self, store: Store) -> None:
        """What did not report a version is none of its versions; a table has none and stays whole."""
        store.put([d for n in (1, 2) for d in story(n, "1")], "a")
        store.put([*story(3, "2", State.FAULT), *story(4, "", State.IN_PROGRESS)], "b")
        graph = grouped(store, Dimension.VERSION)
        assert requests(graph) == {
            CLIENT: 0,
            ("frontend", "7"): 4,
            ("checkout", "1"): 2,
            ("checkout", "2"): 1,
            ("checkout", ""): 0,
            TABLE: 4,
        }
        assert calls(graph) == {
            (CLIENT, ("frontend", "7")): 4,
            (("frontend", "7"), ("checkout", "1")): 2,
            (("frontend", "7"), ("checkout", "2")): 1,
            (("frontend", "7"), ("checkout", "")): 0,
            (("checkout", "1"), TABLE): 2,
            (("checkout", "2"), TABLE): 1,
            (("checkout", ""), TABLE): 1,
        }
        of = {key: graph.services[GroupedKey(CHECKOUT, key)].statistics for key in ("1", "2", "")}
        assert (of["1"].ok, of["2"].fault, of[""].in_progress) == (2, 1, 1)
        assert graph.services[GroupedKey(CHECKOUT, "1")].keys == {CHECKOUT}
        assert graph.services[GroupedKey(FRONTEND, "7")].root

    def test_each_dimension_splits_by_what_the_unit_itself_reported(self, store: Store) -> None:
        """Of what did not report, one node remains beside the others; what no unit reported splits nothing."""
        east = NodeKey("", "checkout", "", "us-east-1")
        store.put(story(1, "1", environment="prod", http=http(200, method="GET")), "a")
        store.put(story(2, "1", environment="dev", http=http(503, method="POST")), "b")
        store.put(story(3, "1", node=east, http=http(0, method="")), "c")
        found = {by: requests(grouped(store, by)) for by in Dimension}
        values = {
            by: {key[1:]: times for key, times in counts.items() if key[0] == "checkout"}
            for by, counts in found.items()
        }
        assert values == {
            Dimension.VERSION: {("1",): 2, ("1", "us-east-1"): 1},
            Dimension.ENVIRONMENT: {("prod",): 1, ("dev",): 1},
            Dimension.REGION: {("us-east-1", "us-east-1"): 1},
            Dimension.METHOD: {("GET",): 1, ("POST",): 1},
            Dimension.STATUS: {("200",): 1, ("503",): 1},
            Dimension.OPERATION: {
                ("POST /orders/1",): 1,
                ("POST /orders/0",): 1,
                ("POST /orders/1", "us-east-1"): 1,
            },
        }
        assert found[Dimension.ENVIRONMENT][east] == found[Dimension.METHOD][east] == 1
        assert found[Dimension.REGION][CHECKOUT] == 2
        assert found[Dimension.STATUS]["orders", "200"] == 3
        assert found[Dimension.OPERATION]["orders", "PutItem"] == 2
        assert found[Dimension.OPERATION][FRONTEND] == 3
        assert found[Dimension.METHOD][TABLE] == found[Dimension.VERSION][TABLE] == 3

    def test_split_nodes_and_edges_add_up(self, store: Store) -> None:
        """Weights, units in progress and background work included; of traces per minute each value has its own."""
        store.put([d for n in range(1, 9) for d in story(n, str(n % 3), weight=n)], "a")
        job = {"trace_id": trace_id(20), "kind": Kind.INTERNAL, "sampled": False}
        store.put([segment(0xB1, name="checkout", service_version="1", **job)], "b")
        store.put(
            [
                segment(i, trace_id=trace_id(21), name="checkout", service_version=str(i))
                for i in (1, 2)
            ],
            "c",
        )
        whole, split = store.service_graph(HOUR), grouped(store, Dimension.VERSION)
        parts = [each for key, each in split.services.items() if key[:4] == CHECKOUT]
        stats = whole.services[CHECKOUT]
        assert sum(each.requests.statistics.ok for each in parts) == stats.requests.statistics.ok
        assert sum(each.background.statistics.ok for each in parts) == 1
        assert sum(each.requests.trace_minutes for each in parts) == stats.trace_minutes + 1
        edges = [each for ends, each in split.edges.items() if ends[0][:4] == CHECKOUT]
        assert (
            sum(each.statistics.ok for each in edges) == whole.edges[CHECKOUT, TABLE].statistics.ok
        )

    def test_streamed_calls_and_local_work_are_their_requests(self, store: Store) -> None:
        """A subsegment reports no version and no method: its segment does."""
        inner = subsegment(0x51, 0xA1, calls=(call(0x51, node=TABLE),))
        store.put([inner, segment(0xA1, service_version="7", http=http(200))], "a")
        for by, value in ((Dimension.VERSION, "7"), (Dimension.METHOD, "GET")):
            assert calls(grouped(store, by))[("frontend", value), TABLE] == 1

    def test_a_call_that_several_values_answer_leads_to_the_earliest(self, store: Store) -> None:
        """Each request counts in its own node, the call once."""
        both = [
            segment(
                0xB0 + i, name="checkout", parent_id=0xC1, service_version=str(i), start=T0 + 20 - i
            )
            for i in (1, 2)
        ]
        store.put([segment(calls=(call(0xC1, node=CHECKOUT),)), *both], "a")
        graph = grouped(store, Dimension.VERSION)
        assert requests(graph) == {
            CLIENT: 0,
            FRONTEND: 1,
            ("checkout", "1"): 1,
            ("checkout", "2"): 1,
        }
        assert calls(graph) == {(CLIENT, FRONTEND): 1, (FRONTEND, ("checkout", "2")): 1}

    def test_links_lead_from_the_senders_value_to_the_receivers(self, store: Store) -> None:
        """Directly, and through the queue that the sender's call names, which is a unit of its own."""
        queue = NodeKey("", "jobs", "AWS::SQS::Queue")
        sent = call(0xC1, node=queue, status=200)
        store.put([segment(0xA1, trace_id=trace_id(1), calls=(sent,), service_version="7")], "a")
        got: dict[str, Any] = {"trace_id": trace_id(2), "kind": Kind.CONSUMER, "name": "worker"}
        of_queue = (Link(trace_id(1), 0xC1),)
        store.put([segment(0xB1, links=of_queue, service_version="2", **got)], "b")
        direct = (Link(trace_id(1), 0xA1),)
        store.put([segment(0xB2, links=direct, service_version="3", **got)], "c")
        by_version = calls(grouped(store, Dimension.VERSION))
        assert by_version[queue, ("worker", "2")] == 1
        assert by_version[("frontend", "7"), ("worker", "3")] == 1
        assert (
            calls(grouped(store, Dimension.STATUS))[("jobs", "200"), NodeKey("", "worker", "")] == 1
        )

    def test_a_queue_of_a_young_call_that_a_consumer_names(self, store: Store) -> None:
        """It has an edge, so it is drawn, and the consumer's queue is that one."""
        queue = NodeKey("2" * 12, "mail", "AWS::SQS::Queue")
        store.put([subsegment(0x51, 0xA1, calls=(call(0x51, node=queue),))], "call")
        named = queue._replace(account="")
        got = segment(0xC1, name="worker", trace_id=trace_id(2), kind=Kind.CONSUMER, before=named)
        store.put([got], "message")
        nodes = store.service_graph(HOUR, settled_before=T0).services
        assert nodes[queue].statistics.ok == 1
        assert nodes[queue].keys == {queue, named}
        units = store.grouped_units(HOUR, Dimension.VERSION)
        split = graph_of_grouped(units, T0)
        assert requests(split) == {
            _short(key): each.statistics.total for key, each in nodes.items()
        }

    def test_rare_values_are_counted_together(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No unit is lost, and what has no value is none of them."""
        monkeypatch.setattr(dimensions, "MOST_VALUES", 2)
        versions = ["1", "1", "1", "2", "2", "3", "4", ""]
        store.put([d for n, v in enumerate(versions, 1) for d in story(n, v)], "a")
        found = requests(grouped(store, Dimension.VERSION))
        of_checkout = {key[1]: times for key, times in found.items() if key[0] == "checkout"}
        assert of_checkout == {"1": 3, "2": 2, OTHER_VALUES: 2, "": 1}

    def test_with_a_filter_only_traces_that_satisfy_it(self, store: Store) -> None:
        store.put([d for n in (1, 2) for d in story(n, "1")], "a")
        store.put(story(3, "2", State.FAULT), "b")
        found = requests(grouped(store, Dimension.VERSION, 'service("checkout") { fault }'))
        assert found == {CLIENT: 0, ("frontend", "7"): 1, ("checkout", "2"): 1, TABLE: 1}
        assert grouped(store, Dimension.VERSION, window=TimeRange(0, MINUTE)).services == {}

    def test_the_traces_of_a_split_node_are_those_that_it_counts(self, store: Store) -> None:
        """By its units, and by the keyword of the dimension; a trace of two versions is in both lists."""
        store.put([d for n in range(1, 6) for d in story(n, str(n % 2), http=http(200 + n))], "a")
        reported: dict[str, Any] = {"service_version": "1", "operation": "POST /orders/1"}
        second = segment(0xB2, name="checkout", parent_id=0xA1, http=http(202), **reported)
        store.put([replace(second, trace_id=trace_id(2))], "b")
        for by in Dimension:
            graph = grouped(store, by)
            for key in filter(lambda key: isinstance(key, GroupedKey), graph.services):
                assert isinstance(key, GroupedKey)
                of = Grouped(by, key.value)
                query = UnitQuery(HOUR, nodes=graph.services[key].keys, by=of)
                found = store.find_units(query, limit=10).found
                assert sum(each.units for each in found) == graph.services[key].statistics.total
                is_number = by is Dimension.STATUS
                value = key.value if is_number else f'"{key.value}"'
                text = f'service("{key.name}") {{ {by.keyword} = {value} }}'
                page = store.find_traces(TraceQuery(HOUR, filter=parse(text)), limit=10)
                assert {each.trace_id for each in found} == {hit.trace_id for hit in page.found}

    def test_the_traces_of_a_split_edge(self, store: Store) -> None:
        store.put([d for n in range(1, 6) for d in story(n, str(n % 2))], "a")
        query = UnitQuery(HOUR, edges=frozenset([(FRONTEND, CHECKOUT)]))
        for target, source, times in (("1", "7", 3), ("0", None, 2), ("0", "6", 0)):
            by = Grouped(Dimension.VERSION, target, source)
            found = store.find_units(replace(query, by=by), limit=10).found
            assert sum(each.units for each in found) == times

    def test_what_a_node_did(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a service by its segments; of a resource by the calls of it; of one that sends no segments by its spans."""
        store.put([d for n in range(1, 6) for d in story(n, "1", weight=1 + n % 2)], "a")
        store.put(story(6, "1", State.FAULT), "b")
        worker: dict[str, Any] = {"name": "worker", "independent": 2, "parent_id": 0xA1}
        spans = [
            segment(0xD0 + n, operation=f"step {n % 2}", kind=Kind.INTERNAL, **worker)
            for n in range(3)
        ]
        job = {"name": "job", "kind": Kind.INTERNAL, "trace_id": trace_id(9)}
        jobs = [segment(n, operation="run", **job) for n in (1, 2)]
        store.put([*(replace(each, trace_id=trace_id(1)) for each in spans), *jobs], "c")
        graph = store.service_graph(HOUR)

        def counts(name: str, *, background: bool = False) -> dict[str, int]:
            (stats,) = (
                each
                for key, each in graph.services.items()
                if key.name == name and not key.is_client
            )
            found = store.operation_statistics(stats.keys, HOUR, background=background)
            work = stats.background if background else stats.requests
            assert sum(each.total for each in found.values()) == work.statistics.total
            return {operation: each.total for operation, each in found.items()}

        assert counts("checkout") == {"POST /orders/1": 6, "POST /orders/0": 3}
        assert counts("orders") == {"PutItem": 3, "GetItem": 3}
        assert counts("worker") == {"step 0": 2, "step 1": 1}
        assert counts("job") == {}
        assert counts("job", background=True) == {"run": 2}
        found = store.operation_statistics({CHECKOUT}, HOUR)
        assert (found["POST /orders/0"].fault, found["POST /orders/0"].ok) == (1, 2)
        assert found["POST /orders/1"].histogram
        assert store.operation_statistics({CHECKOUT}, TimeRange(0, MINUTE)) == {}
        assert store.operation_statistics(set(), HOUR) == {}
        for module in ("store.unit_filter", "store.clickhouse.operations", "store.cells.graph"):
            monkeypatch.setattr(f"{module}.MOST_LISTED_OPERATIONS", 1)
        assert counts("checkout") == {"POST /orders/0": 3, OTHER_OPERATIONS: 6}

    @pytest.mark.parametrize(
        "below",
        [{"kind": Kind.CONSUMER}, {"kind": Kind.SERVER, "fetched": Fetched.MESSAGES}],
        ids=["consumed", "fetched"],
    )
    def test_what_was_done_with_a_topic(self, store: Store, below: dict[str, Any]) -> None:
        """A consumer below a message is no answer to the call that sent it."""
        topic = NodeKey("", "orders", "Messaging::Kafka")
        sent = replace(call(0xC1, node=topic, service="orders"), operation="send")
        consumer = segment(0xB1, name="worker", parent_id=0xC1, **below)
        store.put([segment(0xA1, calls=(sent,)), consumer], "a")
        assert store.service_graph(HOUR).services[topic].requests.statistics.total == 1
        found = store.operation_statistics({topic}, HOUR)
        assert {operation: each.total for operation, each in found.items()} == {"send": 1}

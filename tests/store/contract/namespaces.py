"""Services of one name in two namespaces (docs/xray-format.md §5.2)."""

from __future__ import annotations

from collections.abc import Iterator

from store.filters.conditions import any_of, touches
from store.filters.parse import parse
from store.model import Document, Kind, NodeKey
from store.protocol import Store
from store.query import TraceQuery, UnitQuery
from store.summary import summarize
from store.times import DAY
from tests.builders import call, segment, trace_id
from tests.store.contract.nodes import HOUR
from tests.store.contract.series import edge_series

SHOP, BILLING, API = (NodeKey("", name, "") for name in ("shop/api", "billing/api", "api"))
TABLE = NodeKey("", "orders", "AWS::DynamoDB::Table")


def requests(*nodes: NodeKey) -> Iterator[Document]:
    """A request of each node in a trace of its own, which calls the table."""
    for number, node in enumerate(nodes, 1):
        made = (call(0xC1, node=TABLE),)
        yield segment(
            0xA1,
            trace_id=trace_id(number),
            node=node,
            service="api",
            calls=made,
            kind=Kind.SERVER,
        )


class NamespaceContract:
    """Every store passes every test."""

    def test_one_namespace_is_not_shown(self, store: Store) -> None:
        """The node, and the client in front of it, are called by the service's name; lists find its units."""
        store.put([*requests(SHOP, SHOP)], "a")
        graph = store.service_graph(HOUR)
        client = NodeKey("", "shop/api", "client")
        assert graph.edges.keys() == {(client, SHOP), (SHOP, TABLE)}
        stats = graph.services[SHOP]
        assert (stats.statistics.ok, stats.keys) == (2, frozenset((SHOP,)))
        for key in (SHOP, client):
            assert graph.services[key].shown == "api"
            assert graph.services[key].names == {"api", "shop/api"}
        assert sum(each.statistics.ok for each in store.node_series(stats.keys, HOUR, DAY)) == 2
        for edge in graph.edges:
            pairs = [
                (a, b) for a in graph.services[edge[0]].keys for b in graph.services[edge[1]].keys
            ]
            assert sum(e.statistics.ok for e in edge_series(store, pairs, HOUR, DAY)) == 2
            assert (
                len(store.find_units(UnitQuery(HOUR, edges=frozenset(pairs)), limit=9).found) == 2
            )
        units = store.find_units(UnitQuery(HOUR, nodes=stats.keys), limit=9).found
        assert len(units) == 2
        filtered = TraceQuery(HOUR, filter=any_of(map(touches, stats.keys)))
        assert len(store.find_traces(filtered, limit=9).found) == 2
        trace = store.get_traces([trace_id(1)])[trace_id(1)]
        assert summarize(trace).name_of(SHOP) == "api"

    def test_two_namespaces_are_two_nodes(self, store: Store) -> None:
        """With what each calls, and a service without a namespace apart from both; filters find all or one."""
        nodes = (SHOP, BILLING, API)
        store.put([*requests(*nodes)], "a")
        graph = store.service_graph(HOUR)
        clients = {NodeKey("", node.name, "client") for node in nodes}
        assert graph.services.keys() == {*nodes, *clients, TABLE}
        for number, node in enumerate(nodes, 1):
            assert graph.services[node].shown == node.name
            assert graph.services[node].statistics.ok == 1
            assert graph.edges[node, TABLE].statistics.ok == 1
            units = store.find_units(
                UnitQuery(HOUR, nodes=graph.services[node].keys), limit=9
            ).found
            assert [each.trace_id for each in units] == [trace_id(number)]
        every = [1, 2, 3]
        for text, numbers in {
            'service("api")': every,
            'service("shop/api")': [1],
            'service("billing/api")': [2],
            'service(id(name: "shop/api", type: ""))': [1],
            'service(id(name: "api", type: "client"))': every,
            'service(id(name: "billing/api", type: "client"))': [2],
            'edge("api", "orders")': every,
            'edge("shop/api", "orders")': [1],
            'edge(id(name: "api", type: "client"), "api")': every,
            'service("api") { name = "billing/api" }': [2],
            'name = "api"': every,
            'name BEGINSWITH "shop"': [1],
            '!service("shop/api")': [2, 3],
            '!edge("api", "orders")': [],
        }.items():
            found = store.find_traces(TraceQuery(HOUR, filter=parse(text)), limit=9).found
            assert sorted(e.trace_id for e in found) == [trace_id(n) for n in numbers], text
        assert store.services(0, limit=9) == ["api"]

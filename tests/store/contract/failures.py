"""Error breakdowns of nodes and edges, as the graph of the test's hour counts them."""

from __future__ import annotations

from store.model import NodeKey
from store.protocol import Store
from store.query import Failure, failures_by_frequency
from tests.store.contract.nodes import HOUR


def node_failures(store: Store, node: NodeKey) -> list[Failure]:
    return failures_by_frequency(store.service_graph(HOUR).services[node].failures)


def edge_failures(store: Store, source: NodeKey, target: NodeKey) -> list[Failure]:
    return failures_by_frequency(store.service_graph(HOUR).edges[source, target].failures)

"""The table of names orders and marks nodes as the passes over the whole graph do."""

from __future__ import annotations

from random import Random

import pytest

from api.graph import search
from api.graph.build import build_graph
from api.graph.passes import importance, prune
from api.graph.search import NameTable
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics, Work
from store.model import NodeKey


def random_graph(random: Random) -> ServiceGraph:
    """Nodes of which some answer nothing, with calls and events, sometimes both between two."""
    graph = ServiceGraph({}, {}, {})
    for number in range(40):
        key = NodeKey("", f"team-{number % 5}-{number}", random.choice(("", "client", "remote")))
        ok, error, throttle, fault = random.choices((0, 0, 3), k=4)
        stats = Statistics(ok, error, throttle, fault, observed=ok + error + throttle + fault)
        names = frozenset((f"Alias{number}",))
        graph.services[key] = ServiceStats(key, names, True, False, 0, 0, Work(stats))
    for edges in (graph.edges, graph.links):
        for _ in range(60):
            source, target = random.choices(list(graph.services), k=2)
            statistics = Statistics(ok=random.randrange(4), in_progress=random.randrange(2))
            edges[source, target] = EdgeStats(source, target, frozenset(), 0, 0, statistics)
    return graph


@pytest.mark.parametrize("seed", range(5))
def test_hits_and_drawn_nodes_are_those_of_the_passes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = random_graph(Random(seed))
    graph = build_graph(services)
    monkeypatch.setattr(search, "MOST_NODES", 7)
    table = NameTable(services)
    assert table.drawn == set(prune(graph, 7))
    hits = table.find("TEAM-3")
    expected = [node for node in graph if node.name.startswith("team-3")]
    assert hits == sorted(expected, key=lambda node: importance(graph, node), reverse=True)
    assert set(table.find("lient")) == {node for node in graph if node.is_client}
    assert table.find("alias1")[0].name == "team-1-1"
    assert table.find("nothing") == []

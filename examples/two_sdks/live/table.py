"""Maps of several runs as Markdown tables: one of nodes, one of edges."""

from __future__ import annotations

from collections.abc import Mapping

from examples.two_sdks.diff import Edge, Figures, Graph, Node
from examples.two_sdks.live import plan


def tables(graphs: Mapping[str, Graph]) -> str:
    """A row for each run, a column for each service called: ``ok error throttle fault``.

    A star marks calls that name no resource, so that they lead to the service's node.
    """
    names = [plan.SERVICES[service].name for service in plan.TARGETS]
    heading = _row("ok error throttle fault", [*names, plan.SHOP]) + "\n" + _row("---", ["---"] * 6)
    nodes = [_row(name, _nodes(graph)) for name, graph in graphs.items()]
    edges = [_row(name, _edges(graph)) for name, graph in graphs.items()]
    both = ("Nodes", *nodes), ("Edges from the shop, and to it", *edges)
    return "\n\n".join("\n".join([f"{title}:\n", heading, *rows]) for title, *rows in both)


def _nodes(graph: Graph) -> list[str]:
    cells = [
        _cell(graph.nodes.get(node), graph.nodes.get(plan.SERVICES[service]))
        for service, node in plan.TARGETS.items()
    ]
    return [*cells, _cell(graph.nodes.get(plan.FRONT), None)]


def _edges(graph: Graph) -> list[str]:
    def figures(node: Node) -> Figures | None:
        return graph.edges.get(Edge(plan.FRONT, node))

    cells = [
        _cell(figures(node), figures(plan.SERVICES[service]))
        for service, node in plan.TARGETS.items()
    ]
    return [*cells, _cell(graph.edges.get(Edge(plan.VISITORS, plan.FRONT)), None)]


def _cell(resource: Figures | None, service: Figures | None) -> str:
    found = [
        f"{' '.join(map(str, figures[:4]))}{mark}"
        for figures, mark in ((resource, ""), (service, "\\*"))
        if figures
    ]
    return ", ".join(found) or "none"


def _row(first: str, cells: list[str]) -> str:
    return f"| {' | '.join([first, *cells])} |"

"""Maps of several runs as one Markdown table."""

from __future__ import annotations

from collections.abc import Mapping

from examples.two_sdks.diff import Edge, Figures, Graph, Node


def table(graphs: Mapping[str, Graph]) -> str:
    """A row for each run, a column for each node and edge: ``ok error throttle fault``."""
    nodes = {n: None for graph in graphs.values() for n in graph.nodes if n.type != "client"}
    edges = {edge: None for graph in graphs.values() for edge in graph.edges}
    keys: list[Node | Edge] = [*nodes, *edges]
    rows = [["run", *map(_heading, keys)], ["---"] * (len(keys) + 1)]
    for name, graph in graphs.items():
        found = [graph.edges.get(k) if isinstance(k, Edge) else graph.nodes.get(k) for k in keys]
        rows.append([name, *map(_cell, found)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _heading(key: Node | Edge) -> str:
    if isinstance(key, Edge):
        return f"{key.source.name or 'client'} → {key.target.name}"
    return str(key)


def _cell(figures: Figures | None) -> str:
    return " ".join(map(str, figures[:4])) if figures else "–"

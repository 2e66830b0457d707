"""Two service graphs compared: nodes by name and type, edges, and the four counts of each.

The answers are GetServiceGraph's. A mark, by which the names of one run end, is taken out of them,
and nodes whose names have none are others' and passed over.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Node(NamedTuple):
    """What names a node."""

    name: str
    type: str

    def __str__(self) -> str:
        return f"{self.name} ({self.type or 'service'})"


class Edge(NamedTuple):
    """Who called whom."""

    source: Node
    target: Node

    def __str__(self) -> str:
        return f"{self.source} → {self.target}"


class Figures(NamedTuple):
    """How many units ended how, and two words about a node; an edge has none of these."""

    ok: int = 0
    error: int = 0
    throttle: int = 0
    fault: int = 0
    state: str = ""
    root: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """A map without its times."""

    nodes: Mapping[Node, Figures]
    edges: Mapping[Edge, Figures]


def read_graph(answer: Mapping[str, Any], mark: str = "") -> Graph:
    """The graph in an answer of GetServiceGraph, all pages in one."""
    ending = f"-{mark}" if mark else ""
    services = [s for s in answer["Services"] if ending in s["Name"]]
    named = {
        service["ReferenceId"]: Node(service["Name"].replace(ending, ""), service.get("Type", ""))
        for service in services
    }
    nodes: dict[Node, Figures] = {}
    edges: dict[Edge, Figures] = {}
    for service in services:
        node = named[service["ReferenceId"]]
        words = (service.get("State", ""), bool(service.get("Root")))
        if node in nodes:
            raise ValueError(f"{node} is there twice")
        nodes[node] = Figures(*_counts(service), *words)
        for edge in service["Edges"]:
            if edge["ReferenceId"] in named:
                edges[Edge(node, named[edge["ReferenceId"]])] = Figures(*_counts(edge))
    return Graph(nodes, edges)


def differences(
    first: Graph, second: Graph, names: tuple[str, str] = ("the first", "the second")
) -> list[str]:
    """A sentence for each difference; none when the maps are the same."""
    return [
        *_compare("node", first.nodes, second.nodes, names),
        *_compare("edge", first.edges, second.edges, names),
    ]


def _compare(
    what: str,
    first: Mapping[Any, Figures],
    second: Mapping[Any, Figures],
    names: tuple[str, str],
) -> list[str]:
    said = []
    for key in sorted(first.keys() | second.keys()):
        one, other = first.get(key), second.get(key)
        if one is None or other is None:
            there, missing = (names[1], names[0]) if one is None else names
            said.append(f"{what} {key} is in {there} and not in {missing}")
            continue
        for field, left, right in zip(Figures._fields, one, other, strict=True):
            if left != right:
                said.append(f"{what} {key}: {field} is {left} in {names[0]}, {right} in {names[1]}")
    return said


def _counts(described: Mapping[str, Any]) -> tuple[int, int, int, int]:
    statistics = described.get("SummaryStatistics")
    if statistics is None:  # a client node
        return (0, 0, 0, 0)
    errors = statistics["ErrorStatistics"]
    return (
        statistics["OkCount"],
        errors["OtherCount"],
        errors["ThrottleCount"],
        statistics["FaultStatistics"]["OtherCount"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.two_sdks.diff", description=__doc__)
    parser.add_argument("first", type=Path, help="a file with an answer of GetServiceGraph")
    parser.add_argument("second", type=Path)
    parser.add_argument("--marks", nargs=2, default=("", ""), help="of the first and the second")
    options = parser.parse_args()
    files = (options.first, options.second)
    first, second = (
        read_graph(json.loads(file.read_text()), mark)
        for file, mark in zip(files, options.marks, strict=True)
    )
    said = differences(first, second, (str(options.first), str(options.second)))
    print("\n".join(said) or f"the same: {len(first.nodes)} nodes, {len(first.edges)} edges")
    sys.exit(bool(said))


if __name__ == "__main__":
    main()

"""EntitySelectorExpression: which nodes and edges a time series is about.

The functions service(…), edge(…) and id(…) of filter expressions (docs/xray-format.md §9.4), joined
by OR. They are matched with the nodes and edges of a service graph.
"""

from __future__ import annotations

import re

from api.errors import ApiError
from store.filters.ast import EdgeMatch, Expression, NodeMatch, Or, ServiceMatch
from store.filters.errors import FilterError
from store.filters.evaluate import selects
from store.filters.parse import parse
from store.graph import ServiceGraph
from store.model import NodeKey
from store.query import Entities

_ONLY_ID = re.compile(r"id\s*\(", re.IGNORECASE)
"""The start of an id function that is no argument: a service is meant."""
_WITH_ID = re.compile(r"\bid\s*\(", re.IGNORECASE)


def parse_selector(text: str) -> tuple[ServiceMatch | EdgeMatch, ...]:
    """The functions of an expression, all of one kind. Raises ApiError."""
    begin, end = ("service(", ")") if _ONLY_ID.match(text) else ("", "")
    try:
        expression = parse(f"{begin}{text}{end}")
    except FilterError as error:
        raise ApiError(f"EntitySelectorExpression: {error.moved(-len(begin))}") from None
    terms: tuple[Expression, ...] = (
        expression.terms if isinstance(expression, Or) else (expression,)
    )
    found = tuple(
        term
        for term in terms
        if isinstance(term, ServiceMatch | EdgeMatch) and term.condition is None
    )
    if len(found) < len(terms) or len({type(term) for term in found}) != 1:
        raise ApiError(
            "EntitySelectorExpression: expected service(…), edge(…) or id(…) without conditions, "
            "or several of one kind joined by OR"
        )
    return found


def names_id(text: str) -> bool:
    """Whether an expression names entities by id(…)."""
    return _WITH_ID.search(text) is not None


Pairs = set[tuple[NodeKey, NodeKey]]


def select(graph: ServiceGraph, matches: tuple[ServiceMatch | EdgeMatch, ...]) -> Entities:
    """What series count of the nodes or edges that any of the functions means. Where calls and links
    join two nodes, calls are meant."""
    return of_pairs(graph, *meant(graph, matches))


def meant(
    graph: ServiceGraph, matches: tuple[ServiceMatch | EdgeMatch, ...]
) -> tuple[frozenset[NodeKey], Pairs]:
    """The nodes or edges of a graph that any of the functions means."""
    services = [match.selector for match in matches if isinstance(match, ServiceMatch)]
    nodes = frozenset(
        node
        for node in graph.services
        if not node.is_client and any(_means(graph, each, node) for each in services)
    )
    pairs = [(m.source, m.target) for m in matches if isinstance(m, EdgeMatch)]
    selected = {
        (source, target)
        for source, target in (*graph.edges, *graph.links)
        if any(_means(graph, a, source) and _means(graph, b, target) for a, b in pairs)
    }
    return nodes, selected


def client_edges(graph: ServiceGraph) -> Entities:
    """The edges by which requests enter the system."""
    return of_pairs(graph, frozenset(), {pair for pair in graph.edges if pair[0].is_client})


def of_pairs(
    graph: ServiceGraph, nodes: frozenset[NodeKey], pairs: set[tuple[NodeKey, NodeKey]]
) -> Entities:
    """Entities by the keys of units: a graph merges inferred nodes into others
    (`store.rules.joins`). Of a node what its figures count: its requests, or its background work."""
    calls = {pair for pair in pairs if pair in graph.edges}
    stats = [graph.services[node] for node in nodes]
    return Entities(
        nodes=frozenset(key for each in stats if not each.is_background for key in each.keys),
        edges=frozenset(each for pair in calls for each in _pairs(graph, *pair)),
        links=frozenset(each for pair in pairs - calls for each in _pairs(graph, *pair)),
        background=frozenset(key for each in stats if each.is_background for key in each.keys),
    )


def _pairs(graph: ServiceGraph, source: NodeKey, target: NodeKey) -> list[tuple[NodeKey, NodeKey]]:
    services = graph.services
    return [(a, b) for a in services[source].keys for b in services[target].keys]


def _means(graph: ServiceGraph, selector: NodeMatch, node: NodeKey) -> bool:
    return selects(selector, node, graph.services[node].names)

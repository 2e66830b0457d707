"""Superset conditions: SQL conditions on trace_id that every trace matching a query meets.

Exact ones equal `store.trace_filter.matches` except in rare cases, where they admit a trace: a copy of a
document that a later one replaced, a child whose parent is no call, an edge from a streamed
subsegment. Inexact ones ignore parents and children. None may ever exclude a match: exclusions rely
on current rows (FINAL) or rows that are never replaced (calls).
"""

from __future__ import annotations

from collections.abc import Iterator

from store.clickhouse import queries
from store.clickhouse.queries import Sql, in_traces, joined, parenthesized
from store.clickhouse.queries.registry import numbers_in
from store.model import SYNTHETICS_AGENT, NodeKey, State
from store.protocol import TraceQuery


def prefilter(query: TraceQuery, rows: Sql, *, exact: bool) -> Sql:
    """The condition for a query that asks more than a window.

    ``rows`` says which rows of `segments` and `calls` to look at: every row of the traces in question.
    """
    of_states = numbers_in("state", [int(state) for state in sorted(query.states)])
    roots = _roots(of_states, rows, exact)
    if query.states and State.OK not in query.states:
        # Few traces do: the rest need only be looked for among them.
        rows = joined(" AND ", [rows, in_traces(roots)])
    parts = [_annotated(number, item, rows) for number, item in enumerate(query.annotations)]
    if query.edge is not None:
        parts += _edge(*query.edge, rows, exact)
    if query.node is not None:
        parts.append(_node(query.node, "node", rows, exact))
    if query.states and not parts:
        parts.append(roots)
    elif State.OK in query.states:
        if exact:
            # Most traces do: not worth a look at those which the rest rules out.
            roots = _roots(of_states, joined(" AND ", [rows, *map(in_traces, parts)]), exact)
        parts.append(roots)
    return joined(" AND ", map(in_traces, parts))


def _annotated(number: int, item: str, rows: Sql) -> Sql:
    """Traces with an annotation on one of their documents."""
    name = f"annotation_{number}"
    has = Sql(f"has(annotations, {{{name}:String}})", {name: item})
    return _traces_of("segments", rows, has)


def _node(node: NodeKey, name: str, rows: Sql, exact: bool) -> Sql:
    """Traces with a unit of a node: a segment, or a call without a responding segment.

    ``name`` leads the parameters of the node.
    """
    same = _same(node, name)
    if node.is_client:
        parameter = f"{name}_name"
        name_is = Sql(f"name = {{{parameter}:String}}", {parameter: node.name})
        named = joined(" AND ", [name_is, _agent(node)])
        return queries.CLIENT_UNITS.render(
            {"roots": _roots(named, rows, exact), "rows": rows, "same": same}
        )
    unanswered = _unanswered(same, rows, exact)
    return queries.NODE_UNITS.render({"rows": rows, "same": same, "unanswered": unanswered})


def _edge(source: NodeKey, target: NodeKey, rows: Sql, exact: bool) -> Iterator[Sql]:
    """Traces with a call along an edge: answered by the target's segment, or unanswered."""
    of_target = _same(target, "target")
    if source.is_client:
        yield _roots(joined(" AND ", [of_target, _agent(source)]), rows, exact)
        return
    of_source, own = _same(source, "source"), _same(source, "source", "owner_")
    if not exact:
        yield queries.EDGE_SOURCES.render({"rows": rows, "same": of_source, "own": own})
        yield _node(target, "target", rows, exact)
        return
    owner = parenthesized(joined(" OR ", [Sql("independent = 1"), parenthesized(own)]))
    unanswered = _unanswered(joined(" AND ", [of_target, owner]), rows, exact)
    yield queries.EDGE_CALLS.render(
        {
            "rows": rows,
            "target": of_target,
            "owner": owner,
            "source": of_source,
            "unanswered": unanswered,
        }
    )


def _unanswered(calls: Sql, rows: Sql, exact: bool) -> Sql:
    """Traces with a call of a kind that no segment names as its parent."""
    if not exact:
        return _traces_of("calls", rows, calls)
    return queries.UNANSWERED.render({"rows": rows, "calls": calls})


def _roots(segments: Sql, rows: Sql, exact: bool) -> Sql:
    """Traces with a segment of a kind whose parent is no call."""
    if not exact:
        return _traces_of("segments", rows, Sql("independent = 0"), segments)
    return queries.ROOTS.render({"rows": rows, "segments": segments})


def _traces_of(table: str, *conditions: Sql) -> Sql:
    """Traces with a row of a table that meets all conditions."""
    where = joined(" AND ", conditions)
    return Sql(f"SELECT trace_id FROM {table} WHERE {where.text}", where.parameters)


def _agent(client: NodeKey) -> Sql:
    """A condition on the user agents of a client's kind (`store.model.client_of`)."""
    negation = "" if client.type == "client::Synthetics" else "NOT "
    return Sql(
        f"{negation}position(user_agent, {{synthetics_agent:String}}) > 0",
        {"synthetics_agent": SYNTHETICS_AGENT},
    )


def _same(node: NodeKey, name: str, prefix: str = "") -> Sql:
    """A condition on the columns of a node's key, whose names ``prefix`` leads."""
    return joined(
        " AND ",
        [
            Sql(f"{prefix}{column} = {{{name}_{column}:String}}", {f"{name}_{column}": value})
            for column, value in node._asdict().items()
        ],
    )

"""Superset conditions: SQL conditions on trace_id that every trace matching a query meets.

Exact ones equal `store.trace_filter.matches` except in rare cases, where they admit a trace: a copy of a
document that a later one replaced, a child whose parent is no call, an edge from a streamed
subsegment. Inexact ones ignore parents and children. None may ever exclude a match: exclusions rely
on current rows (FINAL) or rows that are never replaced (calls).
"""

from __future__ import annotations

from collections.abc import Iterator

from store.clickhouse.connection import sql
from store.model import SYNTHETICS_AGENT, NodeKey, State
from store.protocol import TraceQuery


def prefilter(query: TraceQuery, rows: str, *, exact: bool) -> str:
    """The condition for a query that asks more than a window.

    ``rows`` says which rows of `segments` and `calls` to look at: every row of the traces in question.
    """
    roots = ""
    if query.states:
        states = ", ".join(str(int(state)) for state in sorted(query.states))
        roots = _roots(f"state IN ({states})", rows, exact)
        if State.OK not in query.states:
            # Few traces do: the rest need only be looked for among them.
            rows = f"{rows} AND trace_id IN ({roots})"
    parts = [
        f"SELECT trace_id FROM segments WHERE {rows} AND has(annotations, {sql.text(item)})"
        for item in query.annotations
    ]
    if query.edge is not None:
        parts += _edge(*query.edge, rows, exact)
    if query.node is not None:
        parts.append(_node(query.node, rows, exact))
    if query.states and not parts:
        parts.append(roots)
    elif State.OK in query.states:
        if exact:
            # Most traces do: not worth a look at those which the rest rules out.
            others = " AND ".join(f"trace_id IN ({part})" for part in parts)
            roots = _roots(f"state IN ({states})", f"{rows} AND {others}", exact)
        parts.append(roots)
    return " AND ".join(f"trace_id IN ({part})" for part in parts)


def _node(node: NodeKey, rows: str, exact: bool) -> str:
    """Traces with a unit of a node: a segment, or a call without a responding segment."""
    same = _same(node)
    if node.is_client:
        # Stands before a root of that name; others may also claim the type for themselves.
        return (
            f"{_roots(f'name = {sql.text(node.name)} AND {_agent(node)}', rows, exact)} UNION ALL "
            f"SELECT trace_id FROM segments WHERE {rows} AND {same} UNION ALL "
            f"SELECT trace_id FROM calls WHERE {rows} AND {same}"
        )
    return (
        f"SELECT trace_id FROM segments WHERE {rows} AND independent = 0 AND {same} "
        f"UNION ALL {_unanswered(same, rows, exact)}"
    )


def _edge(source: NodeKey, target: NodeKey, rows: str, exact: bool) -> Iterator[str]:
    """Traces with a call along an edge: answered by the target's segment, or unanswered."""
    if source.is_client:
        yield _roots(f"{_same(target)} AND {_agent(source)}", rows, exact)
        return
    own = (
        f"owner_account = {sql.text(source.account)} AND owner_name = {sql.text(source.name)} "
        f"AND owner_type = {sql.text(source.type)}"
    )
    if not exact:
        # A call stays its segment's though a later copy of that says another name.
        yield (
            f"SELECT trace_id FROM segments WHERE {rows} AND independent = 0 AND {_same(source)} "
            f"UNION ALL SELECT trace_id FROM calls WHERE {rows} AND independent = 0 AND {own}"
        )
        yield _node(target, rows, exact)
        return
    owner = f"(independent = 1 OR ({own}))"
    # A parent is a call, or a subsegment that is none: `members`.
    calls = f"SELECT trace_id, id FROM calls WHERE {rows} AND {owner}"
    members = (
        "SELECT trace_id, arrayJoin(arrayPushFront(members, id)) FROM segments "
        f"WHERE {rows} AND (independent = 1 OR ({_same(source)}))"
    )
    yield (
        f"SELECT trace_id FROM segments WHERE {rows} AND independent = 0 AND parent_id != 0 "
        f"AND {_same(target)} "
        f"AND ((trace_id, parent_id) IN ({calls}) OR (trace_id, parent_id) IN ({members})) "
        f"UNION ALL {_unanswered(f'{_same(target)} AND {owner}', rows, exact)}"
    )


def _unanswered(calls: str, rows: str, exact: bool) -> str:
    """Traces with a call of a kind that no segment names as its parent."""
    made = f"SELECT trace_id FROM calls WHERE {rows} AND {calls}"
    if not exact:
        return made
    return (
        f"{made} AND (trace_id, id) NOT IN ("
        f"SELECT trace_id, parent_id FROM segments FINAL WHERE {rows} "
        f"AND independent = 0 AND parent_id != 0 "
        f"AND trace_id IN ({made}))"
    )


def _roots(segments: str, rows: str, exact: bool) -> str:
    """Traces with a segment of a kind whose parent is no call."""
    of_kind = f"{rows} AND independent = 0 AND {segments}"
    if not exact:
        return f"SELECT trace_id FROM segments WHERE {of_kind}"
    return (
        f"SELECT trace_id FROM segments WHERE {of_kind} AND (parent_id = 0 "
        f"OR (trace_id, parent_id) NOT IN (SELECT trace_id, id FROM calls WHERE {rows} AND trace_id IN ("
        f"SELECT trace_id FROM segments WHERE {of_kind} AND parent_id != 0)))"
    )


def _agent(client: NodeKey) -> str:
    """A condition on the user agents of a client's kind (`store.model.client_of`)."""
    is_canary = f"position(user_agent, {sql.text(SYNTHETICS_AGENT)}) > 0"
    return is_canary if client.type == "client::Synthetics" else f"NOT {is_canary}"


def _same(node: NodeKey) -> str:
    """A condition on the columns of a node's key."""
    return (
        f"account = {sql.text(node.account)} AND name = {sql.text(node.name)} "
        f"AND type = {sql.text(node.type)}"
    )

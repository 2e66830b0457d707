"""Decides about candidates by reading them and evaluating the filter (`store.filters.evaluate`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain
from typing import Any, NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import (
    Rows,
    RunQuery,
    Statement,
    run_concurrently,
)
from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.search.decode import NO_BODY
from store.clickhouse.search.get_traces import (
    add_calls,
    add_documents,
    add_links,
    located,
    resolve_causes,
)
from store.clickhouse.search.scan_ranges import PER_MINUTE
from store.clickhouse.search.unit_rows import may_be_client
from store.filters.ast import (
    Bare,
    Compare,
    EdgeMatch,
    Exists,
    Expression,
    NodeMatch,
    OneOf,
    RootCauseMatch,
    RootCausePath,
    Selector,
    ServiceMatch,
    needs_documents,
    walk,
)
from store.filters.evaluate import matches
from store.filters.settled import settled
from store.model import Trace

MAX_LOCATIONS = 2000
"""Maximum number of (bucket, trace) pairs in a condition; more buckets become a range."""

_TIMES = frozenset(("responsetime", "duration"))
_OF_UNITS = frozenset(("throttle", "inferred", "partial", "background"))
"""Keywords that outside of blocks read units: which documents are some depends on names and times."""
_ATTRIBUTES = frozenset(("user", "resource.arn", "instance.id", "availabilityzone"))
_DEPLOYED = frozenset(("version", "environment"))
_ANY_LINKS = "SELECT 1 FROM links LIMIT 1"
WORTH_HALVING = 40
"""Traces of which reading takes longer than planning another statement."""

Row = tuple[Any, ...]
Buckets = Mapping[bytes, Sequence[int]]
"""The buckets a trace has rows in, by its id."""


class Reading:
    """What is read of some traces before they are known to be candidates: their documents, only what an expression
    reads of them, and the rest where documents never decide."""

    def __init__(self, expression: Expression, ids: Sequence[bytes]) -> None:
        columns = _columns(expression)
        halves = [located(half) for half in _halves(ids)]
        self._halves = len(halves)
        self._ids: Sequence[bytes] = ()
        self.statements: list[Statement] = [
            queries.LEAN_SEGMENTS.render({**columns, "places": half}) for half in halves
        ]
        if ids and isinstance(expression, EdgeMatch | RootCauseMatch | RootCausePath):
            self._ids = ids
            self.statements += [
                queries.LEAN_CALLS.render({**_columns_of_calls(expression), "places": half})
                for half in halves
            ]
            self.statements.append(_ANY_LINKS)

    def rows(self, answers: Sequence[Rows]) -> KnownRows:
        """The answers to the statements."""
        documents = _by_trace(answers[: self._halves])
        if not self._ids:
            return KnownRows(documents)
        calls = dict.fromkeys(self._ids, ()) | _by_trace(answers[self._halves : 2 * self._halves])
        return KnownRows(documents, calls, any_links=bool(answers[-1]))


class KnownRows(NamedTuple):
    """Rows of some traces, by trace id; ``calls`` has each trace of which everything but links was read."""

    documents: Mapping[bytes, Sequence[Row]] = {}
    calls: Mapping[bytes, Sequence[Row]] = {}
    any_links: bool = False


def _by_trace(answers: Iterable[Rows]) -> dict[bytes, Sequence[Row]]:
    rows: dict[bytes, list[Row]] = {}
    for row in chain.from_iterable(answers):
        rows.setdefault(bytes.fromhex(row[0]), []).append(row)
    return {**rows}


def matching(
    ask: RunQuery, expression: Expression, buckets: Buckets, known: KnownRows
) -> set[bytes]:
    """Which of some traces satisfy an expression. Calls are read where documents do not decide."""
    read = known.documents
    traces = {trace_id: Trace(trace_id, {}, {}, 0, 0, {}) for trace_id in buckets}
    columns = _columns(expression)
    rest = [trace_id for trace_id in buckets if trace_id not in read]
    statements = [
        queries.LEAN_SEGMENTS.render(
            {**columns, "places": row_locations({trace_id: buckets[trace_id] for trace_id in half})}
        )
        for half in _halves(rest)
    ]
    for rows in run_concurrently(ask, *statements) if statements else []:
        add_documents(traces, rows)
    add_documents(traces, chain.from_iterable(read[id] for id in buckets if id in read))
    verdicts = {id: settled(trace, expression) for id, trace in traces.items() if trace.documents}
    undecided = {id: traces[id] for id, verdict in verdicts.items() if verdict is None}
    if undecided:
        _complete(ask, expression, undecided, buckets, known)
        verdicts.update({id: matches(trace, expression) for id, trace in undecided.items()})
    return {id for id, verdict in verdicts.items() if verdict}


def _complete(
    ask: RunQuery,
    expression: Expression,
    traces: Mapping[bytes, Trace],
    buckets: Buckets,
    known: KnownRows,
) -> None:
    """Add the calls and links of traces."""
    calls = chain.from_iterable(known.calls[id] for id in traces if id in known.calls)
    any_links = known.any_links
    rest = [id for id in traces if id not in known.calls]
    if rest:
        places = row_locations({id: buckets[id] for id in rest})
        near = {**_columns_of_calls(expression), "places": places}
        others, linking = run_concurrently(ask, queries.LEAN_CALLS.render(near), _ANY_LINKS)
        calls, any_links = chain(calls, others), any_links or bool(linking)
    add_calls(traces, calls)
    if any_links:  # whether a root has a client depends on them
        places = row_locations({id: buckets[id] for id in traces})
        add_links(traces, ask(queries.LINKS.render({"places": places})))
        resolve_causes(ask, traces)


def _halves(ids: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Many traces in two parts, which are read concurrently: the earlier and the later ones, since
    neighbours may lie in one granule."""
    if len(ids) < WORTH_HALVING:
        return [ids] if ids else []
    middle = len(ids) // 2
    return [ids[:middle], ids[middle:]]


def _columns(expression: Expression) -> dict[str, Sql]:
    """The columns that an expression reads, with constants in the place of those that it does not."""
    parts = list(walk(expression))
    keywords = _keywords(parts)
    nodes = list(_nodes_in(parts, keywords))
    units = bool(nodes) or bool(keywords & _OF_UNITS)
    groups = {
        "end": ("duration", "0", needs_documents(expression) or units or bool(keywords & _TIMES)),
        "node": ("account, name, type, region", "'', '', '', ''", units),
        "service": ("service", "''", any(isinstance(n, Selector) and n.name for n in nodes)),
        "inferred": ("inferred", "0", "inferred" in keywords),
        "http": (
            "method, url, status, client_ip",
            "method, '', 0, ''" if units else "'', '', 0, ''",
            any(keyword.startswith("http.") for keyword in keywords),
        ),
        "user_agent": (
            "user_agent",
            "''",
            "http.useragent" in keywords
            or "type" in keywords
            or needs_documents(expression)
            or any(may_be_client(node) and node.type for node in nodes),
        ),
        "attributes": (
            "user, resource_arn, instance_id, availability_zone",
            "'', '', '', ''",
            bool(keywords & _ATTRIBUTES),
        ),
        "annotations": (
            "annotations",
            "[]",
            "annotation" in keywords or needs_documents(expression),
        ),
        "deployed": ("service_version, environment", "'', ''", bool(keywords & _DEPLOYED)),
        "operation": ("operation", "''", "operation" in keywords),
    }
    columns = {name: Sql(read if needed else none) for name, (read, none, needed) in groups.items()}
    return {**columns, "body": queries.BODY.render() if needs_documents(expression) else NO_BODY}


def _columns_of_calls(expression: Expression) -> dict[str, Sql]:
    """The same of calls."""
    is_read = "operation" in _keywords(walk(expression))
    return {"operation": Sql("operation" if is_read else "''")}


def _keywords(parts: Iterable[Expression]) -> set[str]:
    return {e.field.keyword for e in parts if isinstance(e, Bare | Exists | Compare | OneOf)}


def _nodes_in(parts: Iterable[Expression], keywords: Set[str]) -> Iterator[NodeMatch]:
    """The nodes that an expression looks for; any name for keywords that read every node."""
    for part in parts:
        if isinstance(part, ServiceMatch):
            yield part.selector
        elif isinstance(part, EdgeMatch):
            yield from (part.source, part.target)
        elif isinstance(part, RootCauseMatch | RootCausePath):
            yield Selector(name="any")
    if keywords & {"name", "type", "account.id", "region"}:
        yield Selector(name="any")


def row_locations(buckets: Buckets) -> Sql:
    """A condition that finds the rows of traces by the tables' sort key: minute, bucket, trace.

    A trace has rows in few buckets, and naming them reads one granule for each; a range
    would also read the granules in which one bucket ends and the next begins.
    """
    keys: list[tuple[int, int, bytes]] = []
    conditions: list[Sql] = []
    for trace_id, of_trace in buckets.items():
        if len(of_trace) <= MAX_LOCATIONS // len(buckets) + 2:
            keys += [(bucket // PER_MINUTE, bucket, trace_id) for bucket in of_trace]
        else:
            conditions.append(_located(len(conditions), trace_id, min(of_trace), max(of_trace)))
    if keys:
        conditions.append(
            Sql(
                "(minute, bucket, trace_id) IN {places:Array(Tuple(UInt32, UInt64, FixedString(16)))}",
                {"places": keys},
            )
        )
    return parenthesized(joined(" OR ", conditions))


def _located(number: int, trace_id: bytes, first: int, last: int) -> Sql:
    """A condition that finds a trace in a range of buckets."""
    bounds, place = f"range_{number}", f"range_{number}_trace"
    return Sql(
        f"(minute BETWEEN {{{bounds}_first:UInt32}} AND {{{bounds}_last:UInt32}} "
        f"AND trace_id = {{{place}:FixedString(16)}})",
        {
            f"{bounds}_first": first // PER_MINUTE,
            f"{bounds}_last": last // PER_MINUTE,
            place: trace_id,
        },
    )

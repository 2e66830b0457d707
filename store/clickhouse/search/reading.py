"""What is read of candidates to judge them: the columns that an expression reads, or whole traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain
from typing import Any, NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows
from store.clickhouse.queries import Sql
from store.clickhouse.search.decode import NO_BODY, members_of
from store.clickhouse.search.get_traces import in_one_thread, located, whole
from store.clickhouse.search.unit_rows import may_be_client
from store.filters.ast import (
    Bare,
    Compare,
    EdgeMatch,
    Exists,
    Expression,
    MayHaveCalled,
    MayHaveFailed,
    NodeMatch,
    OneOf,
    RootCauseMatch,
    RootCausePath,
    Selector,
    SentBy,
    ServiceMatch,
    needs_documents,
    walk,
)
from store.filters.keywords import OF_NODES

_TIMES = frozenset(("responsetime", "duration"))
_OF_UNITS = frozenset(("throttle", "inferred", "partial", "background"))
"""Keywords that outside of blocks read units: which documents are some depends on names and times."""
ANY_LINKS = Sql("SELECT 1 FROM links LIMIT 1")
WORTH_HALVING = 40
"""Traces of which reading takes longer than planning another statement."""

Row = tuple[Any, ...]


class Reading:
    """What is read of some traces before they are known to be candidates: their documents, only what an expression
    reads of them, and the rest where documents never decide."""

    def __init__(
        self,
        expression: Expression,
        ids: Sequence[bytes],
        *,
        all_of_them: bool = False,
        raw: bool = False,
        places: Sql | None = None,
    ) -> None:
        columns = columns_of(expression)
        self._whole, self._ids = all_of_them, ids if all_of_them else ()
        if all_of_them:
            body = queries.BODY.render() if raw else columns["body"]
            self.statements: list[Sql] = [*whole(ids, places or located(ids), body)]
            return
        places_of = [located(half) for half in halves(ids)]
        self._halves = len(places_of)
        self.statements = [
            in_one_thread(queries.LEAN_SEGMENTS.render({**columns, "places": half}))
            for half in places_of
        ]
        if ids and isinstance(expression, EdgeMatch | RootCauseMatch | RootCausePath):
            self._ids = ids
            self.statements += [
                queries.LEAN_CALLS.render({**columns_of_calls(expression), "places": half})
                for half in places_of
            ]
            self.statements.append(ANY_LINKS)

    def rows(self, answers: Sequence[Rows]) -> KnownRows:
        """The answers to the statements."""
        if self._whole:
            known, segments, called = answers
            return KnownRows(
                _by_trace([segments]),
                dict.fromkeys(self._ids, ()) | _by_trace([called]),
                any_links=not known or any(any_links for *_, any_links in known),
                heads={bytes.fromhex(digits): (at, number) for digits, at, number, _ in known},
            )
        documents = _by_trace(answers[: self._halves])
        if not self._ids:
            return KnownRows(documents)
        calls = dict.fromkeys(self._ids, ()) | _by_trace(answers[self._halves : 2 * self._halves])
        return KnownRows(documents, calls, any_links=bool(answers[-1]))


class KnownRows(NamedTuple):
    """Rows of some traces, by trace id; ``calls`` has each trace of which everything but links was read.

    ``heads``: the last arrival and the revision of traces of which every column was read."""

    documents: Mapping[bytes, Sequence[Row]] = {}
    calls: Mapping[bytes, Sequence[Row]] = {}
    any_links: bool = False
    heads: Mapping[bytes, tuple[int, int]] = {}

    def and_those(self, other: KnownRows) -> KnownRows:
        """These, and others."""
        return KnownRows(
            {**self.documents, **other.documents},
            {**self.calls, **other.calls},
            self.any_links or other.any_links,
            {**self.heads, **other.heads},
        )


def _by_trace(answers: Iterable[Rows]) -> dict[bytes, Sequence[Row]]:
    rows: dict[bytes, list[Row]] = {}
    for row in chain.from_iterable(answers):
        rows.setdefault(bytes.fromhex(row[0]), []).append(row)
    return {**rows}


def halves(ids: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Many traces in two parts, which are read concurrently: the earlier and the later ones, since
    neighbours may lie in one granule."""
    if len(ids) < WORTH_HALVING:
        return [ids] if ids else []
    middle = len(ids) // 2
    return [ids[:middle], ids[middle:]]


def columns_of(expression: Expression) -> dict[str, Sql]:
    """The columns that an expression reads, with constants in the place of those that it does not."""
    parts = list(walk(expression))
    keywords = _keywords(parts)
    nodes = list(_nodes_in(parts, keywords))
    units = bool(nodes) or bool(keywords & _OF_UNITS)
    sender = any(isinstance(part, SentBy | MayHaveFailed | MayHaveCalled) for part in parts)
    groups = {
        "end": ("duration", "0", needs_documents(expression) or units or bool(keywords & _TIMES)),
        "node": ("account, name, type, region", "'', '', '', ''", units or sender),
        "service": (
            "service",
            "''",
            sender or any(isinstance(n, Selector) and n.name for n in nodes),
        ),
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
        "annotations": (
            "annotations",
            "[]",
            "annotation" in keywords or needs_documents(expression),
        ),
        "operation": ("operation", "''", "operation" in keywords),
    }
    columns = {name: Sql(read if needed else none) for name, (read, none, needed) in groups.items()}
    body = queries.BODY.render() if needs_documents(expression) else NO_BODY
    return {**columns, "texts": members_of(keywords), "body": body}


def columns_of_calls(expression: Expression) -> dict[str, Sql]:
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
    if keywords & OF_NODES:
        yield Selector(name="any")

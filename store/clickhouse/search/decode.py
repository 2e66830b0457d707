"""Rows of the statements in queries/search as documents, calls and links of the model."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Sequence, Set
from typing import Any

from store.clickhouse.queries import Sql
from store.filters.keywords import MEMBERS
from store.model import (
    NO_HTTP,
    NO_NODE,
    Call,
    Document,
    Fetched,
    Http,
    Independent,
    Kind,
    Link,
    NodeKey,
    OwnedCall,
    OwnedLink,
    State,
    version_of,
)
from store.otel.attribute_field import field_of
from store.otel.stored_span import join_span
from store.rules.classify import failure_label

NO_BODY = Sql("'', '', '', 0, ''")
"""In place of a document (queries/search/body.sql) that is not needed."""


def members_of(keywords: Set[str]) -> Sql:
    """The columns that texts of any document are read from, for those of some keywords; the others are empty."""
    return Sql(
        ", ".join(column if keyword in keywords else "''" for keyword, column in MEMBERS.items())
    )


ALL_MEMBERS = members_of(MEMBERS.keys())


def decode_document(row: Sequence[Any]) -> Document:
    """A row of segments.sql or lean_segments.sql."""
    (
        digits,
        id,
        parent_id,
        independent,
        inferred,
        sampled,
        start,
        end,
        last_end,
        state,
        account,
        name,
        type,
        region,
    ) = row[:14]
    service, method, url, status, client_ip, user_agent, exception = row[14:21]
    annotations, members, weight, operation, kind, fetched, *before, ver = row[21:32]
    http = Http(method, url, status, client_ip, user_agent)
    return Document(
        trace_id=bytes.fromhex(digits),
        id=id,
        parent_id=parent_id,
        independent=Independent(independent),
        inferred=bool(inferred),
        start=start,
        end=end,
        last_end=last_end,
        state=State(state),
        node=NodeKey(account, name, type, region),
        service=service,
        http=NO_HTTP if http == NO_HTTP else http,
        exception=exception,
        annotations=tuple(annotations),
        members=tuple(members),
        raw=_body(annotations, *row[32:37]),
        version=version_of(State(state), ver),
        sampled=bool(sampled),
        weight=weight,
        kind=Kind(kind),
        before=NodeKey(*before) if before[1] else NO_NODE,
        fetched=Fetched(fetched),
        operation=operation,
        **dict(zip(MEMBERS.values(), row[37:], strict=True)),
    )


def _body(
    annotations: Iterable[str], resource: str, scope: str, head: str, annotated: int, rest: str
) -> bytes:
    if not resource:
        return b64decode(rest)
    attributes = b"".join(map(field_of, annotations)) if annotated else b""
    span = b64decode(head) + attributes + b64decode(rest)
    return join_span(b64decode(resource), b64decode(scope), span)


def decode_call(columns: Sequence[Any]) -> OwnedCall:
    """A row of calls.sql or lean_calls.sql, without its trace."""
    document_id, independent, *owner = columns[:6]
    ver, id, start, end, state, account, name, type, region, *rest = columns[6:]
    service, host, status, traced, exception, weight, operation = rest
    call = Call(
        id=id,
        start=start,
        end=end,
        state=State(state),
        node=NodeKey(account, name, type, region),
        service=service,
        host=host,
        status=status,
        traced=bool(traced),
        exception=exception,
        weight=weight,
        operation=operation,
    )
    node = NodeKey(*owner)
    version = version_of(call.state, ver)
    return OwnedCall(call, document_id, Independent(independent), node, version)


def decode_link(columns: Sequence[Any]) -> OwnedLink:
    """A row of links.sql, without its trace."""
    other, other_id, upstream, received, weight, document_id, independent, *node = columns[:11]
    start, end, state, status, exception, ver = columns[11:]
    return OwnedLink(
        Link(bytes.fromhex(other), other_id, bool(upstream), received, weight),
        document_id,
        Independent(independent),
        NodeKey(*node),
        start,
        end,
        State(state),
        failure_label(exception, status),
        version_of(State(state), ver),
    )

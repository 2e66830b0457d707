"""Documents to rows, as column lists: what clickhouse-driver sends fastest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clickhouse_driver import Client

from store.model import Document, rank

DEDUPLICATE = {"deduplicate_blocks_in_dependent_materialized_views": 1}

SEGMENT_COLUMNS = (
    "trace_id, id, parent_id, start, duration, last_duration, independent, inferred, sampled, state, "
    "account, name, type, service, method, url, status, client_ip, user_agent, user, "
    "resource_arn, instance_id, availability_zone, exception, annotations, members, received, ver"
)
CALL_COLUMNS = (
    "trace_id, id, document_id, independent, start, duration, state, owner_account, owner_name, "
    "owner_type, account, name, type, service, host, status, traced, exception, received, ver"
)
LINK_COLUMNS = (
    "trace_id, document_id, independent, other_trace, other_id, upstream, event_received, start, "
    "duration, state, account, name, type, status, exception, received, ver"
)
DOCUMENT_COLUMNS = "trace_id, id, body, received, ver"


def segment_row(document: Document) -> tuple[Any, ...]:
    """A document's row of `segments`, in the order of SEGMENT_COLUMNS."""
    node, http = document.node, document.http
    return (
        document.trace_id,
        document.id,
        document.parent_id,
        document.start,
        document.end - document.start,
        document.last_end - document.start,
        document.independent,
        document.inferred,
        document.sampled,
        document.state,
        node.account,
        node.name,
        node.type,
        document.service,
        http.method,
        http.url,
        http.status,
        http.client_ip,
        http.user_agent,
        document.user,
        document.resource_arn,
        document.instance_id,
        document.availability_zone,
        document.exception,
        document.annotations,
        document.members,
        document.version // 1_000_000,
        rank(document.state, document.version),
    )


def call_rows(document: Document) -> list[tuple[Any, ...]]:
    """The rows of `calls` a document brings, in the order of CALL_COLUMNS."""
    owner = ("", "", "") if document.independent else document.node
    return [
        (
            document.trace_id,
            call.id,
            document.id,
            document.independent,
            call.start,
            call.end - call.start,
            call.state,
            *owner,
            *call.node,
            call.service,
            call.host,
            call.status,
            call.traced,
            call.exception,
            document.version // 1_000_000,
            rank(call.state, document.version),
        )
        for call in document.calls
    ]


def link_rows(document: Document) -> list[tuple[Any, ...]]:
    """The rows of `links` a document brings, in the order of LINK_COLUMNS."""
    return [
        (
            document.trace_id,
            document.id,
            document.independent,
            link.trace_id,
            link.id,
            link.upstream,
            link.received,
            document.start,
            document.end - document.start,
            document.state,
            *document.node,
            document.http.status,
            document.exception,
            document.version // 1_000_000,
            rank(document.state, document.version),
        )
        for link in document.links
    ]


def insert(client: Client, documents: Sequence[Document], token: str) -> None:
    """Write a batch: an insert for each table, each of which drops what it has seen under its token.

    The last one is `segments`: who sees a segment also finds its calls and its document, and the
    map counts a call only once its document is there (`store.clickhouse.graph`).
    """
    calls = [row for document in documents for row in call_rows(document)]
    bodies = [
        (d.trace_id, d.id, d.raw, d.version // 1_000_000, rank(d.state, d.version))
        for d in documents
        if d.sampled
    ]
    links = [row for document in documents if document.links for row in link_rows(document)]
    segments = [segment_row(document) for document in documents]
    _insert(client, "documents", DOCUMENT_COLUMNS, bodies, token)
    _insert(client, "calls", CALL_COLUMNS, calls, token)
    _insert(client, "links", LINK_COLUMNS, links, token)
    _insert(client, "segments", SEGMENT_COLUMNS, segments, token)


def _insert(
    client: Client, table: str, columns: str, rows: Sequence[tuple[Any, ...]], token: str
) -> None:
    if not rows:
        return
    client.execute(
        f"INSERT INTO {table} ({columns}) VALUES",
        list(zip(*rows, strict=True)),
        columnar=True,
        types_check=False,
        settings={**DEDUPLICATE, "insert_deduplication_token": f"{table}-{token}"},
    )

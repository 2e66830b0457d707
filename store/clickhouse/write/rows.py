"""Documents to columns, each filled by one pass in C over the batch, never row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import gt, sub
from typing import Any, TypeVar

from clickhouse_driver import Client
from msgspec import Struct

from store.clickhouse.connection.native_format import Columns, Encoded
from store.clickhouse.write import encoded_columns
from store.clickhouse.write.encoded_columns import (
    ArrayColumn,
    DictionaryColumn,
    EncodedRows,
    numbered,
)
from store.columnar import DocumentColumns, columns_of
from store.model import COMPLETE, Document, NodeKey, State
from store.protocol import ENCODE_CHUNK

T = TypeVar("T")

SETTINGS = {"deduplicate_blocks_in_dependent_materialized_views": 1, "optimize_on_insert": 0}
"""Of an insert. A block is not merged before it is written: ids hardly repeat within a batch, reads
take only what holds (FINAL) anyway, and merging was up to a quarter of an insert's user time (measured)."""

SEGMENT_COLUMNS = (
    "trace_id, id, parent_id, start, duration, last_duration, independent, inferred, sampled, state, "
    "account, name, type, service, method, url, status, client_ip, user_agent, user, "
    "resource_arn, instance_id, availability_zone, exception, annotations, members, weight, received, ver"
)
CALL_COLUMNS = (
    "trace_id, id, document_id, independent, start, duration, state, owner_account, owner_name, "
    "owner_type, account, name, type, service, host, status, traced, exception, weight, received, ver"
)
LINK_COLUMNS = (
    "trace_id, document_id, independent, other_trace, other_id, upstream, event_received, start, "
    "duration, state, account, name, type, status, exception, weight, received, ver"
)
DOCUMENT_COLUMNS = "trace_id, id, body, received, ver"
_NOBODY = NodeKey("", "", "")


def segment_columns(sheet: DocumentColumns) -> Columns:
    """The columns of `segments`, as SEGMENT_COLUMNS names them."""
    return Columns(
        (
            sheet.trace_ids,
            sheet.ids,
            sheet.parent_ids,
            sheet.starts,
            list(map(sub, sheet.ends, sheet.starts)),
            _later(sheet),
            sheet.independent,
            sheet.inferred,
            sheet.sampled,
            sheet.states,
            *_nodes(sheet.nodes),
            sheet.services,
            sheet.methods,
            sheet.urls,
            sheet.statuses,
            sheet.client_ips,
            sheet.user_agents,
            sheet.users,
            sheet.resource_arns,
            sheet.instance_ids,
            sheet.zones,
            sheet.exceptions,
            ArrayColumn(sheet.annotation_counts, sheet.annotations),
            ArrayColumn(sheet.member_counts, sheet.members),
            sheet.weights,
            *_versions(sheet.versions, sheet.states),
        )
    )


def _later(sheet: DocumentColumns) -> list[int]:
    """Until the last work inside ended; 0 where nothing came after the answer."""
    if not any(map(gt, sheet.last_ends, sheet.ends)):
        return [0] * len(sheet)
    return [
        last - start if last > end else 0
        for start, end, last in zip(sheet.starts, sheet.ends, sheet.last_ends, strict=True)
    ]


def call_columns(sheet: DocumentColumns) -> Columns:
    """The columns of `calls`, as CALL_COLUMNS names them: a row for each call of each document."""
    calls, owners = sheet.calls, sheet.calls.owners
    nodes: Sequence[NodeKey] = sheet.nodes
    if any(sheet.independent):
        nodes = [
            _NOBODY if alone else node for alone, node in zip(sheet.independent, nodes, strict=True)
        ]
    return Columns(
        (
            _pick(sheet.trace_ids, owners),
            calls.ids,
            _pick(sheet.ids, owners),
            _pick(sheet.independent, owners),
            calls.starts,
            list(map(sub, calls.ends, calls.starts)),
            calls.states,
            *_nodes(_pick(nodes, owners)),
            *_nodes(calls.nodes),
            calls.services,
            calls.hosts,
            calls.statuses,
            calls.traced,
            calls.exceptions,
            calls.weights,
            *_versions(_pick(sheet.versions, owners), calls.states),
        )
    )


def link_columns(sheet: DocumentColumns) -> Columns:
    """The columns of `links`, as LINK_COLUMNS names them: a row for each link of each document."""
    if not sheet.links:
        return Columns([] for _ in LINK_COLUMNS.split(","))
    owners = [owner for owner, _ in sheet.links]
    links = [link for _, link in sheet.links]
    states = _pick(sheet.states, owners)
    starts = _pick(sheet.starts, owners)
    return Columns(
        (
            _pick(sheet.trace_ids, owners),
            _pick(sheet.ids, owners),
            _pick(sheet.independent, owners),
            [link.trace_id for link in links],
            [link.id for link in links],
            [link.upstream for link in links],
            [link.received for link in links],
            starts,
            list(map(sub, _pick(sheet.ends, owners), starts)),
            states,
            *_nodes(_pick(sheet.nodes, owners)),
            _pick(sheet.statuses, owners),
            _pick(sheet.exceptions, owners),
            [link.weight for link in links],
            *_versions(_pick(sheet.versions, owners), states),
        )
    )


def document_columns(sheet: DocumentColumns) -> Columns:
    """The columns of `documents`, as DOCUMENT_COLUMNS names them, of those that are sampled."""
    columns: list[Sequence[Any]] = [sheet.trace_ids, sheet.ids, sheet.raws]
    versions, states = sheet.versions, sheet.states
    if not all(sheet.sampled):
        kept = [place for place, sampled in enumerate(sheet.sampled) if sampled]
        columns = [_pick(column, kept) for column in columns]
        versions, states = _pick(versions, kept), _pick(states, kept)
    return Columns((*columns, *_versions(versions, states)))


def _pick(column: Sequence[T], places: Sequence[int]) -> list[T]:
    return list(map(column.__getitem__, places))


def _nodes(nodes: Sequence[NodeKey]) -> tuple[DictionaryColumn, DictionaryColumn, DictionaryColumn]:
    """Accounts, names and types. The decoder gives one object for each node, so that comparing
    objects finds what repeats three times as fast as comparing texts."""
    ids = list(map(id, nodes))
    distinct = dict(zip(ids, nodes, strict=True))
    codes = numbered({key: code for code, key in enumerate(distinct)}, ids)
    account, name, type = zip(*distinct.values(), strict=True) if nodes else ((), (), ())
    return (
        DictionaryColumn(list(account), codes),
        DictionaryColumn(list(name), codes),
        DictionaryColumn(list(type), codes),
    )


def _versions(versions: Sequence[int], states: Sequence[State]) -> tuple[list[int], list[int]]:
    """`received` in seconds, and `ver`: `store.model.precedence` of each, written out."""
    received = [version // 1_000_000 for version in versions]
    if all(states):
        return received, [version + COMPLETE for version in versions]
    ranks = [
        version + COMPLETE if state else version
        for version, state in zip(versions, states, strict=True)
    ]
    return received, ranks


TYPES = {
    "trace_id": "FixedString(16)",
    "id": "UInt64",
    "parent_id": "UInt64",
    "document_id": "UInt64",
    "other_trace": "FixedString(16)",
    "other_id": "UInt64",
    "start": "Int64",
    "duration": "Int64",
    "last_duration": "Int64",
    "event_received": "Int64",
    "independent": "UInt8",
    "inferred": "UInt8",
    "sampled": "UInt8",
    "upstream": "UInt8",
    "traced": "UInt8",
    "state": "UInt8",
    "status": "UInt16",
    "weight": "UInt32",
    "url": "String",
    "client_ip": "String",
    "user_agent": "String",
    "user": "String",
    "body": "String",
    "annotations": "Array(String)",
    "members": "Array(UInt64)",
    "received": "DateTime('UTC')",
    "ver": "UInt64",
}
"""Of the columns of all tables, as the migrations have them."""
WORDS = (
    "account, name, type, service, method, resource_arn, instance_id, availability_zone, exception, "
    "owner_account, owner_name, owner_type, host"
)
TYPES |= dict.fromkeys(WORDS.split(", "), "LowCardinality(String)")


class Table:
    """A table, and how its columns are made of documents."""

    def __init__(self, name: str, names: str, build: Callable[[DocumentColumns], Columns]):
        self.name = name
        self.names = names
        self.types = [TYPES[column] for column in names.split(", ")]
        self.build = build


TABLES = (
    Table("documents", DOCUMENT_COLUMNS, document_columns),
    Table("calls", CALL_COLUMNS, call_columns),
    Table("links", LINK_COLUMNS, link_columns),
    Table("segments", SEGMENT_COLUMNS, segment_columns),
)
"""In the order of the inserts. The last one is `segments`: who sees a segment also finds its calls
and its document, and the map counts a call only once its document is there
(`store.clickhouse.graph.service_graph`)."""


class EncodedDocuments(Struct, gc=False):
    """A few documents as rows of each table, in the order of TABLES; None where there are none."""

    pieces: list[EncodedRows | None]
    size: int
    """Bytes in memory, beside the raw documents."""


def encode(sheet: DocumentColumns) -> EncodedDocuments:
    """Documents as rows; at best `ENCODE_CHUNK` of them, fresh from the decoder.

    Raises OverflowError, TypeError or ValueError when a value does not fit its column.
    """
    pieces: list[EncodedRows | None] = []
    for table in TABLES:
        columns = table.build(sheet)
        pieces.append(encoded_columns.encode(table.types, columns) if columns[0] else None)
    return EncodedDocuments(pieces, sum([piece.size for piece in pieces if piece is not None]))


def insert(client: Client, documents: Sequence[Document], token: str) -> None:
    """Write a batch (see `insert_encoded`). Raises as `encode` does, too."""
    parts = range(0, len(documents), ENCODE_CHUNK)
    few = [encode(columns_of(documents[first : first + ENCODE_CHUNK])) for first in parts]
    insert_encoded(client, few, token)


def insert_encoded(client: Client, batch: Sequence[EncodedDocuments], token: str) -> None:
    """Write a batch: an insert for each table, each of which drops what it has seen under its token."""
    for number, table in enumerate(TABLES):
        pieces = [piece for few in batch if (piece := few.pieces[number]) is not None]
        if pieces:
            _insert(
                client, table.name, table.names, encoded_columns.join(table.types, pieces), token
            )


def _insert(client: Client, table: str, names: str, rows: Encoded, token: str) -> None:
    client.execute(
        f"INSERT INTO {table} ({names}) VALUES",
        rows,
        columnar=True,
        types_check=False,
        settings={**SETTINGS, "insert_deduplication_token": f"{table}-{token}"},
    )

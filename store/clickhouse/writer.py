"""Documents to columns, each filled by one pass in C over the batch, never row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clickhouse_driver import Client
from msgspec import Struct

from store.clickhouse import packed
from store.clickhouse.native import Columns, Encoded
from store.clickhouse.packed import Piece, Worded, numbered
from store.interface import PACKED_AT_ONCE
from store.model import COMPLETE, Document, NodeKey, State

DEDUPLICATE = {"deduplicate_blocks_in_dependent_materialized_views": 1}

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


def segment_columns(documents: Sequence[Document]) -> Columns:
    """The columns of `segments`, as SEGMENT_COLUMNS names them."""
    states = [d.state for d in documents]
    accounts, names, types = _nodes([d.node for d in documents])
    https = [d.http for d in documents]
    return Columns(
        (
            [d.trace_id for d in documents],
            [d.id for d in documents],
            [d.parent_id for d in documents],
            [d.start for d in documents],
            [d.end - d.start for d in documents],
            [d.last_end - d.start if d.last_end > d.end else 0 for d in documents],
            [d.independent for d in documents],
            [d.inferred for d in documents],
            [d.sampled for d in documents],
            states,
            accounts,
            names,
            types,
            [d.service for d in documents],
            [http.method for http in https],
            [http.url for http in https],
            [http.status for http in https],
            [http.client_ip for http in https],
            [http.user_agent for http in https],
            [d.user for d in documents],
            [d.resource_arn for d in documents],
            [d.instance_id for d in documents],
            [d.availability_zone for d in documents],
            [d.exception for d in documents],
            [d.annotations for d in documents],
            [d.members for d in documents],
            [d.weight for d in documents],
            *_versions(documents, states),
        )
    )


def call_columns(documents: Sequence[Document]) -> Columns:
    """The columns of `calls`, as CALL_COLUMNS names them: a row for each call of each document."""
    calls = [call for d in documents for call in d.calls]
    bringers = [d for d in documents for _ in d.calls]
    states = [call.state for call in calls]
    return Columns(
        (
            [d.trace_id for d in bringers],
            [call.id for call in calls],
            [d.id for d in bringers],
            [d.independent for d in bringers],
            [call.start for call in calls],
            [call.end - call.start for call in calls],
            states,
            *_nodes([_NOBODY if d.independent else d.node for d in bringers]),
            *_nodes([call.node for call in calls]),
            [call.service for call in calls],
            [call.host for call in calls],
            [call.status for call in calls],
            [call.traced for call in calls],
            [call.exception for call in calls],
            [call.weight for call in calls],
            *_versions(bringers, states),
        )
    )


def link_columns(documents: Sequence[Document]) -> Columns:
    """The columns of `links`, as LINK_COLUMNS names them: a row for each link of each document."""
    links = [link for d in documents for link in d.links]
    if not links:
        return Columns([] for _ in LINK_COLUMNS.split(","))
    bringers = [d for d in documents for _ in d.links]
    states = [d.state for d in bringers]
    return Columns(
        (
            [d.trace_id for d in bringers],
            [d.id for d in bringers],
            [d.independent for d in bringers],
            [link.trace_id for link in links],
            [link.id for link in links],
            [link.upstream for link in links],
            [link.received for link in links],
            [d.start for d in bringers],
            [d.end - d.start for d in bringers],
            states,
            *_nodes([d.node for d in bringers]),
            [d.http.status for d in bringers],
            [d.exception for d in bringers],
            [link.weight for link in links],
            *_versions(bringers, states),
        )
    )


def document_columns(documents: Sequence[Document]) -> Columns:
    """The columns of `documents`, as DOCUMENT_COLUMNS names them, of those that are sampled."""
    kept = [d for d in documents if d.sampled]
    return Columns(
        (
            [d.trace_id for d in kept],
            [d.id for d in kept],
            [d.raw for d in kept],
            *_versions(kept, [d.state for d in kept]),
        )
    )


def _nodes(nodes: list[NodeKey]) -> tuple[Worded, Worded, Worded]:
    """Accounts, names and types. The decoder gives one object for each node, so that comparing
    objects finds what repeats three times as fast as comparing texts."""
    ids = list(map(id, nodes))
    distinct = dict(zip(ids, nodes, strict=True))
    codes = numbered({key: code for code, key in enumerate(distinct)}, ids)
    account, name, type = zip(*distinct.values(), strict=True) if nodes else ((), (), ())
    return Worded(list(account), codes), Worded(list(name), codes), Worded(list(type), codes)


def _versions(
    documents: Sequence[Document], states: Sequence[State]
) -> tuple[list[int], list[int]]:
    """`received` in seconds, and `ver`: `store.model.rank` of each, written out."""
    versions = [d.version for d in documents]
    received = [version // 1_000_000 for version in versions]
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

    def __init__(self, name: str, names: str, build: Callable[[Sequence[Document]], Columns]):
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
(`store.clickhouse.graph`)."""


class Packed(Struct, gc=False):
    """A few documents as rows of each table, in the order of TABLES; None where there are none."""

    pieces: list[Piece | None]
    size: int
    """Bytes in memory, beside the raw documents."""


def pack(documents: Sequence[Document]) -> Packed:
    """Documents as rows; at best `PACKED_AT_ONCE` of them, fresh from the decoder.

    Raises OverflowError, TypeError or ValueError when a value does not fit its column.
    """
    pieces: list[Piece | None] = []
    for table in TABLES:
        columns = table.build(documents)
        pieces.append(packed.pack(table.types, columns) if columns[0] else None)
    return Packed(pieces, sum([piece.size for piece in pieces if piece is not None]))


def insert(client: Client, documents: Sequence[Document], token: str) -> None:
    """Write a batch (see `insert_packed`). Raises as `pack` does, too."""
    parts = range(0, len(documents), PACKED_AT_ONCE)
    insert_packed(
        client, [pack(documents[first : first + PACKED_AT_ONCE]) for first in parts], token
    )


def insert_packed(client: Client, batch: Sequence[Packed], token: str) -> None:
    """Write a batch: an insert for each table, each of which drops what it has seen under its token."""
    for number, table in enumerate(TABLES):
        pieces = [piece for few in batch if (piece := few.pieces[number]) is not None]
        if pieces:
            _insert(client, table.name, table.names, packed.join(table.types, pieces), token)


def _insert(client: Client, table: str, names: str, rows: Encoded, token: str) -> None:
    client.execute(
        f"INSERT INTO {table} ({names}) VALUES",
        rows,
        columnar=True,
        types_check=False,
        settings={**DEDUPLICATE, "insert_deduplication_token": f"{table}-{token}"},
    )

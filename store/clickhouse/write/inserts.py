"""Inserts documents: encoded as rows of each table, one insert per table and batch.

Which buckets the rows are in is written to `dirty` first, then which traces to `traces`, by inserts of their own:
materialized views on the tables cost as much as the tables. A process, ClickHouse or the connection may end between
any two inserts; the journal has the batch until all are done, and repeats it under its token.

* Marks before the rows, so that no row is visible whose bucket is not marked.
* Marks without deduplication, unlike rows: of a batch that is repeated the rows may be new, and a mark too many costs a
  look.
* Traces before their rows, so that no row is counted that its trace's other rows do not find.
* Marks once more behind the rows when they took longer than `PROMPT`: a count may have looked in between.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from clickhouse_driver import Client
from msgspec import Struct

from store.clickhouse.connection.native_format import Columns, Encoded
from store.clickhouse.search.scan_ranges import bucket_of
from store.clickhouse.write import encoded_columns
from store.clickhouse.write.encoded_columns import EncodedRows
from store.clickhouse.write.operations import (
    KnownOperations,
    Operation,
    insert_operations,
    operations_in,
)
from store.clickhouse.write.rows import TABLES
from store.columnar import DocumentColumns, columns_of
from store.model import Document
from store.protocol import ENCODE_CHUNK

SETTINGS = {
    "optimize_on_insert": 0,
    "exclude_materialize_skip_indexes_on_insert": "by_key",
    "async_insert": 0,
}
"""Settings of an insert. A block is not merged before it is written: ids rarely repeat within a batch,
reads use FINAL anyway, and merging was up to a quarter of an insert's user time (measured). The index of keys is
made by merges: it was a sixth of an insert of 50,000 spans, and few filters ask for a key alone. ClickHouse's own
default since 26.x gathers inserts, which a batch is already."""
PROMPT = 0.5
"""Seconds from the mark in which rows become visible, mostly. A round looks again at a bucket that it saw within a
second of its mark (`store.clickhouse.rollup.worker.GUARD`)."""

_TRACE_TYPES = {
    "trace_id": "FixedString(16)",
    "lo": "SimpleAggregateFunction(min, Int64)",
    "duration": "Int64",
    "received": "SimpleAggregateFunction(max, DateTime('UTC'))",
    "ver": "UInt64",
    "sampled": "SimpleAggregateFunction(max, UInt8)",
    "document": "UInt8",
}
"""The columns of `traces` that are sent, and their types."""
_OF_TRACES = ("trace_id", "start", "duration", "received", "ver", "sampled")
"""Of documents, in that order; of calls all but the last."""
_SOURCES = [
    (number, [columns.index(name) for name in _OF_TRACES if name in columns])
    for number, table in enumerate(TABLES)
    if table.name != "links" and (columns := table.names.split(", "))
]


class EncodedDocuments(Struct, gc=False):
    """Documents as rows of each table, in the order of TABLES; None for a table without rows."""

    pieces: list[EncodedRows | None]
    buckets: Mapping[int, int]
    """Rows by bucket."""
    size: int
    """Bytes in memory, without the raw documents."""
    operations: frozenset[Operation] = frozenset()
    """What services did."""


def encode(documents: DocumentColumns) -> EncodedDocuments:
    """Encode documents as rows; ideally `ENCODE_CHUNK` of them, fresh from the decoder.

    Raises OverflowError, TypeError or ValueError when a value does not fit its column.
    """
    pieces: list[EncodedRows | None] = []
    for table in TABLES:
        columns = table.build(documents)
        pieces.append(encoded_columns.encode(table.types, columns) if columns[0] else None)
    size = sum([piece.size for piece in pieces if piece is not None])
    return EncodedDocuments(pieces, _rows_by_bucket(documents), size, operations_in(documents))


def _rows_by_bucket(documents: DocumentColumns) -> Mapping[int, int]:
    starts = [*documents.starts, *documents.calls.starts]
    starts += [documents.starts[owner] for owner, _ in documents.links]
    if not starts:
        return {}
    first = bucket_of(min(starts))
    if first == bucket_of(max(starts)):  # of few documents mostly: two passes in C
        return {first: len(starts)}
    return Counter(map(bucket_of, starts))


def insert(
    client: Client,
    documents: Sequence[Document],
    token: str,
    known: KnownOperations | None = None,
) -> None:
    """Write a batch (see `insert_encoded`). Raises as `encode` does, too."""
    parts = range(0, len(documents), ENCODE_CHUNK)
    chunks = [encode(columns_of(documents[first : first + ENCODE_CHUNK])) for first in parts]
    insert_encoded(client, chunks, token, known)


def insert_encoded(
    client: Client,
    batch: Sequence[EncodedDocuments],
    token: str,
    known: KnownOperations | None = None,
) -> None:
    """Write a batch, one insert per table; ClickHouse ignores an insert of rows whose token it has seen. ``known``: what
    the dictionary of operations has; without it all of the batch's are written."""
    buckets: Counter[int] = Counter()
    for chunk in batch:
        buckets.update(chunk.buckets)
    if not buckets:
        return
    begun = time.monotonic()
    _mark(client, buckets)
    _insert_traces(client, batch, token)
    for number, table in enumerate(TABLES):
        pieces = [piece for chunk in batch if (piece := chunk.pieces[number]) is not None]
        if pieces:
            _insert(
                client, table.name, table.names, encoded_columns.join(table.types, pieces), token
            )
    operations = frozenset[Operation]().union(*(chunk.operations for chunk in batch))
    insert_operations(client, known or KnownOperations(), operations)
    if time.monotonic() - begun > PROMPT:
        _mark(client, dict.fromkeys(buckets, 0))


def _insert_traces(client: Client, batch: Sequence[EncodedDocuments], token: str) -> None:
    """Write the rows of `traces`: columns of documents and calls that are encoded already."""
    parts: list[list[Any]] = []
    rows = 0
    for number, places in _SOURCES:
        for chunk in batch:
            if piece := chunk.pieces[number]:
                part: list[Any] = [piece.parts[place] for place in places]
                if len(part) == len(_OF_TRACES):
                    part.append(b"\1" * piece.rows)
                else:  # of a call: not a document, nor known to be sampled
                    part += [bytes(piece.rows)] * 2
                parts.append(part)
                rows += piece.rows
    columns = [b"".join(of_column) for of_column in zip(*parts, strict=True)]
    encoded = Encoded(rows, list(_TRACE_TYPES.values()), columns)
    _insert(client, "traces", ", ".join(_TRACE_TYPES), encoded, token, optimize_on_insert=1)


def _mark(client: Client, buckets: Mapping[int, int]) -> None:
    """Say that rows come to these buckets now, by the server's clock."""
    client.execute(
        "INSERT INTO dirty (bucket, rows) VALUES",
        Columns((list(buckets), list(buckets.values()))),
        columnar=True,
        types_check=False,
        settings={"insert_deduplicate": 0, "optimize_on_insert": 0, "async_insert": 0},
    )


def _insert(
    client: Client, table: str, names: str, rows: Encoded, token: str, **settings: object
) -> None:
    client.execute(
        f"INSERT INTO {table} ({names}) VALUES",
        rows,
        columnar=True,
        types_check=False,
        settings={**SETTINGS, "insert_deduplication_token": f"{table}-{token}", **settings},
    )

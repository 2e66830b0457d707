"""Inserts documents: encoded as rows of each table, one insert per table and batch.

Which buckets the rows are in is written to `dirty` first, by an insert of its own: a materialized view on each of
the tables cost as much as the tables. A process, ClickHouse or the connection may end between any two inserts; the
journal has the batch until all are done, and repeats it under its token.

* Before its rows, so that no row is visible whose bucket is not marked.
* Without deduplication, unlike rows: of a batch that is repeated the rows may be new, and a mark too many costs a
  look.
* Once more behind the rows when they took longer than `PROMPT`: a count may have looked in between.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from clickhouse_driver import Client
from msgspec import Struct

from store.clickhouse.connection.native_format import Columns, Encoded
from store.clickhouse.search.scan_ranges import bucket_of
from store.clickhouse.write import encoded_columns
from store.clickhouse.write.encoded_columns import EncodedRows
from store.clickhouse.write.rows import TABLES
from store.columnar import DocumentColumns, columns_of
from store.model import Document
from store.protocol import ENCODE_CHUNK

SETTINGS = {
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "optimize_on_insert": 0,
    "exclude_materialize_skip_indexes_on_insert": "by_key",
    "async_insert": 0,
}
"""Settings of an insert. A block is not merged before it is written: ids rarely repeat within a batch,
reads use FINAL anyway, and merging was up to a quarter of an insert's user time (measured). The index of keys is
made by merges: it was a sixth of an insert of 50,000 spans, and few filters ask for a key alone. ClickHouse's own
default since 26.x gathers inserts, which a batch is already."""
PROMPT = 0.5
"""Seconds from the mark until the rows are visible, in which no count that looked stays
(`store.clickhouse.rollup.worker.GUARD`, less what clocks and threads may differ)."""


class EncodedDocuments(Struct, gc=False):
    """Documents as rows of each table, in the order of TABLES; None for a table without rows."""

    pieces: list[EncodedRows | None]
    buckets: Mapping[int, int]
    """Rows by bucket."""
    size: int
    """Bytes in memory, without the raw documents."""


def encode(documents: DocumentColumns) -> EncodedDocuments:
    """Encode documents as rows; ideally `ENCODE_CHUNK` of them, fresh from the decoder.

    Raises OverflowError, TypeError or ValueError when a value does not fit its column.
    """
    pieces: list[EncodedRows | None] = []
    for table in TABLES:
        columns = table.build(documents)
        pieces.append(encoded_columns.encode(table.types, columns) if columns[0] else None)
    size = sum([piece.size for piece in pieces if piece is not None])
    return EncodedDocuments(pieces, _rows_by_bucket(documents), size)


def _rows_by_bucket(documents: DocumentColumns) -> Mapping[int, int]:
    starts = [*documents.starts, *documents.calls.starts]
    starts += [documents.starts[owner] for owner, _ in documents.links]
    if not starts:
        return {}
    first = bucket_of(min(starts))
    if first == bucket_of(max(starts)):  # of few documents mostly: two passes in C
        return {first: len(starts)}
    return Counter(map(bucket_of, starts))


def insert(client: Client, documents: Sequence[Document], token: str) -> None:
    """Write a batch (see `insert_encoded`). Raises as `encode` does, too."""
    parts = range(0, len(documents), ENCODE_CHUNK)
    chunks = [encode(columns_of(documents[first : first + ENCODE_CHUNK])) for first in parts]
    insert_encoded(client, chunks, token)


def insert_encoded(client: Client, batch: Sequence[EncodedDocuments], token: str) -> None:
    """Write a batch, one insert per table; ClickHouse ignores an insert of rows whose token it has seen."""
    buckets: Counter[int] = Counter()
    for chunk in batch:
        buckets.update(chunk.buckets)
    if not buckets:
        return
    begun = time.monotonic()
    _mark(client, buckets)
    for number, table in enumerate(TABLES):
        pieces = [piece for chunk in batch if (piece := chunk.pieces[number]) is not None]
        if pieces:
            _insert(
                client, table.name, table.names, encoded_columns.join(table.types, pieces), token
            )
    if time.monotonic() - begun > PROMPT:
        _mark(client, dict.fromkeys(buckets, 0))


def _mark(client: Client, buckets: Mapping[int, int]) -> None:
    """Say that rows come to these buckets now, by the server's clock."""
    client.execute(
        "INSERT INTO dirty (bucket, rows) VALUES",
        Columns((list(buckets), list(buckets.values()))),
        columnar=True,
        types_check=False,
        settings={"insert_deduplicate": 0, "optimize_on_insert": 0},
    )


def _insert(client: Client, table: str, names: str, rows: Encoded, token: str) -> None:
    client.execute(
        f"INSERT INTO {table} ({names}) VALUES",
        rows,
        columnar=True,
        types_check=False,
        settings={**SETTINGS, "insert_deduplication_token": f"{table}-{token}"},
    )

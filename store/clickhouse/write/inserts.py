"""Inserts documents: encoded as rows of each table, one insert per table and batch."""

from __future__ import annotations

from collections.abc import Sequence

from clickhouse_driver import Client
from msgspec import Struct

from store.clickhouse.connection.native_format import Encoded
from store.clickhouse.write import encoded_columns
from store.clickhouse.write.encoded_columns import EncodedRows
from store.clickhouse.write.rows import TABLES
from store.columnar import DocumentColumns, columns_of
from store.model import Document
from store.protocol import ENCODE_CHUNK

SETTINGS = {"deduplicate_blocks_in_dependent_materialized_views": 1, "optimize_on_insert": 0}
"""Settings of an insert. A block is not merged before it is written: ids rarely repeat within a batch,
reads use FINAL anyway, and merging was up to a quarter of an insert's user time (measured)."""


class EncodedDocuments(Struct, gc=False):
    """Documents as rows of each table, in the order of TABLES; None for a table without rows."""

    pieces: list[EncodedRows | None]
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
    return EncodedDocuments(pieces, sum([piece.size for piece in pieces if piece is not None]))


def insert(client: Client, documents: Sequence[Document], token: str) -> None:
    """Write a batch (see `insert_encoded`). Raises as `encode` does, too."""
    parts = range(0, len(documents), ENCODE_CHUNK)
    chunks = [encode(columns_of(documents[first : first + ENCODE_CHUNK])) for first in parts]
    insert_encoded(client, chunks, token)


def insert_encoded(client: Client, batch: Sequence[EncodedDocuments], token: str) -> None:
    """Write a batch, one insert per table; ClickHouse ignores an insert whose token it has seen."""
    for number, table in enumerate(TABLES):
        pieces = [piece for chunk in batch if (piece := chunk.pieces[number]) is not None]
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

"""Writes to one of several cells: the documents of the traces that it contains, and all that is about no trace if it is
the first, the home cell."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from store.cells.cells import Cells
from store.cells.split import split
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write.inserts import EncodedDocuments
from store.columnar import ColumnarDocuments, DocumentColumns
from store.log_lines import LogLine
from store.model import Document
from store.owner import Owners
from store.platform_metrics import MetricPoint


class SplitDocuments(Struct, gc=False):
    """Encoded documents by cell; None for a cell without any, or for which they were not encoded."""

    parts: list[EncodedDocuments | None]
    counts: list[int]
    """Documents of each."""
    size: int


def encode(
    stores: Sequence[ClickHouseStore],
    owners: Owners,
    columns: DocumentColumns,
    only: int | None = None,
) -> SplitDocuments:
    """Documents as they go to the cells, or to ``only`` one."""
    own = split(columns, len(stores), owners)
    parts = [
        store.encode(part) if part is not None and only in (None, place) else None
        for place, (store, part) in enumerate(zip(stores, own, strict=True))
    ]
    counts = [len(part) if part is not None else 0 for part in own]
    return SplitDocuments(parts, counts, sum(part.size for part in parts if part is not None))


class StoreCellWriter:
    """`store.protocol.CellWriter` of the cell at a place."""

    def __init__(self, cells: Cells, place: int) -> None:
        self._cells, self._place, self.name = cells, place, cells.names[place]
        self._store = cells.stores[place]

    def check(self) -> None:
        """Raises StoreUnavailable when the cell does not answer."""
        self._store.check()

    def close(self) -> None:
        """Nothing: the connections are the store's."""

    def _owns(self, trace_id: bytes, version: int) -> bool:
        return self._cells.owners.of_document(trace_id, version) == self._place

    def put(self, documents: Sequence[Document], token: str) -> None:
        """Store those of the cell."""
        if own := [each for each in documents if self._owns(each.trace_id, each.version)]:
            self._store.put(own, token)

    def encode(self, columns: DocumentColumns) -> SplitDocuments:
        """Those of the cell."""
        return encode(self._cells.stores, self._cells.owners, columns, self._place)

    def put_encoded(self, packed: Sequence[SplitDocuments], token: str) -> None:
        """Store those of the cell."""
        if own := [part for each in packed if (part := each.parts[self._place]) is not None]:
            self._store.put_encoded(own, token)

    def count_own(self, documents: Sequence[Document]) -> int:
        """By their traces."""
        if isinstance(documents, ColumnarDocuments):
            return sum(
                self._owns(*each)
                for part in documents.columns
                for each in zip(part.trace_ids, part.versions, strict=True)
            )
        return sum(self._owns(each.trace_id, each.version) for each in documents)

    def count_encoded(self, encoded: SplitDocuments) -> int:
        """As they were split."""
        return encoded.counts[self._place]

    def put_log_lines(self, lines: Sequence[LogLine], token: str) -> None:
        """Store all in the home cell."""
        if self._place == 0:
            self._store.put_log_lines(lines, token)

    def put_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        """Store all in the home cell."""
        if self._place == 0:
            self._store.put_metric_points(points, token)

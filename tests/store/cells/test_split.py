"""Columns split by cell are the columns of each cell's documents."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from store.cells.split import split
from store.columnar import columns_of, documents_of
from store.model import Document
from store.owner import Owners, owner_of
from tests.store.test_agreement import documents


@given(st.lists(documents((1,)), max_size=12), st.integers(1, 4))
def test_split(given: list[Document], cells: int) -> None:
    parts = split(columns_of(given), cells, Owners.of(cells))
    for place, part in enumerate(parts):
        own = [each for each in given if owner_of(each.trace_id, cells) == place]
        assert (documents_of(part) if part is not None else []) == own

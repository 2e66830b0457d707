"""The contract of every store, over two cells."""

from __future__ import annotations

import pytest

from store.cells.store import CellStore
from store.protocol import Store

pytest.register_assert_rewrite("tests.store.contract")
from tests.store.contract import StoreContract  # noqa: E402


class TestCells(StoreContract):
    @pytest.fixture
    def store(self, cell_store: CellStore) -> Store:
        return cell_store

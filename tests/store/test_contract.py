"""Both stores against the one contract."""

from __future__ import annotations

import pytest

from store.clickhouse.store import ClickHouseStore
from store.memory import MemoryStore
from store.protocol import Store

pytest.register_assert_rewrite("tests.store.contract")
from tests.store.contract import StoreContract  # noqa: E402


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestClickHouse(StoreContract):
    @pytest.fixture
    def store(self, clickhouse_store: ClickHouseStore) -> Store:
        return clickhouse_store

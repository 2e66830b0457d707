"""What awaits its event, counted by statements: so few rows as the contract has are counted in Python."""

from __future__ import annotations

import pytest

from store.clickhouse.rollup import few_rows
from store.clickhouse.store import ClickHouseStore
from store.protocol import Store

pytest.register_assert_rewrite("tests.store.contract")
from tests.store.contract.events import EventContract  # noqa: E402


class TestStatements(EventContract):
    @pytest.fixture
    def store(self, clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch) -> Store:
        monkeypatch.setattr(few_rows, "MOST", 0)
        return clickhouse_store

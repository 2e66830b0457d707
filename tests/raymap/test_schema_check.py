"""A process starts with its own schema only; without ClickHouse it may wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from raymap.errors import CommandError
from raymap.schema_check import require_schema, schema_problem
from store.clickhouse.connection.address import Address

NOWHERE = Address("127.0.0.1", 1)


def test_the_right_schema(clickhouse_database: Address) -> None:
    require_schema(clickhouse_database)
    assert schema_problem(clickhouse_database) == ""


def test_a_database_without_tables(clickhouse: Address) -> None:
    with pytest.raises(CommandError, match=r"/none contains no Raymap tables: run  raymap migrate"):
        require_schema(replace(clickhouse, database="none"))


def test_a_clickhouse_that_does_not_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match=r"127\.0\.0\.1:1/raymap does not answer: .*Does it run"):
        require_schema(NOWHERE)
    require_schema(NOWHERE, wait_for_it=True)
    assert capfd.readouterr().err.endswith("; going on without it\n")

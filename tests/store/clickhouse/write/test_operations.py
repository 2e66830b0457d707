"""The dictionary of operations: what a batch writes to it."""

from __future__ import annotations

import pytest

from collector.decode.otlp.columns import decode_otlp_columns
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write import operations
from store.clickhouse.write.inserts import encode
from store.clickhouse.write.operations import KnownOperations, Operation, operations_in
from store.columnar import ColumnarDocuments, columns_of
from store.model import Kind
from store.rules.operations import OTHER_OPERATIONS
from tests.builders import segment
from tests.collector.otlp_samples import CLIENT, SERVER, export, span

GET = Operation("shop", "GET /", Kind.SERVER)


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(operations, "time", found)
    return found


def written(known: KnownOperations, *found: Operation) -> list[Operation]:
    rows = known.due(found)
    known.note(rows)
    return rows


def test_a_row_is_written_once_an_hour(clock: Clock) -> None:
    known = KnownOperations()
    assert known.due([GET]) == [GET]
    assert written(known, GET) == [GET], "an insert that failed is repeated"
    clock.now = 3599.0
    assert written(known, GET) == []
    clock.now = 3600.0
    assert written(known, GET) == [GET]


def test_names_without_bound_are_one(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one service, and until room is made by names that were not seen for a day."""
    monkeypatch.setattr(operations, "MOST_OPERATIONS", 3)
    known = KnownOperations()
    names = [Operation("shop", f"GET /{n}", Kind.SERVER) for n in range(9)]
    other = GET._replace(name=OTHER_OPERATIONS)
    for each in names:
        written(known, each)
    assert written(known, *names) == []
    assert written(known, GET._replace(service="stock")) == [GET._replace(service="stock")]
    clock.now = 3600.0
    assert written(known, *names[2:]) == [names[2], other]
    clock.now = 86_401.0
    assert written(known, names[8]) == [names[8]]


def test_a_batch_has_no_more_names_than_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_OPERATIONS", 3)
    known = KnownOperations()
    names = [Operation("shop", f"GET /{n}", Kind.SERVER) for n in range(9)]
    assert written(known, *names) == [*names[:3], GET._replace(name=OTHER_OPERATIONS)]
    assert written(known, *names) == []


def test_what_a_process_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_KNOWN", 5)
    known = KnownOperations()
    for number in range(20):
        written(known, Operation(f"s{number}", "GET /", Kind.SERVER))
        assert known._count == sum(map(len, known._written.values())) <= 6


def test_by_column_they_are_those_of_each_document() -> None:
    """Spans share codes, by which few pairs are found."""
    spans = [span(SERVER, {}, id=n, name=f"GET /{n % 3}") for n in range(1, 40)]
    spans += [span(CLIENT, {"db.system": "redis"}, id=n, name="HGET") for n in range(40, 80)]
    found = decode_otlp_columns(export(*spans), 7).documents
    assert isinstance(found, ColumnarDocuments)
    (columns,) = found.columns
    expected = {
        *(Operation("shop", f"GET /{n}", Kind.SERVER) for n in range(3)),
        Operation("shop", "HGET", Kind.CLIENT),
    }
    assert operations_in(columns) == operations_in(columns_of(found)) == expected
    assert encode(columns).operations == expected


def test_a_batch_of_known_operations_writes_no_row(clickhouse_store: ClickHouseStore) -> None:
    for token in ("a", "b"):
        clickhouse_store.put([segment(operation="GET /")], token)
    with clickhouse_store._client() as client:
        assert client.execute("SELECT service, operation, kind FROM operations") == [
            ("frontend", "GET /", 0)
        ]

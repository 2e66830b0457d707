"""Configuration, sampling reports, retrievals, layouts: one contract for every store."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from store.clickhouse.connection.address import Address
from store.clickhouse.store import ClickHouseStore
from store.config import records
from store.config.protocol import (
    MAX_CLIENTS,
    RETRIEVAL_SECONDS,
    AnomalyReport,
    Change,
    Configuration,
    Retrieval,
    SamplingReport,
    SamplingSum,
    StoredLayout,
)
from store.config.records import Group, RateBoost, SamplingRule
from store.memory import MemoryStore
from store.model import TimeRange
from store.notebooks import NotebookEntry
from store.protocol import Store
from store.times import SECOND
from tests.builders import trace_id
from tests.waiting import eventually

T0 = int(time.time()) // 60 * 60 * SECOND
"""Now: reports and retrievals expire."""
WINDOW = TimeRange(T0, T0 + 60 * SECOND)


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    found: ClickHouseStore = request.getfixturevalue("clickhouse_store")
    return found


def visible(store: Store, expected: int) -> list[SamplingReport]:
    """The reports, once there are as many: ClickHouse collects them for a moment."""
    eventually(lambda: len(store.last_sampling_reports(WINDOW)) >= expected)
    return store.last_sampling_reports(WINDOW)


def test_configuration_starts_empty(store: Store) -> None:
    assert store.read_configuration() == Configuration(0, {}, {})


def test_changes_are_revisions(store: Store) -> None:
    group = Group("é", "arn", 'service("a")', versions=(T0,))
    assert store.change_configuration([records.put("é", group)], after=0, at=T0)
    rule = SamplingRule("r", 1, 0.5, 3, attributes={"a": "b"}, boost=RateBoost(1.0, 5))
    changes = [records.put("r", rule), Change("other", "x", b"{}")]
    assert store.change_configuration(changes, after=1, at=T0 + 1)
    found = store.read_configuration()
    assert found.revision == 2
    assert records.read(found, Group) == {"é": group}
    assert records.read(found, SamplingRule) == {"r": rule}
    assert found.changed == {"group": T0, "sampling rule": T0 + 1, "other": T0 + 1}


def test_removal_is_a_change(store: Store) -> None:
    assert store.change_configuration([Change("k", "a", b"1")], after=0, at=T0)
    assert store.change_configuration([Change("k", "a", None)], after=1, at=T0 + 5)
    assert store.read_configuration() == Configuration(2, {}, {"k": T0 + 5})
    assert store.change_configuration([Change("k", "a", b"2")], after=2, at=T0 + 9)
    assert store.read_configuration().values == {("k", "a"): b"2"}


def test_large_records_are_read_where_they_are_wanted(store: Store) -> None:
    """Their revision is known all the same, or no other change could follow."""
    entry = NotebookEntry("e", T0, T0, T0, text="words")
    changes = [records.put("n/e", entry), Change("k", "a", b"1")]
    assert store.change_configuration(changes, after=0, at=T0)
    assert store.change_configuration([records.put("n/f", entry)], after=1, at=T0 + 1)
    assert store.read_configuration() == Configuration(2, {("k", "a"): b"1"}, {"k": T0})
    found = store.read_configuration(large=True)
    assert found.revision == 2
    assert records.read(found, NotebookEntry) == {"n/e": entry, "n/f": entry}
    assert found.changed == {"k": T0, "notebook entry": T0 + 1}


def test_a_change_of_an_old_revision_is_refused(store: Store) -> None:
    assert store.change_configuration([Change("k", "a", b"1")], after=0, at=T0)
    before = store.read_configuration()
    assert not store.change_configuration([Change("k", "b", b"2")], after=0, at=T0 + 1)
    assert store.read_configuration() == before


def test_of_concurrent_changes_one_wins(
    clickhouse_store: ClickHouseStore, clickhouse_database: Address
) -> None:
    """Two processes, which share nothing but the database; no change is lost or done twice."""
    other = ClickHouseStore(clickhouse_database, connections=4)

    def write(number: int) -> list[int]:
        store = (clickhouse_store, other)[number % 2]
        won: list[int] = []
        while len(won) < 5:
            after = store.read_configuration().revision
            change = Change("k", f"{number}-{len(won)}", b"{}")
            if store.change_configuration([change], after=after, at=T0):
                won.append(after + 1)
        return won

    with ThreadPoolExecutor(4) as threads:
        revisions = [each for won in threads.map(write, range(4)) for each in won]
    assert sorted(revisions) == list(range(1, 21))
    assert len(other.read_configuration().values) == 20
    other.close()


def test_last_report_of_each_client(store: Store) -> None:
    reports = [
        SamplingReport("r", "a", T0, 1, 1, 0),
        SamplingReport("r", "a", T0 + SECOND, 7, 2, 1),
        SamplingReport("r", "b", T0 + SECOND, 3, 0, 0),
        SamplingReport("s", "a", T0 + SECOND, 5, 0, 0),
        SamplingReport("r", "late", WINDOW.end, 9, 0, 0),
    ]
    store.add_sampling_reports(reports, [])
    assert visible(store, 3) == reports[1:4]
    assert store.sampling_sums(TimeRange(T0, WINDOW.end + 1), 10 * SECOND) == [
        SamplingSum("r", T0, 11, 3, 1),
        SamplingSum("s", T0, 5, 0, 0),
        SamplingSum("r", WINDOW.end, 9, 0, 0),
    ]


def test_a_flood_of_client_ids_is_bounded(store: Store) -> None:
    reports = [SamplingReport("r", f"{n:05}", T0, 1, 0, 0) for n in range(MAX_CLIENTS + 5)]
    store.add_sampling_reports([*reports, SamplingReport("s", "a", T0, 1, 0, 0)], [])
    found = visible(store, MAX_CLIENTS + 1)
    assert found[:MAX_CLIENTS] == reports[:MAX_CLIENTS]
    assert found[-1].rule == "s"


def test_first_missed_anomaly_of_each_service(store: Store) -> None:
    anomalies = [
        AnomalyReport("r", "shop", T0, 5, 5),
        AnomalyReport("r", "shop", T0 + 1, 4, 1),
        AnomalyReport("r", "shop", T0 + 2, 9, 0),
        AnomalyReport("r", "bank", T0 + 3, 1, 0),
        AnomalyReport("s", "shop", T0, 1, 0),
    ]
    store.add_sampling_reports([], anomalies)
    eventually(lambda: len(store.first_anomalies("r", WINDOW)) >= 2)
    assert store.first_anomalies("r", WINDOW) == [anomalies[3], anomalies[1]]


def test_retrievals_expire_and_can_be_cancelled(store: Store) -> None:
    ids = (trace_id(1), bytes(range(240, 256)))
    made = Retrieval("token", ids, TimeRange(T0, T0 + 9), T0)
    store.put_retrieval(made)
    assert store.get_retrieval("token", T0) == made
    assert store.get_retrieval("other", T0) is None
    assert store.count_retrievals(T0) == 1
    expired = T0 + RETRIEVAL_SECONDS * SECOND
    assert store.get_retrieval("token", expired - 1) == made
    assert store.get_retrieval("token", expired) is None
    assert store.count_retrievals(expired) == 0
    cancelled = Retrieval("token", ids, made.window, T0, cancelled=True)
    store.put_retrieval(cancelled)
    assert store.get_retrieval("token", T0) == cancelled
    assert store.count_retrievals(T0) == 0


def test_a_layout_has_revisions_and_one_writer_each(store: Store) -> None:
    """Names do not meet; a writer that has not read the newest revision is refused."""
    value = bytes(range(256))
    assert store.read_layout("all") is None
    assert store.write_layout("all", value, after=0)
    assert store.read_layout("all") == StoredLayout(1, value)
    assert not store.write_layout("all", b"late", after=0)
    assert store.write_layout("all", b"", after=1)
    assert store.read_layout("all") == StoredLayout(2, b"")
    assert store.write_layout("other", b"x", after=0)
    assert store.read_layout("all") == StoredLayout(2, b"")


def test_of_concurrent_layouts_one_wins(store: Store) -> None:
    def write(number: int) -> bool:
        return store.write_layout("all", bytes([number]), after=0)

    with ThreadPoolExecutor(4) as threads:
        won = [number for number, done in enumerate(threads.map(write, range(8))) if done]
    assert len(won) == 1
    assert store.read_layout("all") == StoredLayout(1, bytes(won))

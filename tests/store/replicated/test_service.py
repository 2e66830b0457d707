"""One name for several servers, as ClickHouse Cloud has it: what one connection has written, another reads, whatever servers
they got; one process counts, and one migrates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from store.clickhouse import pins
from store.clickhouse.connection.lease import Lease
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_lock import try_lock
from store.clickhouse.schema.errors import MigrationError
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.schema.version import schema_state
from store.clickhouse.store import ClickHouseStore
from store.protocol import Store
from tests.conftest import empty
from tests.store.replicated.rig import Rig
from tests.store.replicated.service import DAYS, Service
from tests.store.replicated.stock import StockRig
from tests.store.replicated.test_contract import Tried
from tests.store.replicated.traffic import Traffic
from tests.store.test_agreement_together import SEED, TOGETHER, examples, many_agree
from tests.tiers import NIGHTLY

EXAMPLES = 10 * TOGETHER if NIGHTLY else 5


@pytest.fixture(scope="module")
def service(replica_rig: Rig | StockRig) -> Iterator[Service]:
    made = Service(replica_rig.replicas)
    yield made
    made.drop()


@pytest.fixture(autouse=True)
def staging(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is made on one server here; Cloud makes it on all, each with a path of its own."""
    monkeypatch.setattr(pins, "is_replicated", lambda _: True)


@pytest.mark.slow
class TestService(Tried):  # type: ignore[misc]
    @pytest.fixture
    def store(self, service: Service) -> Iterator[Store]:
        empty(service.address)
        store = ClickHouseStore(service.address, connections=4)
        yield store
        store.close()


@pytest.mark.slow
@pytest.mark.timeout(120 + 6 * EXAMPLES)
def test_many_examples_agree(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(ClickHouseStore(service.address, connections=4)) as store:
        many_agree(store, examples(EXAMPLES, SEED), monkeypatch)


def test_one_process_counts_for_all(service: Service, traffic: Traffic) -> None:
    with (
        closing(ClickHouseStore(service.address, connections=2)) as first,
        closing(ClickHouseStore(service.address, connections=2)) as second,
    ):
        counts = []
        for batch, writer in enumerate((first, second), start=1):
            traffic.put(writer, batch)
            for store in (first, second):
                store.rollup_worker.alone = False
                with store._asking() as run:
                    store.rollup_worker._wanted = True
                    counts.append(store.rollup_worker.tick(run))
            assert [traffic.counted(store) for store in (first, second)] == [20 * batch, 20 * batch]
        assert [bool(count) for count in counts] == [True, False, True, False]
        assert not first.rollup_worker.lag.reason
        turns = [store.rollup_worker.turn for store in (first, second)]
        assert [turn and turn.mine for turn in turns] == [True, False]


def test_a_lock_is_one_for_all_servers(service: Service) -> None:
    """A running query locks one of them."""
    lock = try_lock(service.address, "raymap-test", 0.1)
    assert isinstance(lock, Lease)
    assert [try_lock(service.address, "raymap-test", 0.1) for _ in range(2)] == [None, None]
    lock.release()


def test_every_connection_reads_what_was_acknowledged(service: Service) -> None:
    for address, expected in ((service.address, 1), (replace(service.address, cloud=False), 0)):
        client = connect(address)
        read = client.execute("SELECT getSetting('select_sequential_consistency')")
        assert read == [(expected,)]
        client.disconnect()


def test_a_service_that_is_taken_for_one_server_is_refused(service: Service) -> None:
    """As a new database, since the server says what it is, and by the tables of one that exists."""
    alone = replace(service.address, cloud=False)
    with pytest.raises(MigrationError, match="is of ClickHouse Cloud: add cloud=1 to its URL"):
        migrate(alone, DAYS)
    client = connect(alone)
    assert "has replicas" in schema_state(client).problem
    client.disconnect()
    assert migrate(service.address, DAYS) == []

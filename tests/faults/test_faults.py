"""Acknowledged documents are stored and counted once, whatever breaks: the fault table by row."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import tests.collector.conftest  # noqa: F401 (generates the protocol)
from store.clickhouse.store import ClickHouseStore
from tests.builders import call, segment, trace_id
from tests.faults.rig import Load, Rig, requests
from tests.faults.rows import FAULTS


@pytest.fixture(scope="module")
def whole_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One ClickHouse of its own: it is killed, so it cannot be the one other tests share."""
    rig = Rig(tmp_path_factory.mktemp("faults"))
    yield rig
    rig.close()


@pytest.fixture
def rig(whole_rig: Rig) -> Iterator[Rig]:
    yield whole_rig
    whole_rig.clear()


@pytest.mark.parametrize("fault", FAULTS)
def test_acknowledged_documents_are_stored(rig: Rig, fault: str) -> None:
    """Nothing acknowledged is missing; the service graph counts what is found, each once."""
    row = FAULTS[fault](rig, Load())
    print(row)
    assert row.passed, row


def test_a_batch_the_store_has_forgotten(rig: Rig) -> None:
    """Inserted again after 10,000 others, its token means nothing: stood for by another token. The
    map counts it once all the same, for versions replace; `revision` counts arrivals, both."""
    now = time.time()
    begun = int(now * 1e6)
    documents = [
        segment(
            id,
            trace_id=trace_id(id, int(now)),
            start=begun,
            end=begun + 1000,
            name="forgotten",
            version=begun + id,
            calls=(call(id + 1000, start=begun, end=begun + 500),),
        )
        for id in range(1, 51)
    ]
    store = ClickHouseStore(rig.address, connections=1)
    try:
        for token in ("once", "once", "again"):
            store.put(documents, token)
        counted = requests(store, now)
        assert (counted["forgotten"], counted["backend.example.com"]) == (50, 50)
        traces = store.get_traces([d.trace_id for d in documents])
        assert {len(trace.documents) for trace in traces.values()} == {1}
        assert {trace.revision for trace in traces.values()} == {2}
    finally:
        store.close()

"""The collector before a real ClickHouse that goes away and comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from collector.batches import Limits
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from tests.collector.samples import segment_bytes
from tests.waiting import eventually


@pytest.mark.clickhouse
def test_an_outage_loses_nothing(tmp_path: Path, metrics: IngestMetrics) -> None:
    """Acknowledged before, during and after: all of it is there in the end, once."""

    def put(*ids: int) -> None:
        raws = [segment_bytes(f"{id:016x}") for id in ids]
        pipeline.submit(pipeline.decode(raws, "http")).result(60)

    with EmbeddedClickHouse(tmp_path / "engine") as engine:
        address = replace(engine.address, database="outage")
        migrate(address, {"retention_days": 3650})
        store = ClickHouseStore(address, connections=4)
        limits = Limits(gather=0.0, linger=0.02, retry_pause=0.1)
        pipeline = IngestPipeline(store, tmp_path, metrics=metrics, limits=limits)
        pipeline.start()
        put(1, 2)
        eventually(lambda: metrics.snapshot()["stored"] == 2)
        (trace_id,) = {d.trace_id for d in pipeline.decode([segment_bytes()], "x").documents}
    put(3, 4)  # the first insert in vain
    put(*range(101, 141))  # enough to be packed
    with EmbeddedClickHouse(tmp_path / "engine"):
        put(6)
        eventually(lambda: metrics.snapshot()["stored"] == 45)
        trace = store.get_traces([trace_id])[trace_id]
        assert sorted(trace.documents) == [1, 2, 3, 4, 6, *range(101, 141)]
        assert trace.revision == 45
        pipeline.stop()
        store.close()
    assert list((tmp_path / "journal").iterdir()) == []

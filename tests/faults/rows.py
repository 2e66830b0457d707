"""The rows of the fault table: what is broken, under load, and what must be true afterwards."""

from __future__ import annotations

import os
import resource
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import grpc

from collector._pb import segments_pb2
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from tests.collector.samples import datagram, segment_service
from tests.faults.child import LIVE, OUTAGE, REPLAY
from tests.faults.rig import Load, Process, Rig, Row, Sender, document
from tests.waiting import SECONDS, eventually

Fault = Callable[[Rig, Load], Row]

QUICK = {"gather": 0.01, "linger": 0.02, "retry_pause": 0.05}


def limits(load: Load) -> dict[str, float]:
    """Small batches, so that little load makes many."""
    return {**QUICK, "slow_insert": load.slow_insert}


@contextmanager
def sending(rig: Rig, row: Row, load: Load, *processes: Process) -> Iterator[Sender]:
    """Load on the receivers until the block ends; then every document is looked up."""
    begun = time.time()
    sender = Sender(f"s{time.time_ns()}", load, lambda: [process.http for process in processes])
    try:
        yield sender
    finally:
        sender.stop()
    rig.look(row, sender, begun)


def clickhouse_killed(rig: Rig, load: Load) -> Row:
    """kill -9 in the middle of inserts, and again while the journal is replayed."""
    row = Row("ClickHouse kill -9, twice")
    collector = rig.start(row.fault, limits=limits(load))
    with sending(rig, row, load, collector) as sender:
        sender.wait_for(load.some)
        for _ in range(2):
            os.kill(rig.engine_pid, signal.SIGKILL)
            eventually(lambda: not collector.ready()["store_available"])
            sender.wait_for(load.some)
            rig.restart_engine()
        time.sleep(load.seconds)
    return row


def clickhouse_stopped(rig: Rig, load: Load) -> Row:
    """SIGSTOP: connections stay without responses; SIGCONT: what hung goes on."""
    row = Row("ClickHouse SIGSTOP")
    collector = rig.start(row.fault, limits=limits(load))
    with sending(rig, row, load, collector) as sender:
        sender.wait_for(load.some)
        os.kill(rig.engine_pid, signal.SIGSTOP)
        try:
            eventually(lambda: not collector.ready()["store_available"])
            sender.wait_for(load.some)
            time.sleep(load.away)
            said = collector.ready()
            assert said["status"] == 200, said
            assert said["problems"] == [
                "the store is unavailable or slow: documents wait in the journal"
            ]
            assert collector.metric("raymap_store_unavailable") == 1
            assert collector.metric("raymap_journal_bytes") > 0
            assert collector.metric("raymap_oldest_unsent_seconds") > 0
        finally:
            os.kill(rig.engine_pid, signal.SIGCONT)
        time.sleep(load.seconds)
    eventually(lambda: not collector.ready()["problems"])
    return row


def clickhouse_unavailable(rig: Rig, load: Load) -> Row:
    """Stopped in the regular way, and started again later."""
    row = Row("ClickHouse away")
    collector = rig.start(row.fault, limits=limits(load))
    with sending(rig, row, load, collector) as sender:
        sender.wait_for(load.some)
        rig.engine.stop()
        sender.wait_for(load.some)
        time.sleep(load.away)
        rig.restart_engine()
        time.sleep(load.seconds)
    lines = collector.log().splitlines()
    assert len(lines) < 20, "an outage floods the log"
    row.notes["log"] = f"{len(lines)} lines"
    return row


def network_gone(rig: Rig, load: Load) -> Row:
    """The cable is pulled: inserts hang, and fail in the end."""
    row = Row("network silent, then broken")
    with rig.gate() as (gate, address):
        collector = rig.start(row.fault, address, limits=limits(load))
        with sending(rig, row, load, collector) as sender:
            sender.wait_for(load.some)
            gate.hush()
            eventually(lambda: not collector.ready()["store_available"])
            sender.wait_for(load.some)
            time.sleep(load.away / 2)
            gate.shut()
            sender.wait_for(load.some)
            gate.open()
            time.sleep(load.seconds)
    return row


def clickhouse_full(rig: Rig, load: Load) -> Row:
    """ClickHouse has no space for one of the tables: that is no fault of the documents', which wait
    in the journal, half inserted, and none of them is refused for good."""
    row = Row("ClickHouse's disk full")
    collector = rig.start(row.fault, limits=limits(load))
    least = "min_free_disk_bytes_to_perform_insert"
    client = connect(rig.address)
    with sending(rig, row, load, collector) as sender:
        sender.wait_for(load.some)
        client.execute(f"ALTER TABLE calls MODIFY SETTING {least} = {1 << 60}")
        try:
            eventually(lambda: not collector.ready()["store_available"])
            sender.wait_for(load.some)
        finally:
            client.execute(f"ALTER TABLE calls RESET SETTING {least}")
            client.disconnect()
        sender.wait_for(load.some)
    assert "refused" not in collector.log()
    return row


def disk_full(rig: Rig, load: Load) -> Row:
    """The kernel takes no more bytes of the process: 503, and 200 again once there is room, though
    ClickHouse is still down."""
    row = Row("disk full")
    with rig.gate() as (gate, address):
        collector = rig.start(row.fault, address, limits=limits(load))
        with sending(rig, row, load, collector) as sender:
            sender.wait_for(load.some)
            gate.shut()
            eventually(lambda: not collector.ready()["store_available"])
            sender.wait_for(load.some)
            whole = resource.prlimit(collector.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, (64, whole[1]))
            eventually(lambda: collector.ready()["status"] == 503)
            deferred = sender.deferred
            eventually(lambda: sender.deferred > deferred + 3)
            eventually(lambda: collector.metric("raymap_ingest_blocked") == 1)
            assert "make room" in collector.ready()["problems"][0]
            resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, whole)
            sender.wait_for(load.some)
            eventually(lambda: collector.ready()["status"] == 200)
            gate.open()
            time.sleep(load.seconds)
    return row


def journal_full(rig: Rig, load: Load) -> Row:
    """At its bound every receiver says so in its protocol; then it recovers by itself."""
    row = Row("journal's bound reached")
    with rig.gate() as (gate, address):
        collector = rig.start(row.fault, address, limits=limits(load), journal_bytes=40_000)
        with sending(rig, row, load, collector) as sender:
            sender.wait_for(load.some)
            gate.shut()
            eventually(lambda: collector.ready()["status"] == 503)
            deferred = sender.deferred
            eventually(lambda: sender.deferred > deferred + 3)
            assert collector.metric("raymap_journal_bytes") <= 40_000
            lost = _udp_is_dropped(collector)
            _grpc_is_exhausted(collector)
            gate.open()
            eventually(lambda: collector.ready()["status"] == 200)
            sender.wait_for(load.some)
    row.notes["udp"] = f"{lost:.0f} dropped and counted"
    return row


def _udp_is_dropped(collector: Process) -> float:
    name = 'raymap_documents_dropped_total{reason="journal_full"}'
    before = collector.metric(name)
    host, _, port = collector.addresses["udp"].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for _ in range(500):
            trace_id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
            text = document("udp", trace_id, time.time())
            udp.sendto(datagram(text.encode()), (host, int(port)))
    eventually(lambda: collector.metric(name) > before)
    return collector.metric(name) - before


def _grpc_is_exhausted(collector: Process) -> None:
    now = (
        time.time()
    )  # a few may still fit in: as many as are too much however well they are packed
    ids = [f"1-{int(now):08x}-{secrets.token_hex(12)}" for _ in range(500)]
    texts = [document("grpc", each, now).encode() for each in ids]
    with grpc.insecure_channel(collector.addresses["grpc"]) as channel:
        request = segments_pb2.PutSegmentsRequest(documents=texts)
        call = segment_service(channel).PutSegments.future(request, timeout=SECONDS)
        assert call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, (call.code(), call.details())


def killed_live(rig: Rig, load: Load, point: str) -> Row:
    """The collector dies on the way of a batch into the store."""
    row = Row(f"collector kill -9: {point}")
    first = rig.start(row.fault, limits=limits(load), kill_at=point, nth=3)
    processes = [first]
    begun = time.time()
    sender = Sender(f"s{time.time_ns()}", load, lambda: [process.http for process in processes])
    try:
        assert first.died(), f"it never came to: {point}"
        processes[:] = [rig.start(row.fault, limits=limits(load))]
        sender.wait_for(load.some // 2)
    finally:
        sender.stop()
    return rig.look(row, sender, begun)


def killed_in_outage(rig: Rig, load: Load, point: str) -> Row:
    """The collector dies while ClickHouse is unavailable, its memory full and many files written."""
    row = Row(f"collector kill -9: {point}")
    with rig.gate() as (gate, address):
        gate.shut()
        plan = {"limits": {**limits(load), "memory_bytes": 30_000}, "file_bytes": 4_000}
        return _killed_then(rig, row, load, address, point, plan, gate.open)


def killed_replaying(rig: Rig, load: Load, point: str) -> Row:
    """A collector dies in an outage, and so does the one that adopts its journal."""
    row = Row(f"collector kill -9: {point}")
    with rig.gate() as (gate, address):
        gate.shut()
        first = rig.start(row.fault, address, limits=limits(load), file_bytes=4_000)
        begun = time.time()
        sender = Sender(f"s{time.time_ns()}", load, lambda: [first.http])
        try:
            eventually(lambda: rig.waiting(row.fault) >= 2 * load.some)
        finally:
            sender.stop()
        first.kill()
        gate.open()
        small = {**limits(load), "batch_documents": load.some // 2}
        heir = rig.start(row.fault, address, limits=small, kill_at=point, nth=1, early=True)
        assert heir.died(), f"it never came to: {point}"
        rig.start(row.fault, address, limits=limits(load))
        return rig.look(row, sender, begun)


def _killed_then(
    rig: Rig,
    row: Row,
    load: Load,
    address: Address,
    point: str,
    plan: Mapping[str, Any],
    then: Callable[[], None],
) -> Row:
    first = rig.start(row.fault, address, kill_at=point, nth=2, **plan)
    processes = [first]
    begun = time.time()
    sender = Sender(f"s{time.time_ns()}", load, lambda: [process.http for process in processes])
    try:
        assert first.died(), f"it never came to: {point}"
        processes[:] = [rig.start(row.fault, address, **plan)]
        sender.wait_for(load.some // 2)
        then()
    finally:
        sender.stop()
    return rig.look(row, sender, begun)


def two_and_two(rig: Rig, load: Load) -> Row:
    """Two collectors and two APIs share a data directory and a ClickHouse that comes and goes; one
    of each is killed meanwhile, and another adopts its journal."""
    row = Row("2 collectors, 2 APIs, one kill -9 of each")
    with rig.gate() as (gate, address):
        collectors = [rig.start(row.fault, address, limits=limits(load)) for _ in range(2)]
        apis = [rig.start(row.fault, address, role="api") for _ in range(2)]
        processes = [*collectors, *apis]
        begun = time.time()
        sender = Sender(f"s{time.time_ns()}", load, lambda: [process.http for process in processes])
        try:
            sender.wait_for(load.some)
            gate.shut()
            sender.wait_for(load.some)
            for victim in (collectors[0], apis[0]):
                processes.remove(victim)
                victim.kill()
            sender.wait_for(load.some)
            gate.open()
            sender.wait_for(load.some)
        finally:
            sender.stop()
        return rig.look(row, sender, begun)


def collector_first(rig: Rig, load: Load) -> Row:
    """Both stop; the collector starts, with a full journal, before ClickHouse does."""
    row = Row("restart: collector first, ClickHouse later")
    return _restarted(rig, load, row, collector_first=True)


def clickhouse_first(rig: Rig, load: Load) -> Row:
    """Both stop; ClickHouse starts before the collector does."""
    row = Row("restart: ClickHouse first, collector later")
    return _restarted(rig, load, row, collector_first=False)


def _restarted(rig: Rig, load: Load, row: Row, *, collector_first: bool) -> Row:
    processes = [rig.start(row.fault, limits=limits(load))]
    begun = time.time()
    sender = Sender(f"s{time.time_ns()}", load, lambda: [process.http for process in processes])
    try:
        sender.wait_for(load.some)
        rig.engine.stop()
        sender.wait_for(load.some)
        processes[0].stop()
        if not collector_first:
            rig.restart_engine()
        processes[:] = [rig.start(row.fault, limits=limits(load))]
        sender.wait_for(load.some)
        if collector_first:
            rig.restart_engine()
            sender.wait_for(load.some)
    finally:
        sender.stop()
    return rig.look(row, sender, begun)


FAULTS: dict[str, Fault] = {
    "clickhouse-kill": clickhouse_killed,
    "clickhouse-sigstop": clickhouse_stopped,
    "clickhouse-unavailable": clickhouse_unavailable,
    "network": network_gone,
    "clickhouse-full": clickhouse_full,
    "disk-full": disk_full,
    "journal-full": journal_full,
    "two-and-two": two_and_two,
    "collector-first": collector_first,
    "clickhouse-first": clickhouse_first,
    **{f"kill: {point}": partial(killed_live, point=point) for point in LIVE},
    **{f"kill: {point}": partial(killed_in_outage, point=point) for point in OUTAGE},
    **{f"kill: {point}": partial(killed_replaying, point=point) for point in REPLAY},
}

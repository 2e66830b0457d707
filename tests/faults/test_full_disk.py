"""A disk that is really full: every receiver defers, no process ends, and it goes on by itself."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from raymap.supervisor import MAX_DEATHS
from tests.collector.otlp_samples import MILLISECOND, SERVER, request, span
from tests.conftest import Server, start_server, stop_server
from tests.faults.rig import document
from tests.faults.small_disk import MIB, SmallDisk, small_disk
from tests.raymap.processes import children, log_of, status_of
from tests.raymap.tenants.senders import RECORDS, TRACES, Sender, wait_a_moment
from tests.waiting import eventually

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(400)]

SIZE = 256 * MIB
OUTAGE = 8.0
"""Seconds."""
BACK = 10.0
"""Seconds after which everything is accepted again."""
SENDERS = {**TRACES, **RECORDS}
PORTS = {"datagram", "signed", "otlp-port", "logs-port", "metrics-port"}
"""Without an answer, without a key, or a second port of a receiver that is tried."""
DEFERRED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}


@dataclass
class Client:
    """Sends one trace at a time by each receiver. A method says whether it was acknowledged; anything but
    that or a request to retry later is an error."""

    server: Server
    acknowledged: list[str] = field(default_factory=list)
    deferred: int = 0

    def put_trace_segments(self) -> bool:
        trace = _new_trace()
        body = {"TraceSegmentDocuments": [document("x-ray", trace, time.time())]}
        return self._note(trace, self._post("/TraceSegments", json.dumps(body).encode()))

    def otlp_http(self) -> bool:
        trace = _new_trace()
        body = _spans(trace)
        return self._note(trace, self._post("/v1/traces", body.SerializeToString()))

    def otlp_grpc(self) -> bool:
        trace = _new_trace()
        with grpc.insecure_channel(self.server.grpc) as channel:
            call = TraceServiceStub(channel).Export.future(_spans(trace), timeout=60)  # type: ignore[no-untyped-call]
            code = call.code()
        assert code in {grpc.StatusCode.OK, *DEFERRED}, (code, call.details())
        return self._note(trace, code == grpc.StatusCode.OK)

    def others(self, send: Callable[[Sender], None]) -> bool:
        """By a further receiver, always the same: whether it is found is the business of its own tests."""
        sender = Sender(self.server, "", {"token": "none"}, "disk", "", wait_a_moment())
        try:
            send(sender)
            return True
        except urllib.error.HTTPError as error:
            refusal: object = error.code
        except grpc.RpcError as error:
            refusal = error.code()
        assert refusal in {503, *DEFERRED}, refusal
        self.deferred += 1
        return False

    @property
    def receivers(self) -> dict[str, Callable[[], bool]]:
        further = {name: send for name, send in SENDERS.items() if name not in PORTS}
        return {
            **{name: partial(self.others, send) for name, send in further.items()},
            "PutTraceSegments": self.put_trace_segments,
            "OTLP HTTP": self.otlp_http,
            "OTLP gRPC": self.otlp_grpc,
        }

    def _post(self, path: str, body: bytes) -> bool:
        media = "application/json" if body.startswith(b"{") else "application/x-protobuf"
        message = urllib.request.Request(self.server.http + path, body, {"Content-Type": media})
        try:
            with urllib.request.urlopen(message, timeout=60) as answer:
                status, said = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, said = error.code, error.read()
        assert status in (200, 503), (path, status, said)
        assert b"ErrorCode" not in said, (path, said)
        return bool(status == 200)

    def _note(self, trace: str, acknowledged: bool) -> bool:
        if acknowledged:
            self.acknowledged.append(trace)
        else:
            self.deferred += 1
        return acknowledged


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path, SIZE) as disk:
        yield disk


@pytest.fixture
def server(disk: SmallDisk) -> Iterator[Server]:
    running = start_server(disk.folder)
    yield running
    disk.free()
    if running.process.poll() is None:
        stop_server(running)


def test_a_full_disk_defers_and_ends_nothing(disk: SmallDisk, server: Server) -> None:
    """Acknowledged is found, as ever; deferred is accepted once there is space."""
    client = Client(server)
    for send in client.receivers.values():
        eventually(send)
    before = {name: child.pid for name, child in children(server).items()}

    disk.fill()
    full = time.monotonic()
    for name, send in client.receivers.items():
        eventually(partial(_defers, disk, send), f"{name} defers")
    unready = False
    while time.monotonic() < full + OUTAGE or not unready:
        disk.fill()
        for send in client.receivers.values():
            send()
        unready = unready or status_of(server, "/readyz") == 503
        assert status_of(server, "/metrics") == 200
        time.sleep(0.1)
    deferred = client.deferred
    assert {name: child.pid for name, child in children(server).items()} == before, log_of(server)

    disk.free()
    freed = time.monotonic()
    back = {}
    for name, send in client.receivers.items():
        eventually(send, f"{name} accepts again")
        back[name] = round(time.monotonic() - freed, 1)
    assert max(back.values()) <= BACK, back
    eventually(lambda: status_of(server, "/readyz") == 200, "it is ready")
    eventually(lambda: not _missing(server, client.acknowledged), "acknowledged is found")
    found = time.monotonic() - freed
    print(f"{disk.kind}: deferred {deferred}, accepting after {back} s, ", end="")
    print(f"acknowledged and found {len(client.acknowledged)} after {found:.1f} s")
    assert {name: child.pid for name, child in children(server).items()} == before, log_of(server)
    assert stop_server(server) == 0


def test_what_dies_while_the_disk_is_full_comes_back(disk: SmallDisk, server: Server) -> None:
    """Though it cannot start until there is space, however often that is tried."""
    client = Client(server)
    for send in client.receivers.values():
        eventually(send)
    disk.fill()
    killed = children(server)
    for child in killed.values():
        child.kill()

    def has_been_tried_often() -> bool:
        disk.fill()
        assert server.process.poll() is None, log_of(server)
        said = log_of(server)
        return max(said.count(f"{name} cannot start: ") for name in killed) > MAX_DEATHS

    eventually(has_been_tried_often, "a child fails more often than others may", seconds=120)
    disk.free()
    for name, send in client.receivers.items():
        eventually(send, f"{name} accepts again", ignore=(OSError, AssertionError))
    eventually(
        lambda: not _missing(server, client.acknowledged),
        "acknowledged is found",
        ignore=(OSError,),
    )
    print(f"{disk.kind}: {log_of(server).count('cannot start: ')} starts failed")
    assert stop_server(server) == 0


def _new_trace() -> str:
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def _spans(trace: str) -> ExportTraceServiceRequest:
    start = time.time_ns()
    one = span(
        SERVER,
        trace_id=bytes.fromhex(trace[2:].replace("-", "")),
        parent=b"",
        start_time_unix_nano=start,
        end_time_unix_nano=start + MILLISECOND,
    )
    return request(one, resource={"service.name": "otlp"})


def _defers(disk: SmallDisk, send: Callable[[], bool]) -> bool:
    """With a disk that is full now: ClickHouse may have removed files meanwhile."""
    disk.fill()
    return not send()


def _missing(server: Server, traces: list[str]) -> set[str]:
    found: set[str] = set()
    for at in range(0, len(traces), 5):
        answer = server.post("/Traces", {"TraceIds": traces[at : at + 5]})
        found |= {trace["Id"] for trace in answer["Traces"]}
    return set(traces) - found

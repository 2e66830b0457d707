"""Authentication of gRPC calls, on a real receiver."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from collector._pb import segments_pb2
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.grpc import GrpcReceiver
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.grpc import AuthInterceptor, address_of
from raymap.auth.keys import KeyRing
from raymap.auth.permissions import Role
from store.memory import MemoryStore
from tests.collector.samples import segment_bytes, segment_service
from tests.raymap.auth.test_http import KEYS, MASTER, REVOKED, RING, FixedKeys


def run(
    folder: Path,
    talk: Callable[[Any], Awaitable[None]],
    mode: Mode = Mode.ON,
    ring: KeyRing | None = RING,
    audit: MemoryStore | None = None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Talk to a receiver that requires keys."""
    pipeline = IngestPipeline(MemoryStore(), folder, metrics=IngestMetrics(_registry()))
    authenticator = Authenticator(mode, FixedKeys(ring), MASTER, clock=clock)
    interceptor = AuthInterceptor(authenticator, audit=audit)

    async def whole() -> None:
        receiver = GrpcReceiver(pipeline, "127.0.0.1", 0, interceptors=[interceptor])
        address = await receiver.start()
        async with grpc.aio.insecure_channel(address) as channel:
            await talk(channel)
        await receiver.stop(1.0)

    pipeline.start()
    try:
        asyncio.run(whole())
    finally:
        pipeline.stop()


def _registry() -> Any:
    from prometheus_client import CollectorRegistry

    return CollectorRegistry()


async def outcomes(channel: Any, metadata: tuple[tuple[str, str], ...]) -> list[str]:
    """The codes of OTLP's export and of PutSegments."""
    codes = []
    put = segments_pb2.PutSegmentsRequest(documents=[segment_bytes(f"{1:016x}")])
    for call, request in (
        (TraceServiceStub(channel).Export, ExportTraceServiceRequest()),  # type: ignore[no-untyped-call]
        (segment_service(channel).PutSegments, put),
    ):
        try:
            await call(request, metadata=metadata)
            codes.append("OK")
        except grpc.aio.AioRpcError as error:
            codes.append(error.code().name)
    return codes


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ((("authorization", f"Bearer {KEYS[Role.INGEST].token}"),), "OK"),
        ((("x-api-key", KEYS[Role.ADMIN].token),), "OK"),
        ((("x-api-key", KEYS[Role.VIEWER].token),), "PERMISSION_DENIED"),
        ((("authorization", f"Bearer {REVOKED.token}"),), "UNAUTHENTICATED"),
        ((("authorization", "Bearer x"),), "UNAUTHENTICATED"),
        ((("authorization-bin", b"x"),), "UNAUTHENTICATED"),
        ((), "UNAUTHENTICATED"),
    ],
)
def test_calls(tmp_path: Path, metadata: Any, code: str) -> None:
    async def talk(channel: Any) -> None:
        assert await outcomes(channel, metadata) == [code, code]

    run(tmp_path, talk)


def test_refused_authorisation_is_in_the_audit_log_once_a_minute(tmp_path: Path) -> None:
    """As over HTTP: of those who are known, with the address and the method."""
    store, now = MemoryStore(), [1_900_000_000.0]
    viewer = (("x-api-key", KEYS[Role.VIEWER].token),)

    async def talk(channel: Any) -> None:
        for later in (0, 1, 61):
            now[0] = 1_900_000_000.0 + later
            assert await outcomes(channel, viewer) == ["PERMISSION_DENIED"] * 2
        assert await outcomes(channel, ()) == ["UNAUTHENTICATED"] * 2

    run(tmp_path, talk, audit=store, clock=lambda: now[0])
    export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    assert [
        (e.at / 1e6 - 1_900_000_000, e.actor, e.via, e.address, e.action, e.target, e.outcome)
        for e in store.read_audit(before=1 << 62, limit=100)
    ] == [
        (later, "the viewer", "token", "127.0.0.1", "access", export, "refused")
        for later in (61, 0)
    ]


def test_what_is_admitted_anyway_was_not_refused(tmp_path: Path) -> None:
    store = MemoryStore()

    async def talk(channel: Any) -> None:
        viewer = (("x-api-key", KEYS[Role.VIEWER].token),)
        assert await outcomes(channel, viewer) == ["OK", "OK"]

    run(tmp_path, talk, Mode.INGEST_WARN, audit=store)
    assert list(store.read_audit(before=1 << 62, limit=100)) == []


def test_health_needs_no_key_and_unknown_methods_are_unknown(tmp_path: Path) -> None:
    async def talk(channel: Any) -> None:
        await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await channel.unary_unary("/no.Such/Method")(
                b"", metadata=(("x-api-key", KEYS[Role.INGEST].token),)
            )
        assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED

    run(tmp_path, talk)


def test_ingest_warn_and_unknown_keys(tmp_path: Path) -> None:
    async def accepted(channel: Any) -> None:
        assert await outcomes(channel, ()) == ["OK", "OK"]

    async def unavailable(channel: Any) -> None:
        assert await outcomes(channel, (("x-api-key", "any"),)) == ["UNAVAILABLE"] * 2

    run(tmp_path / "warn", accepted, Mode.INGEST_WARN)
    run(tmp_path / "none", unavailable, ring=None)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:127.0.0.1:4317", "127.0.0.1"),
        ("ipv6:%5B::1%5D:4317", "::1"),
        ("ipv6:[fe80::1%25eth0]:4317", "fe80::1%eth0"),
        ("unix:", ""),
    ],
)
def test_the_address_of_a_peer(peer: str, address: str) -> None:
    assert address_of(peer) == address

"""Authentication of gRPC calls, on a real receiver."""

from __future__ import annotations

import asyncio
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
from raymap.auth.grpc import AuthInterceptor
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
) -> None:
    """Talk to a receiver that requires keys."""
    pipeline = IngestPipeline(MemoryStore(), folder, metrics=IngestMetrics(_registry()))
    interceptor = AuthInterceptor(Authenticator(mode, FixedKeys(ring), MASTER))

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

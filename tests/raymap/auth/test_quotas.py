"""Limits of keys: exceeded by one request at most, refused politely, and over when they should be."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import httpx
import pytest
from fastapi import FastAPI
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from prometheus_client import CollectorRegistry

from collector.metrics import IngestMetrics
from collector.payloads import decode_documents
from collector.pipeline import IngestPipeline
from collector.receivers.grpc import GrpcReceiver
from collector.receivers.http_routers import http_routers
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.grpc import AuthInterceptor
from raymap.auth.http import AuthGuard
from raymap.auth.keys import KeyRing, issue_key
from raymap.auth.limits import KeyLimits
from raymap.auth.permissions import Role
from raymap.auth.quotas import Exceeded, Quota, Quotas
from store.memory import MemoryStore
from tests.collector.otlp_samples import export, span
from tests.collector.samples import segment_bytes
from tests.raymap.auth.test_http import FixedKeys

MASTER = b"m" * 32


class Clock:
    now = 1_900_000_000.0 // 86_400 * 86_400  # a midnight

    def __call__(self) -> float:
        return self.now


def brought(count: int, name: str = "a") -> list[bytes]:
    return [segment_bytes(f"{number + 1:016x}", name=name) for number in range(count)]


def quota(clock: Clock, **limits: float) -> Quota:
    return Quota(KeyLimits(**limits), clock)  # type: ignore[arg-type]


def refusal(of: Quota) -> tuple[str, int]:
    with pytest.raises(Exceeded) as error:
        of.check()
    return error.value.limit, error.value.wait


def test_documents_per_second() -> None:
    clock = Clock()
    of = quota(clock, documents_per_second=10)
    of.charge(decode_documents(brought(90), 1))
    of.check()  # a burst of ten seconds
    of.charge(decode_documents(brought(60), 1))
    assert refusal(of) == ("documents", 6)
    clock.now += 5.5
    of.check()
    clock.now += 3600
    of.charge(decode_documents(brought(99), 1))
    of.check()


@pytest.mark.parametrize("count", [1, 40])
def test_new_names_per_minute(count: int) -> None:
    clock = Clock()
    clock.now += 15
    of = quota(clock, names_per_minute=3)
    for name in ("a", "b", "a", "b", "a"):
        of.charge(decode_documents(brought(count, name), 1))
        of.check()
    of.charge(decode_documents(brought(count, "c"), 1))
    assert refusal(of) == ("names", 45)
    clock.now += 45
    for name in ("a", "b", "c"):
        of.charge(decode_documents(brought(count, name), 1))
        of.check()


def test_bytes_per_day() -> None:
    clock = Clock()
    clock.now += 82_800
    of = quota(clock, bytes_per_day=1000)
    of.charge(decode_documents(brought(20), 1))
    assert refusal(of) == ("bytes", 3600)
    clock.now += 3600
    of.check()


def test_quotas_are_by_key_and_limits() -> None:
    quotas, clock, limits = Quotas(), Clock(), KeyLimits(documents_per_second=1)
    assert quotas.of("A", None, clock) is None
    first = quotas.of("A", limits, clock)
    assert quotas.of("A", limits, clock) is first
    assert quotas.of("B", limits, clock) is not first
    assert quotas.of("A", KeyLimits(documents_per_second=2), clock) is not first


@pytest.mark.parametrize("path", ["/TraceSegments", "/v1/traces"])
def test_http(path: str, tmp_path: Path) -> None:
    """429 before the body is read, with the time to wait; reading is not limited."""
    issued = issue_key("k", Role.ADMIN, MASTER, now=1, limits=KeyLimits(documents_per_second=0.1))
    other = issue_key("o", Role.ADMIN, MASTER, now=1)
    clock = Clock()
    authenticator = Authenticator(
        Mode.ON, FixedKeys(KeyRing([issued.key, other.key])), MASTER, clock=clock
    )
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=metrics)
    pipeline.start()
    app = FastAPI()
    for router in http_routers(pipeline):
        app.include_router(router)

    async def talk() -> None:
        transport = httpx.ASGITransport(AuthGuard(app, authenticator))
        async with httpx.AsyncClient(transport=transport, base_url="http://r") as client:

            async def put(token: str) -> httpx.Response:
                headers = {"authorization": f"Bearer {token}"}
                if path == "/v1/traces":
                    headers["content-type"] = "application/x-protobuf"
                    return await client.post(
                        path, content=export(span(), span(id=2)), headers=headers
                    )
                documents = [segment_bytes().decode(), segment_bytes("00000000000000a2").decode()]
                body = {"TraceSegmentDocuments": documents}
                return await client.post(path, json=body, headers=headers)

            assert (await put(issued.token)).status_code == 200
            refused = await put(issued.token)
            assert refused.status_code == 429
            assert refused.headers["retry-after"] == "20"
            assert "limit of documents" in refused.text
            assert (await put(other.token)).status_code == 200
            clock.now += 20
            assert (await put(issued.token)).status_code == 200

    asyncio.run(talk())
    pipeline.stop()


def test_grpc(tmp_path: Path) -> None:
    issued = issue_key("k", Role.INGEST, MASTER, now=1, limits=KeyLimits(documents_per_second=0.1))
    authenticator = Authenticator(Mode.ON, FixedKeys(KeyRing([issued.key])), MASTER, clock=Clock())
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=metrics)
    pipeline.start()

    async def talk() -> None:
        receiver = GrpcReceiver(
            pipeline, "127.0.0.1", 0, interceptors=[AuthInterceptor(authenticator)]
        )
        address = await receiver.start()
        async with grpc.aio.insecure_channel(address) as channel:
            call = channel.unary_unary(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
            )
            metadata = (("authorization", f"Bearer {issued.token}"),)
            await call(export(span(), span(id=2)), metadata=metadata)
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await call(export(span()), metadata=metadata)
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        trailing = dict(error.value.trailing_metadata())
        status = Status.FromString(trailing["grpc-status-details-bin"])
        wait = RetryInfo()
        assert status.details[0].Unpack(wait)
        assert wait.retry_delay.seconds == 20
        await receiver.stop(1)

    asyncio.run(talk())
    pipeline.stop()

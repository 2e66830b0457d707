"""The HTTP receiver through httpx and boto3, over a real server."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from collector.decode.item_size import DEFAULT
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.http import create_router, install_error_handler
from collector.settings import READ_TIMEOUT, HttpLimits
from store.memory import MemoryStore
from tests.collector.samples import TRACE_ID, segment_bytes, segment_json
from tests.http_server import serve
from tests.xray_client import xray_client

MAX_BODY = 100_000


def create_app(pipeline: IngestPipeline, **limits: Any) -> FastAPI:
    app = FastAPI()
    app.include_router(create_router(pipeline, HttpLimits(max_body=MAX_BODY, **limits)))
    install_error_handler(app)
    return app


@pytest.fixture
def app(pipeline: IngestPipeline) -> FastAPI:
    return create_app(pipeline)


@pytest.fixture
def url(app: FastAPI) -> Iterator[str]:
    """Where the app is served."""
    with serve(app) as url:
        yield url


def put(*documents: bytes) -> bytes:
    """The body of PutTraceSegments."""
    return json.dumps({"TraceSegmentDocuments": [d.decode() for d in documents]}).encode()


def stored(memory: MemoryStore) -> int:
    """Stored documents."""
    return sum(len(trace.documents) for trace in memory._traces.values())


def document_of(size: int, id: str) -> bytes:
    """A segment of so many bytes."""
    short = segment_bytes(id, metadata={"prompt": {"text": ""}})
    return short.replace(b'"text": ""', b'"text": "%s"' % (b"x" * (size - len(short))), 1)


def test_a_document_may_have_a_mebibyte(pipeline: IngestPipeline, memory: MemoryStore) -> None:
    """X-Ray's 64 kB are not ours; one byte more is refused alone, and what is stored is whole."""
    app = FastAPI()
    app.include_router(create_router(pipeline, HttpLimits()))
    sent = [document_of(DEFAULT + more, f"{number:016x}") for number, more in enumerate((0, 1), 1)]
    assert [len(each) for each in sent] == [1 << 20, (1 << 20) + 1]
    with serve(app) as url:
        answer = xray_client(url).put_trace_segments(
            TraceSegmentDocuments=[each.decode() for each in sent]
        )
    (refused,) = answer["UnprocessedTraceSegments"]
    assert refused["Message"] == (
        "the document has 1,048,577 bytes, at most 1,048,576 are taken (--max-document-size)"
    )
    (trace,) = memory._traces.values()
    (document,) = trace.documents.values()
    assert document.raw == sent[0]


def test_put_trace_segments_through_boto3(url: str, memory: MemoryStore) -> None:
    """One bad document never fails the batch; the response comes once the others are durable."""
    client = xray_client(url)
    answer = client.put_trace_segments(
        TraceSegmentDocuments=[
            segment_bytes("00000000000000a1").decode(),
            segment_bytes("00000000000000a2", trace_id="1-x").decode(),
            "[]",
            segment_bytes("00000000000000a3").decode(),
        ]
    )
    assert stored(memory) == 2
    first, second = answer["UnprocessedTraceSegments"]
    assert (first["Id"], first["ErrorCode"]) == ("00000000000000a2", "InvalidTraceId")
    assert "24 hex digits" in first["Message"]
    assert second["ErrorCode"] == "MissingId"
    assert "Id" not in second
    assert answer["ResponseMetadata"]["RequestId"]
    answer = client.put_telemetry_records(
        TelemetryRecords=[{"Timestamp": 1_795_560_000, "SegmentsReceivedCount": 3}]
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(client.exceptions.InvalidRequestException, match="larger"):
        client.put_trace_segments(TraceSegmentDocuments=["x" * MAX_BODY])


def test_more_than_fifty_documents(url: str, memory: MemoryStore) -> None:
    """X-Ray stops at 50; here the bytes are the bound."""
    body = put(*[segment_bytes(f"{id:016x}") for id in range(1, 301)])
    assert httpx.post(url + "/TraceSegments", content=body).json() == {
        "UnprocessedTraceSegments": []
    }
    assert stored(memory) == 300


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/TraceSegments", b""),
        ("/TraceSegments", b"{}"),
        ("/TraceSegments", b"nonsense"),
        ("/TraceSegments", b"[]"),
        ("/TraceSegments", b'{"TraceSegmentDocuments": "x"}'),
        ("/TraceSegments", b'{"TraceSegmentDocuments": [{}]}'),
        ("/TraceSegments", b'{"TraceSegmentDocuments": ["\xff"]}'),
        ("/TraceSegments", b"[" * 10_000),
        ("/TelemetryRecords", b""),
        ("/TelemetryRecords", b'{"TelemetryRecords": [{}]}'),
        ("/TelemetryRecords", b'{"TelemetryRecords": 5}'),
    ],
)
def test_wrong_shape(url: str, path: str, body: bytes) -> None:
    """400 in X-Ray's form."""
    answer = httpx.post(url + path, content=body)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "InvalidRequestException"
    assert answer.headers["x-amzn-requestid"]
    assert answer.json()["__type"] == "InvalidRequestException"
    assert answer.json()["Message"]


def test_import(url: str, memory: MemoryStore) -> None:
    """Traces as BatchGetTraces returns them; each document has its own fate."""
    trace = {
        "Id": TRACE_ID,
        "Segments": [
            {"Id": "a1", "Document": segment_bytes("00000000000000a1").decode()},
            {"Id": "a2", "Document": segment_bytes("00000000000000a2", inferred=True).decode()},
            {"Id": "a3", "Document": segment_json("00000000000000a3", name=None)},
        ],
    }
    answer = httpx.post(url + "/api/traces", json={"Traces": [trace]}).json()
    assert answer == {
        "stored": 1,
        "skipped_inferred": 1,
        "rejected": [
            {
                "id": "00000000000000a3",
                "code": "MissingName",
                "message": "name: missing or empty",
            }
        ],
        "rejected_count": 1,
    }
    assert stored(memory) == 1
    lines = json.dumps(trace) + "\n" + json.dumps(trace)
    assert httpx.post(url + "/api/traces", content=lines).json()["stored"] == 2
    bad = httpx.post(url + "/api/traces", content=f"nonsense\n{json.dumps(trace)}").json()
    assert (bad["stored"], bad["rejected_count"]) == (1, 2), "one bad line costs no neighbour"


@pytest.mark.parametrize("content", [b"", b"nonsense", b'{"a": 1}', b"\x82\x21", b"[1, 2]"])
def test_an_import_of_something_else_is_refused(
    url: str, memory: MemoryStore, content: bytes
) -> None:
    answer = httpx.post(url + "/api/traces", content=content)
    assert answer.status_code == 400
    assert "expected traces as BatchGetTraces returns them" in answer.json()["Message"]


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/x-thrift", 415),
        ("application/vnd.apache.thrift.binary", 415),
        ("application/x-protobuf", 415),
        ("application/json; charset=utf-8", 200),
        ("application/x-ndjson", 200),
        ("application/x-www-form-urlencoded", 200),
    ],
)
def test_the_media_types_of_an_import(url: str, media: str, status: int) -> None:
    """Jaeger's clients post thrift to this path, and must not take it for stored."""
    answer = httpx.post(
        url + "/api/traces", content=segment_bytes(), headers={"Content-Type": media}
    )
    assert answer.status_code == status
    assert status == 200 or "content-type: expected application/json" in answer.json()["Message"]


def test_an_import_has_no_parameters(url: str) -> None:
    answer = httpx.post(url + "/api/traces?format=jaeger.thrift", content=segment_bytes())
    assert answer.status_code == 400
    assert answer.json()["Message"] == "unknown parameter 'format'; this path has none"


def test_gzip(url: str, memory: MemoryStore) -> None:
    """Packed bodies are taken, and broken ones named."""
    headers = {"Content-Encoding": "gzip"}
    encoded = gzip.compress(put(segment_bytes()))
    assert httpx.post(url + "/TraceSegments", content=encoded, headers=headers).status_code == 200
    assert stored(memory) == 1
    for broken in (b"nonsense", encoded[:-12], b""):
        answer = httpx.post(url + "/TraceSegments", content=broken, headers=headers)
        assert answer.status_code == 400
    headers = {"Content-Encoding": "br"}
    answer = httpx.post(url + "/TraceSegments", content=encoded, headers=headers)
    assert answer.status_code == 415


def test_gzip_bomb(url: str) -> None:
    """Refused once it has unpacked to the bound, at no greater cost."""
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < MAX_BODY
    answer = httpx.post(url + "/api/traces", content=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert answer.json()["__type"] == "InvalidRequestException"


def test_a_gigabyte(app: FastAPI) -> None:
    """Said to be one, or streamed without a word: refused after the bound, never read whole."""
    pieces = 0

    async def gigabyte() -> AsyncIterator[bytes]:
        nonlocal pieces
        for _ in range(1000):
            pieces += 1
            yield bytes(1_000_000)

    async def ask() -> tuple[int, int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            streamed = await client.post("/TraceSegments", content=gigabyte())
            declared = await client.post(
                "/TraceSegments", content=b"x", headers={"Content-Length": "1000000000"}
            )
        return streamed.status_code, declared.status_code

    assert asyncio.run(ask()) == (413, 413)
    assert pieces <= 2


def test_slow_sender(pipeline: IngestPipeline) -> None:
    """A body that trickles in is given up after the timeout."""
    with serve(create_app(pipeline, read_timeout=0.5)) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        started = time.monotonic()
        with socket.create_connection((host, int(port)), timeout=READ_TIMEOUT) as sender:
            head = b"POST /TraceSegments HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
            sender.sendall(head + b"{")
            assert sender.recv(65_536).startswith(b"HTTP/1.1 408 ")
        assert 0.3 < time.monotonic() - started < READ_TIMEOUT


def test_sender_that_disconnects(url: str, memory: MemoryStore) -> None:
    """Nothing is stored of half a body, and the server goes on."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as sender:
        sender.sendall(b"POST /TraceSegments HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    answer = httpx.post(url + "/TraceSegments", content=put(segment_bytes()))
    assert answer.status_code == 200
    assert stored(memory) == 1


@pytest.mark.slow
def test_too_many_documents(url: str, metrics: IngestMetrics) -> None:
    """413 before any is decoded; fewer are accepted, their rejections named up to 100 and counted."""
    few = b'{"TraceSegmentDocuments": [' + b",".join([b'""'] * 20_000) + b"]}"
    many = few.replace(b"[", b'["",')
    answer = httpx.post(url + "/TraceSegments", content=many)
    assert answer.status_code == 413
    assert "20,000 documents" in answer.json()["Message"]
    assert metrics.snapshot()["received"] == 0
    answer = httpx.post(url + "/TraceSegments", content=few, timeout=30)
    assert answer.status_code == 200
    assert len(answer.json()["UnprocessedTraceSegments"]) == 100
    assert answer.json()["UnprocessedCount"] == 20_000
    one = b"[" + segment_bytes() + b"," + b"1," * 500 + b"1]"
    answer = httpx.post(url + "/api/traces", content=one)
    assert len(answer.json()["rejected"]) == 100
    assert (answer.json()["rejected_count"], answer.json()["stored"]) == (501, 1)


def test_no_room(tmp_path: Path, metrics: IngestMetrics) -> None:
    """With the journal full the sender is requested to retry."""
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=metrics, journal_bytes=10)
    pipeline.start()
    app = FastAPI()
    app.include_router(create_router(pipeline))
    install_error_handler(app)

    async def ask(path: str, body: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(path, content=body)

    answer = asyncio.run(ask("/TraceSegments", put(segment_bytes())))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["__type"] == "ServiceUnavailableException"
    answer = asyncio.run(ask("/api/traces", segment_bytes()))
    assert answer.status_code == 503
    assert answer.json()["__type"] == "ServiceUnavailableException"
    pipeline.stop(2.0)

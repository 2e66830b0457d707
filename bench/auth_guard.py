"""What the guard adds to a request, by itself: in this process, around apps that do nothing.

And the requests themselves, as senders of each kind make them.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.documents import Documents
from bench.spans import Requests
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.grpc import AuthInterceptor
from raymap.auth.http import AuthGuard
from raymap.auth.key_source import KeySource
from raymap.auth.keys import ACCESS_KEY_PREFIX, ID_LENGTH, TOKEN_PREFIX, secret_access_key
from store.memory import MemoryStore

MASTER = "the secret of servers that are measured"
_ID = "A" * ID_LENGTH
TOKEN = f"{TOKEN_PREFIX}{_ID.lower()}_of-servers-that-are-measured"
"""The same in every process: senders run in their own."""
BEARER = f"Bearer {TOKEN}"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
OTLP_HTTP, OTLP_GRPC = "OTLP/HTTP, token", "OTLP/gRPC, token"
XRAY_TOKEN, XRAY_SIGNED = "PutTraceSegments, token", "PutTraceSegments, signed"
RECEIVERS = (OTLP_HTTP, OTLP_GRPC, XRAY_TOKEN, XRAY_SIGNED)


def bodies_of(receiver: str, size: int) -> Iterator[bytes]:
    """Requests, each with documents or spans of its own."""
    if receiver in (OTLP_HTTP, OTLP_GRPC):
        requests = Requests(size)
        while True:
            yield requests.next()
    documents = Documents(escaped=True)
    while True:
        raw = b",".join(document for _, document in documents.take(size))
        yield b'{"TraceSegmentDocuments":[' + raw + b"]}"


def path_of(receiver: str) -> str:
    return "/v1/traces" if receiver == OTLP_HTTP else "/TraceSegments"


def headers_of(receiver: str, address: str, body: bytes, has_key: bool) -> dict[str, str]:
    """What a sender of this kind adds to a request."""
    kind = "application/x-protobuf" if receiver == OTLP_HTTP else "application/json"
    headers = {"Content-Type": kind}
    if not has_key:
        return headers
    if receiver != XRAY_SIGNED:
        return {**headers, "Authorization": BEARER}
    request = AWSRequest("POST", f"http://{address}{path_of(receiver)}", headers, body)
    secret = secret_access_key(MASTER.encode(), _ID)
    credentials = Credentials(ACCESS_KEY_PREFIX + _ID, secret)
    SigV4Auth(credentials, "xray", "eu-west-1").add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


async def guard_cost(receiver: str, size: int, repeats: int = 400) -> float:
    """Microseconds that the guard adds to a request, in this process: the least of five series."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        keys.write_text(json.dumps([{"name": "bench", "role": "admin", "token": TOKEN}]))
        source = KeySource(MemoryStore().read_configuration, Path(folder), keys)
        authenticator = Authenticator(Mode.ON, source, MASTER.encode())
    series = _grpc_series if receiver == OTLP_GRPC else _http_series
    costs = [await series(receiver, size, authenticator, repeats) for _ in range(5)]
    return min(costs) * 1e6


async def _http_series(
    receiver: str, size: int, authenticator: Authenticator, repeats: int
) -> float:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    bodies = bodies_of(receiver, size)
    requests = [_scope(receiver, next(bodies)) for _ in range(repeats)]
    guarded = AuthGuard(app, authenticator)
    return await _passed(requests, guarded) - await _passed(requests, app)


def _scope(receiver: str, body: bytes) -> tuple[dict[str, Any], bytes]:
    path = path_of(receiver)
    headers = {"Host": "127.0.0.1", **headers_of(receiver, "127.0.0.1", body, has_key=True)}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    place = {"path": path, "raw_path": path.encode(), "query_string": b""}
    return {"type": "http", "method": "POST", "headers": raw, "client": None, **place}, body


async def _passed(requests: list[tuple[dict[str, Any], bytes]], app: Any) -> float:
    """Seconds of this thread's processor time for a request."""
    begun = time.thread_time()
    for scope, body in requests:

        async def receive(body: bytes = body) -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        await app(dict(scope), receive, None)
    return (time.thread_time() - begun) / len(requests)


async def _grpc_series(
    receiver: str, size: int, authenticator: Authenticator, repeats: int
) -> float:
    interceptor = AuthInterceptor(authenticator)
    metadata = (("user-agent", "grpc"), ("authorization", BEARER))
    details: Any = SimpleNamespace(method=EXPORT, invocation_metadata=metadata)

    async def handler(_: Any) -> None:
        return None

    begun = time.thread_time()
    for _ in range(repeats):
        await interceptor.intercept_service(handler, details)
    return (time.thread_time() - begun) / repeats

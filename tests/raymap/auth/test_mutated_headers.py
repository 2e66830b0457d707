"""Damaged credentials are refused, whatever they look like: never a 5xx, and never anyone else's request.

`RAYMAP_TEST_CASES=1000000` tries as many; the default is a few thousand. `python -m bench.auth_fuzz` does so through
the whole app.
"""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bench.auth_fuzz import mutate
from raymap.auth import sigv4
from raymap.auth.authenticator import Authenticator, Mode, token_of
from raymap.auth.http import AuthGuard
from raymap.auth.keys import KeyRing, issue_key
from raymap.auth.permissions import Role
from tests.raymap.auth.test_http import FixedKeys
from tests.tiers import cases

CASES = cases(3000, "RAYMAP_TEST_CASES")
MASTER = b"m" * 32
ISSUED = issue_key("k", Role.ADMIN, MASTER, now=1)
OTHER = issue_key("o", Role.ADMIN, MASTER, now=1)
KEYS = FixedKeys(KeyRing([ISSUED.key, OTHER.key]))
REFUSED = {400, 401, 403, 408, 413}
BODY = b'{"TraceSegmentDocuments": []}'
Headers = list[tuple[bytes, bytes]]


async def accept(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("in")(scope, receive, send)


def signed() -> tuple[str, Headers, float]:
    """A valid signature, the other headers of its request, and when it was made."""
    request = AWSRequest("POST", "http://raymap/TraceSegments", data=BODY)
    credentials = Credentials(ISSUED.key.access_key_id, ISSUED.secret_access_key)
    SigV4Auth(credentials, "xray", "eu-west-1").add_auth(request)
    given = {name.lower(): value for name, value in request.headers.items()}
    authorization = given.pop("authorization")
    date = given["x-amz-date"]
    headers = [
        (name.encode(), value.encode()) for name, value in {**given, "host": "raymap"}.items()
    ]
    return authorization, headers, sigv4._seconds(date)


def basic() -> str:
    return "Basic " + base64.b64encode(f"any:{ISSUED.token}".encode()).decode()


def status_of(guard: AuthGuard, headers: Headers) -> int:
    """The answer's status, by the plain protocol: a client would refuse to send most of these."""
    scope: Scope = {
        "type": "http", "method": "POST", "path": "/TraceSegments", "raw_path": b"/TraceSegments",
        "query_string": b"", "headers": headers, "client": ("192.0.2.7", 1), "http_version": "1.1",
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    run(guard(scope, receive, send))
    return int(sent[0]["status"])


def run(work: Any) -> None:
    """A coroutine that never waits, or on an event loop if it does."""
    try:
        work.send(None)
    except StopIteration:
        return
    pytest.fail("it waits")


@pytest.mark.parametrize(
    "make",
    [lambda: f"Bearer {ISSUED.token}", basic, lambda: signed()[0]],
    ids=["bearer", "basic", "signature"],
)
def test_mutated_credentials(make: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raymap.auth.http.asyncio.timeout", lambda _: _NoTimeout())
    random = Random(7)
    authorization, others, now = signed()
    original = authorization if make().startswith("AWS4-") else make()
    authenticator = Authenticator(Mode.ON, KEYS, MASTER, clock=lambda: now)
    guard = AuthGuard(accept, authenticator)
    found: Counter[int] = Counter()
    for _ in range(CASES):
        text = mutate(original, random)
        headers = [*others, (b"authorization", text.encode("latin-1", "replace"))]
        status = status_of(guard, headers)
        found[status] += 1
        if status == 200:  # the same credentials, written in another way
            assert _means_the_same(text, others, now), text
    assert found.keys() <= {200, *REFUSED}, found
    assert found[401] > CASES * 0.8


class _NoTimeout:
    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None


def _means_the_same(text: str, others: Headers, now: float) -> bool:
    if not sigv4.is_signed(text):
        return token_of({"authorization": text}) == ISSUED.token
    given, original = (sigv4.parse(each, others, now) for each in (text, signed()[0]))
    return given.access_key_id == original.access_key_id and len(given.signature) == 64


def test_mutated_requests_of_a_valid_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every signed header counts: a change of one is noticed, unless it is only of spaces around it."""
    random = Random(8)
    authorization, others, now = signed()
    guard = AuthGuard(accept, Authenticator(Mode.ON, KEYS, MASTER, clock=lambda: now))
    monkeypatch.setattr("raymap.auth.http.asyncio.timeout", lambda _: _NoTimeout())
    for _ in range(CASES // 10):
        place = random.randrange(len(others))
        name, value = others[place]
        changed = mutate(value.decode(), random)
        headers = [*others, (b"authorization", authorization.encode())]
        headers[place] = (name, changed.encode("latin-1", "replace"))
        status = status_of(guard, headers)
        same = " ".join(changed.split()) == value.decode()
        assert status in REFUSED or (status == 200 and (same or name not in SIGNED)), (
            name,
            changed,
        )


SIGNED = {b"host", b"x-amz-date"}


def test_the_signature_as_it_was() -> None:
    """What the others mutate is accepted."""
    authorization, others, now = signed()
    guard = AuthGuard(accept, Authenticator(Mode.ON, KEYS, MASTER, clock=lambda: now))

    async def talk() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": BODY, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Scope = {
            "type": "http", "method": "POST", "path": "/TraceSegments", "raw_path": b"/TraceSegments",
            "query_string": b"", "client": ("192.0.2.7", 1), "http_version": "1.1",
            "headers": [*others, (b"authorization", authorization.encode())],
        }  # fmt: skip
        await guard(scope, receive, send)
        return sent

    assert asyncio.run(talk())[0]["status"] == 200

"""Damaged credentials against the real app, in this process: no answer may be a 5xx, however a request looks.

    python -m bench.auth_fuzz [--requests 1000000] [--seed 1]

Tokens, user and password, cookies, share links and signatures are mutated, and with signed requests their
method, path, query, headers and body, too; each goes through the whole stack, from the check of its host to
the route. Prints the rate, statuses by kind, and what the slowest took; exits with 1 if an answer was a 5xx
or none came.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.types import ASGIApp, Scope

from api.app import create_app
from api.context import DEFAULT_THRESHOLDS
from raymap.auth.audit import AuditTrail
from raymap.auth.audit_routes import audit_router
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.http import AuthGuard
from raymap.auth.key_source import KeySource
from raymap.auth.keys import IssuedKey, issue_key, put_key
from raymap.auth.people import COOKIE, User, begin_session, encode_session, put_user
from raymap.auth.permissions import Role
from raymap.auth.share_grants import TraceGrant
from raymap.auth.share_routes import shares_router
from raymap.auth.shares import encode_share, new_share, share_key
from raymap.auth.sign_in import sign_in_router
from raymap.http_guard import HttpGuard
from raymap.logging import set_up_logging
from store.memory import MemoryStore

MASTER = b"the secret of a server that is fuzzed"
TRACE = "6926f00d" + "a" * 24
BODY = b'{"TimeRangeType":"Event","StartTime":1,"EndTime":2}'
ALPHABET = [
    *map(chr, range(32, 127)), "\x00", "\t", "\xe9", "\xff", "=", ",", "/", ";", "%", "AWS4-", "Bearer ",
    "AWS4-HMAC-SHA256 ", "Credential=", "\r\n", "0" * 300, "%00", "%ff",
]  # fmt: skip
SLOWEST = 5


class Case(NamedTuple):
    """A request, and by which kind of credentials it comes."""

    kind: str
    method: str
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


def mutate(text: str, random: Random) -> str:
    """One to four changes: a character replaced, added, removed, a part moved, doubled or cut off."""
    for _ in range(random.randint(1, 4)):
        at, end = sorted(random.randint(0, len(text)) for _ in range(2))
        match random.randrange(6):
            case 0:
                text = text[:at] + random.choice(ALPHABET) + text[at + 1 :]
            case 1:
                text = text[:at] + random.choice(ALPHABET) + text[at:]
            case 2:
                text = text[:at] + text[end:]
            case 3:
                text = text[end:] + text[:end]
            case 4:
                text = text[:end] + text[at:]
            case _:
                text = text[:at] + text[at:].swapcase()
    return text


def build(folder: Path) -> tuple[ASGIApp, IssuedKey, str, str]:
    """The app of `raymap api` over a store in memory, a key of an administrator, a share link, and
    the cookie of someone who has signed in."""
    store = MemoryStore()
    issued = issue_key("fuzz", Role.ADMIN, MASTER, now=1)
    user = User("ana", Role.EDITOR, "no hash: no one signs in here", 1)
    store.change_configuration([put_key(issued.key), put_user(user)], after=0, at=1)
    source = KeySource(store.read_configuration, folder)
    source.refresh()
    authenticator = Authenticator(Mode.ON, source, MASTER)
    routers = [
        shares_router(store, authenticator, source.refresh, DEFAULT_THRESHOLDS),
        sign_in_router(store, authenticator, source.refresh),
        audit_router(store),
    ]
    app = create_app(store, version="fuzz", extra_routers=routers)
    guarded = HttpGuard(AuthGuard(AuditTrail(app, store), authenticator), frozenset({"raymap"}))
    share = new_share(TraceGrant(TRACE), 24, time.time())
    cookie = encode_session(begin_session(user, time.time()), MASTER)
    return guarded, issued, encode_share(share, share_key(MASTER, "")), cookie


class Requests:
    """Random requests around valid ones."""

    def __init__(self, issued: IssuedKey, share: str, session: str, seed: int) -> None:
        self._random, self._issued = Random(seed), issued
        basic = base64.b64encode(f"any:{issued.token}".encode()).decode()
        self._plain = (
            ("token", "authorization", f"Bearer {issued.token}"),
            ("x-api-key", "x-api-key", issued.token),
            ("password", "authorization", f"Basic {basic}"),
            ("share link", "authorization", f"Bearer {share}"),
            ("cookie", "cookie", f"{COOKIE}={session}; other=1"),
        )
        self._signed = self._sign()
        self._left = 0

    def next(self) -> Case:
        random = self._random
        if random.random() < 0.5:
            return self._signed_case()
        kind, name, value = random.choice(self._plain)
        header = (name.encode(), _bytes(mutate(value, random)))
        path, query = (b"/api/traces/" + TRACE.encode(), b"") if kind == "share link" else PLACE
        return Case(kind, "GET", path, query, [(b"host", b"raymap"), header], b"")

    def _signed_case(self) -> Case:
        """Half of them with another Authorization; of the others one part, which the signature covers."""
        random = self._random
        if self._left == 0:  # signatures last five minutes
            self._signed, self._left = self._sign(), 10_000
        self._left -= 1
        case = self._signed
        headers = list(case.headers)
        part = random.randrange(8)
        if part >= 4:
            return case._replace(
                kind="signature", headers=_changed(headers, b"authorization", random)
            )
        kind = "signed request"
        match part:
            case 0:
                name = random.choice(headers)[0]
                return case._replace(kind=kind, headers=_changed(headers, name, random))
            case 1:
                return case._replace(kind=kind, body=_bytes(mutate(case.body.decode(), random)))
            case 2:
                path = _bytes("/" + mutate(case.path.decode()[1:], random))
                return case._replace(kind=kind, path=path)
            case _:
                return case._replace(kind=kind, query=_bytes(mutate("a=1&b=%20", random)))

    def _sign(self) -> Case:
        key = self._issued
        request = AWSRequest("POST", "http://raymap/TraceSummaries", data=BODY)
        credentials = Credentials(key.key.access_key_id, key.secret_access_key)
        SigV4Auth(credentials, "xray", "eu-west-1").add_auth(request)
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        pairs = [(n.encode(), v.encode()) for n, v in {**headers, "host": "raymap"}.items()]
        return Case("signed request", "POST", b"/TraceSummaries", b"", pairs, BODY)


PLACE = (b"/api/v1/shares", b"")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _changed(
    headers: list[tuple[bytes, bytes]], name: bytes, random: Random
) -> list[tuple[bytes, bytes]]:
    """With a mutation of one header, which is sometimes missing or there twice."""
    changed = []
    for key, value in headers:
        if key != name:
            changed.append((key, value))
            continue
        fate = random.random()
        if fate > 0.02:
            changed.append((key, _bytes(mutate(value.decode("latin-1"), random))))
        if fate > 0.98:
            changed.append((key, value))
    return changed


async def answer(app: ASGIApp, case: Case) -> int:
    """The status, by the plain protocol: a client, or a server in between, would refuse most of these."""
    try:
        path = case.path.decode()
    except UnicodeDecodeError:
        path = case.path.decode("latin-1")
    scope: Scope = {
        "type": "http", "method": case.method, "path": path, "raw_path": case.path, "scheme": "http",
        "query_string": case.query, "headers": case.headers, "client": ("192.0.2.7", 1),
        "server": ("127.0.0.1", 2000), "http_version": "1.1", "asgi": {"version": "3.0"}, "root_path": "",
    }  # fmt: skip
    statuses: list[int] = []
    sent = False

    async def receive() -> Any:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()  # the client stays
        sent = True
        return {"type": "http.request", "body": case.body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0] if statuses else 0


async def fuzz(app: ASGIApp, requests: Requests, count: int) -> int:
    """Print what became of so many requests; the number that must not be."""
    statuses: Counter[tuple[str, int]] = Counter()
    slowest: list[float] = []
    bad = 0
    begun = time.perf_counter()
    for number in range(1, count + 1):
        case = requests.next()
        before = time.perf_counter()
        try:
            status = await answer(app, case)
        except Exception:
            traceback.print_exc()
            status = 599
        slowest.append(time.perf_counter() - before)
        statuses[case.kind, status] += 1
        if status >= 500 or status == 0:
            bad += 1
            if bad <= 10:
                print(f"{status}: {case}", flush=True)
        if number % 100_000 == 0:
            print(f"{number:>9,} in {time.perf_counter() - begun:,.0f} s", flush=True)
    seconds = time.perf_counter() - begun
    slowest.sort()
    print(
        f"{count:,} requests in {seconds:,.1f} s: {count / seconds:,.0f}/s, {bad} answered by 5xx or not at all"
    )
    share = slowest[int(len(slowest) * 0.999)]
    print(
        f"p99.9 {share * 1e3:.2f} ms, slowest "
        + ", ".join(f"{each * 1e3:.1f}" for each in slowest[-SLOWEST:][::-1])
        + " ms"
    )
    for kind in sorted({kind for kind, _ in statuses}):
        found = {status: n for (each, status), n in sorted(statuses.items()) if each == kind}
        print(f"  {kind:<15} " + ", ".join(f"{status}: {n:,}" for status, n in found.items()))
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    set_up_logging("error")  # each refusal is a warning
    with tempfile.TemporaryDirectory(prefix="raymap-fuzz-") as folder:
        app, issued, share, session = build(Path(folder))
        requests = Requests(issued, share, session, options.seed)
        return int(asyncio.run(fuzz(app, requests, options.requests)) > 0)


if __name__ == "__main__":
    sys.exit(main())

"""From the headers of a request to who sent it.

Whatever is wrong with a credential, the response is the same; the reason is in the metrics and, at
most once a minute, in the log.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import NamedTuple, Protocol

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter

from collector.log_limiter import LogLimiter
from raymap.auth import sigv4
from raymap.auth.keys import Key, KeyRing, secret_access_key
from raymap.auth.people import (
    PROXY_GROUPS,
    PROXY_USER,
    People,
    TrustedProxies,
    decode_session,
    is_member,
    user_of,
)
from raymap.auth.permissions import Permission, Role, allows
from raymap.auth.quotas import Exceeded, Quota, Quotas, limited

log = LogLimiter(structlog.get_logger(__name__), 60.0)

MAX_CREDENTIAL = 4096
"""Characters of a header that is worth reading."""


class Mode(StrEnum):
    """``ingest-warn`` accepts traces without a valid key, and says so: senders are given theirs one
    after the other. Everything else needs one, as with ``on``."""

    OFF = "off"
    INGEST_WARN = "ingest-warn"
    ON = "on"


class Principal(NamedTuple):
    """Who sent a request. ``name`` is a key's, or a person's; ``via`` is how it was proved; ``quota``
    what limits a key."""

    name: str
    role: Role
    via: str
    quota: Quota | None = None


class AuthError(Exception):
    """A refused request: HTTP status, an error code as AWS names it, a sentence, and after how many
    seconds it may be repeated, if that is known."""

    def __init__(
        self, status: int, code: str, message: str, reason: str, retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status
        self.code = code
        self.message = message
        self.reason = reason


class Directory(Protocol):
    """Where the known keys and people come from."""

    def ring(self) -> KeyRing | None:
        """The newest keys; None until any have been read."""
        ...

    def people(self) -> People:
        """The newest users and sign-outs."""
        ...


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers."""

    method: str
    raw_path: bytes
    query: bytes
    headers: sigv4.Headers
    body: bytes


@cache
def refusals(registry: CollectorRegistry = REGISTRY) -> Counter:
    return Counter(
        "raymap_auth_refused",
        "Requests refused: missing, unknown, expired, revoked, forbidden, and what was wrong with a signature",
        ["reason"],
        registry=registry,
    )


@cache
def admitted_anyway(registry: CollectorRegistry = REGISTRY) -> Counter:
    return Counter(
        "raymap_auth_warned",
        "Requests with traces that --auth on would have refused",
        ["reason"],
        registry=registry,
    )


@dataclass
class Authenticator:
    """Decides on requests. ``master`` is the server's secret (`raymap.auth.secret`)."""

    mode: Mode
    directory: Directory
    master: bytes
    proxies: TrustedProxies = field(default_factory=lambda: TrustedProxies(""))
    clock: Callable[[], float] = time.time
    _quotas: Quotas = field(default_factory=Quotas)
    _seen: sigv4.SeenSignatures = field(default_factory=sigv4.SeenSignatures)

    def authorize(self, principal: Principal, permission: Permission) -> None:
        """Raises AuthError if the principal may not do this."""
        if not allows(principal.role, permission):
            raise AuthError(
                403,
                "AccessDenied",
                f"this needs a key that may {permission}; yours has the role {principal.role}",
                "forbidden",
            )
        if permission is Permission.INGEST and principal.quota is not None:
            try:
                principal.quota.check()
            except Exceeded as exceeded:
                limited().labels(exceeded.limit).inc()
                raise over_limit(exceeded) from None

    def by_headers(self, headers: Mapping[str, str]) -> Principal | None:
        """The principal of the token in the headers, if there is one. Raises AuthError.

        Names in lower case: Authorization (Bearer, or Basic with the token as the password),
        x-api-key, x-amz-firehose-access-key.
        """
        token = token_of(headers)
        if token is None:
            return None
        return self._accept(self._ring().by_token(token[:MAX_CREDENTIAL]), "token")

    def by_proxy(self, client: str, headers: Mapping[str, str]) -> Principal | None:
        """Whom a trusted proxy names. From anywhere else its headers mean nothing."""
        user = headers.get(PROXY_USER, "").strip()[:MAX_CREDENTIAL]
        if not user or not self.proxies.trusts(client):
            return None
        return Principal(user, self.proxies.role_of(headers.get(PROXY_GROUPS, "")), "proxy")

    def by_cookie(self, cookie: str) -> Principal | None:
        """Whose session a cookie is; None for one that has ended, or is not ours."""
        session = decode_session(cookie[:MAX_CREDENTIAL], self.master)
        people, now = self.directory.people(), self.clock()
        if session is not None and session.role is not None:
            member = is_member(session, people, now)
            return Principal(session.user, session.role, "oidc") if member else None
        user = session and user_of(session, people, now)
        return Principal(user.name, user.role, "session") if user else None

    def parse_signature(self, headers: sigv4.Headers, authorization: str) -> sigv4.Credential:
        """The claim of a signed request, whose key is known: reading its body is worth while.

        Raises AuthError.
        """
        try:
            credential = sigv4.parse(authorization[:MAX_CREDENTIAL], headers, self.clock())
        except sigv4.InvalidSignature as error:
            raise invalid(error.reason) from None
        self._accept(self._ring().by_access_key(credential.access_key_id), "signature")
        return credential

    def by_signature(self, credential: sigv4.Credential, request: SignedRequest) -> Principal:
        """Who signed a request. Raises AuthError."""
        key = self._ring().by_access_key(credential.access_key_id)
        principal = self._accept(key, "signature")
        assert key is not None
        try:
            sigv4.verify(
                credential,
                secret_access_key(self.master, key.id),
                method=request.method,
                raw_path=request.raw_path,
                query=request.query,
                headers=request.headers,
                body=request.body,
            )
        except sigv4.InvalidSignature as error:
            raise invalid(error.reason) from None
        if not self._seen.admit(credential, self.clock()):
            raise invalid("replayed")
        return principal

    def admits_anyway(self, permission: Permission, error: AuthError) -> bool:
        """Whether a request that fails with ``error`` is accepted with a warning, which is counted."""
        tolerated = (
            self.mode is Mode.INGEST_WARN
            and permission in (Permission.INGEST, Permission.SAMPLE)
            and error.status in (401, 403, 503)  # not for a body that could not be read
        )
        if tolerated:
            admitted_anyway().labels(error.reason).inc()
            log.warning("ingest_without_valid_key", key=error.reason, reason=error.reason)
        return tolerated

    def refused(self, error: AuthError, client: str) -> None:
        """Count a refusal."""
        refusals().labels(error.reason).inc()
        log.warning("request_refused", key=error.reason, reason=error.reason, client=client)

    def _ring(self) -> KeyRing:
        ring = self.directory.ring()
        if ring is None:
            raise AuthError(
                503,
                "ServiceUnavailable",
                "the keys have not been read from the database yet; try again",
                "keys_unavailable",
                retry_after=1,
            )
        return ring

    def _accept(self, key: Key | None, via: str) -> Principal:
        if key is None:
            raise invalid("unknown")
        if reason := key.refusal(self.clock()):
            raise invalid(reason)
        return Principal(key.name, key.role, via, self._quotas.of(key.id, key.limits, self.clock))


def token_of(headers: Mapping[str, str]) -> str | None:
    """The token that headers carry; None if they carry none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value.strip()[:MAX_CREDENTIAL])
    return headers.get("x-api-key") or headers.get("x-amz-firehose-access-key")


def missing() -> AuthError:
    """The refusal of a request without credentials."""
    message = (
        "this server needs a key: Authorization: Bearer, x-api-key, or an AWS signature; "
        "people sign in"
    )
    return AuthError(401, "MissingAuthenticationToken", message, "missing")


def invalid(reason: str) -> AuthError:
    """The refusal of credentials. The response does not tell what is wrong with them."""
    return AuthError(401, "UnrecognizedClient", "the credentials are not accepted", reason)


def over_limit(exceeded: Exceeded) -> AuthError:
    """The refusal of a key that has exceeded a limit."""
    message = f"the key has exceeded its limit of {exceeded.limit}; try again in {exceeded.wait} s"
    return AuthError(429, "ThrottledException", message, "limited", exceeded.wait)


def _password(encoded: str) -> str:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[2]

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
from typing import NamedTuple, Protocol

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter

from collector.allowed_senders import AllowedSenders
from collector.charges import Sender
from collector.log_limiter import LogLimiter
from collector.payloads import Decoded
from raymap.auth import shares as share_links
from raymap.auth import sigv4
from raymap.auth.datagrams import sends_datagrams
from raymap.auth.errors import (
    AuthError,
    beyond_link,
    invalid,
    invalid_link,
    over_limit,
    unread,
)
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
from raymap.auth.share_grants import Requested, permits
from raymap.auth.shares import Share, Shares
from raymap.auth.tenants import NoTenant, Tenant, Tenants, choose
from store.once import once

log = LogLimiter(structlog.get_logger(__name__), 60.0)

MAX_CREDENTIAL = 4096
"""Characters of a header that is worth reading."""
MAX_LINK = 16_384
"""Characters of a share link's token, which contains a filter."""


class Mode(StrEnum):
    """``ingest-warn`` accepts traces without a valid key, and says so: senders are given theirs one
    after the other. Everything else needs one, as with ``on``."""

    OFF = "off"
    INGEST_WARN = "ingest-warn"
    ON = "on"


UNVERIFIED = Sender("unverified", "unverified")
"""Senders whose credentials have not been checked yet, or are missing."""


class Principal(NamedTuple):
    """Who sent a request. ``name`` is a key's, or a person's; ``via`` is how it was proved; ``quotas``
    limit a key, and its tenant. The holder of a ``share`` link is unknown, and may read nothing beyond
    it. ``tenant``: whose data it is about, None for the default tenant's."""

    name: str
    role: Role
    via: str
    quotas: tuple[Quota, ...] = ()
    share: Share | None = None
    tenant: Tenant | None = None

    @property
    def tenant_name(self) -> str:
        """Empty for the default tenant."""
        return self.tenant.name if self.tenant else ""

    @property
    def sender(self) -> Sender:
        """Whose share of the budget the request takes."""
        return Sender(self.tenant_name, f"{self.via} {self.name}")

    @property
    def charge(self) -> Callable[[Decoded], None] | None:
        """What counts the documents of the request, if anything limits them."""
        return self._charge if self.quotas else None

    def _charge(self, decoded: Decoded) -> None:
        for quota in self.quotas:
            quota.charge(decoded)


class Directory(Protocol):
    """Where the known keys and people come from."""

    def ring(self) -> KeyRing | None:
        """The newest keys; None until any have been read."""
        ...

    def people(self) -> People:
        """The newest users and sign-outs."""
        ...

    def shares(self) -> Shares | None:
        """Which share links are void; None until that has been read."""
        ...

    def tenants(self) -> Tenants | None:
        """The tenants; None until they have been read."""
        ...


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers."""

    method: str
    raw_path: bytes
    query: bytes
    headers: sigv4.Headers
    body: bytes


@once
def refusals(registry: CollectorRegistry = REGISTRY) -> Counter:
    return Counter(
        "raymap_auth_refused",
        "Requests refused: missing, unknown, expired, revoked, forbidden, and what was wrong with a signature",
        ["reason"],
        registry=registry,
    )


@once
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
    datagram_senders: AllowedSenders | None = None
    clock: Callable[[], float] = time.time
    _quotas: Quotas = field(default_factory=Quotas)
    _seen: sigv4.SeenSignatures = field(default_factory=sigv4.SeenSignatures)

    def authorize(
        self, principal: Principal, permission: Permission, requested: Requested | None = None
    ) -> None:
        """Raises AuthError if the principal may not do this: ``requested`` of HTTP, None of gRPC."""
        if principal.share is not None and not (
            requested and permits(principal.share.grant, requested)
        ):
            raise beyond_link()
        if not allows(principal.role, permission):
            raise AuthError(
                403,
                "AccessDenied",
                f"this needs a key that may {permission}; yours has the role {principal.role}",
                "forbidden",
            )
        if permission is Permission.INGEST:
            try:
                for quota in principal.quotas:
                    quota.check()
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
        if token.startswith(share_links.TOKEN_PREFIX):
            return self._by_share(token)
        return self._accept(self._ring().by_token(token[:MAX_CREDENTIAL]), "token")

    def by_proxy(self, client: str, headers: Mapping[str, str]) -> Principal | None:
        """Whom a trusted proxy names. From anywhere else its headers mean nothing. Raises AuthError."""
        user = headers.get(PROXY_USER, "").strip()[:MAX_CREDENTIAL]
        if not user or not self.proxies.trusts(client):
            return None
        groups = headers.get(PROXY_GROUPS, "")
        found = Principal(user, self.proxies.role_of(groups), "proxy")
        try:
            tenant = choose(self._tenants(), self.proxies.tenant_of(groups))
        except NoTenant:
            raise invalid("tenant") from None
        return self._in_tenant(found, id=tenant.id if tenant else "")

    def by_address(self, client: str, headers: Mapping[str, str]) -> Principal | None:
        """An SDK that sends datagrams from there may ask what to sample, without a key as well."""
        known = sends_datagrams(self.datagram_senders, client, headers)
        return Principal("datagrams", Role.INGEST, "address") if known else None

    def by_cookie(self, cookie: str) -> Principal | None:
        """Whose session a cookie is; None for one that has ended, or is not ours. Raises AuthError."""
        session = decode_session(cookie[:MAX_CREDENTIAL], self.master)
        people, now = self.directory.people(), self.clock()
        if session is not None and session.role is not None:
            member = is_member(session, people, now)
            found = Principal(session.user, session.role, "oidc")
            return self._in_tenant(found, id=session.tenant) if member else None
        user = session and user_of(session, people, now)
        if not user:
            return None
        return self._in_tenant(Principal(user.name, user.role, "session"), name=user.tenant)

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
        """Whether a request that fails with ``error`` is accepted with a warning, which is counted.

        It is then the default tenant's. Where there are others, a credential that is not accepted may be
        one of theirs, and only a request without any is.
        """
        tenants = self.directory.tenants()
        shared = tenants is not None and bool(tenants.active or tenants.deleted)
        tolerated = (
            self.mode is Mode.INGEST_WARN
            and permission in (Permission.INGEST, Permission.SAMPLE)
            and error.status in (401, 403, 503)  # not for a body that could not be read
            and (error.reason == "missing" or not shared)
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
            raise unread()
        return ring

    def _tenants(self) -> Tenants:
        tenants = self.directory.tenants()
        if tenants is None:
            raise unread()
        return tenants

    def _by_share(self, token: str) -> Principal:
        """The holder of a share link, who may read no more than it grants."""
        shares = self.directory.shares()
        if shares is None:
            raise unread()
        key = share_links.share_key(self.master, shares.generation)
        share = share_links.decode_share(token[:MAX_LINK], key)
        if reason := share_links.refusal(share, shares, self.clock()):
            raise invalid_link(reason)
        assert share is not None
        found = Principal(f"link {share.id}", Role.VIEWER, "share", share=share)
        return self._in_tenant(found, id=share.tenant)

    def _accept(self, key: Key | None, via: str) -> Principal:
        if key is None:
            raise invalid("unknown")
        if reason := key.refusal(self.clock()):
            raise invalid(reason)
        quota = self._quotas.of(key.id, key.limits, self.clock)
        found = Principal(key.name, key.role, via, (quota,) if quota else ())
        return self._in_tenant(found, name=key.tenant)

    def quota_of(self, tenant: Tenant) -> Quota | None:
        """What limits all senders of a tenant together, in this process."""
        return self._quotas.of(f"tenant {tenant.id}", tenant.limits, self.clock)

    def _in_tenant(self, principal: Principal, *, name: str = "", id: str = "") -> Principal:
        """The principal in the tenant of a name or an id. Raises AuthError when it is no more."""
        if not name and not id:
            return principal
        tenants = self._tenants()
        tenant = tenants.active.get(name) if name else tenants.by_id(id)
        if tenant is None:
            raise invalid("tenant")
        quota = self.quota_of(tenant)
        quotas = (*principal.quotas, quota) if quota else principal.quotas
        return principal._replace(tenant=tenant, quotas=quotas)


def token_of(headers: Mapping[str, str]) -> str | None:
    """The token that headers carry; None if they carry none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value.strip()[:MAX_CREDENTIAL])
    return headers.get("x-api-key") or headers.get("x-amz-firehose-access-key")


def _password(encoded: str) -> str:
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[2]

"""AWS Signature Version 4: verifies requests that AWS SDKs, the CLI and daemons sign.

The canonical request is AWS's ("Create a signed AWS API request", IAM User Guide), with the path
encoded twice as for every service except S3. Requests whose signature is in the query (presigned) or
does not cover the body are refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICES = frozenset({"xray", "application-signals"})
"""As which clients sign what this server answers."""
MAX_SKEW = 300.0
"""Seconds between a signature's date and our clock."""
REPEATABLE = 5.0
"""Seconds in which a signature is accepted again. Equal requests of one second have equal signatures,
and clients do send them: two polls, or a retry at once."""
REMEMBERED = 200_000
"""Signatures that are remembered at most."""
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Credential=([^/,\s]{{1,128}})/(\d{{8}})/([\w-]{{1,64}})/([\w-]{{1,64}})/aws4_request,"
    r"\s*SignedHeaders=([a-z0-9;_.-]{1,2048}),\s*Signature=([0-9a-f]{64})"
)

_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)

Headers = Sequence[tuple[bytes, bytes]]
"""As ASGI gives them: names in lower case."""


class InvalidSignature(Exception):
    """A request is not signed as it should be; ``reason`` is a label for metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Credential(NamedTuple):
    """A parsed Authorization header, with the request's date."""

    access_key_id: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str
    signed_at: float
    """Seconds since the epoch."""

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def is_signed(authorization: str) -> bool:
    """Whether an Authorization header claims to be a signature of AWS's."""
    return authorization.startswith("AWS4-")


def parse(authorization: str, headers: Headers, now: float) -> Credential:
    """The credential of a request, before anything of it is trusted. Raises InvalidSignature."""
    match = _AUTHORIZATION.fullmatch(authorization.strip())
    if match is None:
        raise InvalidSignature("malformed")
    access_key_id, day, region, service, signed, signature = match.groups()
    names = tuple(signed.split(";"))
    amz_date = _header(headers, "x-amz-date")
    if service not in SERVICES:
        raise InvalidSignature("service")
    if "host" not in names or "x-amz-date" not in names or list(names) != sorted(set(names)):
        raise InvalidSignature("malformed")
    signed_at = _seconds(amz_date)
    if not amz_date.startswith(day):
        raise InvalidSignature("malformed")
    if abs(now - signed_at) > MAX_SKEW:
        raise InvalidSignature("skew")
    return Credential(access_key_id, day, region, service, names, signature, amz_date, signed_at)


def verify(
    credential: Credential,
    secret: str,
    *,
    method: str,
    raw_path: bytes,
    query: bytes,
    headers: Headers,
    body: bytes,
) -> None:
    """Compare the signature with the one that ``secret`` makes. Raises InvalidSignature."""
    digest = hashlib.sha256(body).hexdigest()
    if _header(headers, "x-amz-content-sha256") not in ("", digest):
        raise InvalidSignature("payload")
    canonical = "\n".join(
        (
            method,
            _canonical_path(raw_path),
            _canonical_query(query),
            *(f"{name}:{_canonical_value(headers, name)}" for name in credential.signed_headers),
            "",
            ";".join(credential.signed_headers),
            digest,
        )
    )
    if not hmac.compare_digest(signature(credential, secret, canonical), credential.signature):
        raise InvalidSignature("signature")


def signature(credential: Credential, secret: str, canonical_request: str) -> str:
    """The signature of a canonical request, in hex."""
    key = _signing_key(secret, credential.scope)
    hashed = hashlib.sha256(canonical_request.encode("utf-8", "surrogateescape")).hexdigest()
    to_sign = "\n".join((ALGORITHM, credential.amz_date, credential.scope, hashed))
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


@lru_cache(maxsize=1024)
def _signing_key(secret: str, scope: str) -> bytes:
    """The same for all requests of a key on one day to one region."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class SeenSignatures:
    """Signatures that were accepted, so that a request cannot be sent again by who overheard it.

    Of this process only: a replay to another is refused once its date is older than `MAX_SKEW`.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, credential: Credential, now: float) -> bool:
        """Remember a valid signature; False if it was used before and is not fresh any more."""
        with self._lock:
            while self._seen and (
                len(self._seen) >= self._most or next(iter(self._seen.values())) < now
            ):
                self._seen.popitem(last=False)
            if credential.signature in self._seen:
                return now - credential.signed_at <= REPEATABLE
            self._seen[credential.signature] = now + 2 * MAX_SKEW
            return True


def _seconds(amz_date: str) -> float:
    match = _DATE.fullmatch(amz_date)
    if match is None:
        raise InvalidSignature("malformed")
    try:
        return datetime(*map(int, match.groups()), tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]
    except ValueError:
        raise InvalidSignature("malformed") from None


def _header(headers: Headers, name: str) -> str:
    return ",".join(_values(headers, name))


def _values(headers: Headers, name: str) -> Iterable[str]:
    wanted = name.encode()
    return (value.decode("latin-1") for key, value in headers if key == wanted)


def _canonical_value(headers: Headers, name: str) -> str:
    """Values joined, each without surrounding and repeated spaces."""
    return ",".join(" ".join(value.split()) for value in _values(headers, name))


def _canonical_path(raw_path: bytes) -> str:
    return quote(raw_path.decode("latin-1") or "/", safe="/~")


def _canonical_query(query: bytes) -> str:
    """As it was sent, sorted: SDKs encode a query before they sign it."""
    pairs = (part.partition("=") for part in query.decode("latin-1").split("&") if part)
    return "&".join(f"{key}={value}" for key, value in sorted((k, v) for k, _, v in pairs))

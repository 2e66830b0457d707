"""Signatures that botocore makes are accepted; anything changed afterwards is not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from raymap.auth import sigv4
from raymap.auth.sigv4 import InvalidSignature, SeenSignatures

SECRET = "s" * 40
NOW = 1_900_000_000.0
URL = "http://raymap.example:2000"


def signed(
    method: str = "POST",
    path: str = "/TraceSegments",
    body: bytes = b"{}",
    *,
    secret: str = SECRET,
    service: str = "xray",
    at: float = NOW,
    token: str | None = None,
    **headers: str,
) -> dict[str, Any]:
    """The arguments of `parse` and `verify` for a request that botocore signs."""
    request = AWSRequest(method=method, url=URL + path, data=body, headers=headers)
    with patch("botocore.auth.get_current_datetime") as now:
        now.return_value = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
        SigV4Auth(Credentials("RMAKAAAA", secret, token), service, "eu-west-1").add_auth(request)
    prepared = request.prepare()
    location, _, query = prepared.url.removeprefix(URL).partition("?")
    sent = [("host", "raymap.example:2000"), *prepared.headers.items()]
    return {
        "method": method,
        "raw_path": location.encode(),
        "query": query.encode(),
        "headers": [
            (k.lower().encode(), v if isinstance(v, bytes) else str(v).encode()) for k, v in sent
        ],
        "body": body,
    }


def header(request: dict[str, Any], name: str) -> str:
    return str(dict(request["headers"])[name.encode()].decode())


def check(request: dict[str, Any], now: float = NOW, secret: str = SECRET) -> sigv4.Credential:
    credential = sigv4.parse(header(request, "authorization"), request["headers"], now)
    sigv4.verify(credential, secret, **request)
    return credential


def refused(request: dict[str, Any], now: float = NOW, secret: str = SECRET) -> str:
    with pytest.raises(InvalidSignature) as refusal:
        check(request, now, secret)
    return refusal.value.reason


def test_what_botocore_signs() -> None:
    credential = check(signed())
    assert credential.access_key_id == "RMAKAAAA"
    assert credential.region == "eu-west-1"
    assert credential.signed_at == NOW


def test_application_signals_are_signed_as_a_service_of_their_own() -> None:
    assert check(signed(path="/service", service="application-signals")).service == (
        "application-signals"
    )
    assert refused(signed(service="s3")) == "service"


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    segments=st.lists(st.text("abc é+%&=~._-:@!", min_size=1, max_size=6), max_size=3),
    query=st.dictionaries(
        st.text("ab é+&=/", min_size=1, max_size=5), st.text("ab é+&=/", max_size=5), max_size=3
    ),
    body=st.binary(max_size=40),
    value=st.text("abc  ,;", max_size=10).map(str.strip),
)
def test_any_request(
    method: str, segments: list[str], query: dict[str, str], body: bytes, value: str
) -> None:
    names = [s for s in segments if s not in (".", "..")]
    path = "/" + "/".join(quote(name, safe="~") for name in names)
    if query:
        path += "?" + urlencode(query, quote_via=quote)
    headers: dict[str, Any] = {"x-amz-meta": value} if value else {}
    check(signed(method, path, body, **headers))


def test_a_session_token_is_part_of_what_is_signed() -> None:
    request = signed(token="session")
    check(request)
    headers = [(k, b"other" if k == b"x-amz-security-token" else v) for k, v in request["headers"]]
    assert refused({**request, "headers": headers}) == "signature"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": "PUT"}, "signature"),
        ({"raw_path": b"/TraceSummaries"}, "signature"),
        ({"query": b"a=1"}, "signature"),
        ({"body": b'{"more":1}'}, "signature"),
    ],
)
def test_what_was_changed_on_the_way(change: dict[str, Any], reason: str) -> None:
    assert refused({**signed(), **change}) == reason


def test_another_secret() -> None:
    assert refused(signed(), secret="t" * 40) == "signature"


def test_another_host() -> None:
    request = signed()
    headers = [(k, b"other:2000" if k == b"host" else v) for k, v in request["headers"]]
    assert refused({**request, "headers": headers}) == "signature"


@pytest.mark.parametrize(
    ("offset", "accepted"), [(299, True), (301, False), (-299, True), (-301, False)]
)
def test_skew(offset: float, accepted: bool) -> None:
    request = signed()
    if accepted:
        check(request, NOW + offset)
    else:
        assert refused(request, NOW + offset) == "skew"


def test_another_service() -> None:
    assert refused(signed(service="s3")) == "service"


def test_an_unsigned_payload() -> None:
    request = signed()
    request["headers"].append((b"x-amz-content-sha256", b"UNSIGNED-PAYLOAD"))
    assert refused(request) == "payload"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/20300317/r/xray/aws4_request",
        "AWS4-ECDSA-P256-SHA256 Credential=a/20300317/r/xray/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=a/20300317/r/xray/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + "g" * 64,
        "AWS4-HMAC-SHA256 Credential=a/20300317/r/xray/aws4_request, SignedHeaders=x-amz-date, Signature=" + "0" * 64,
        "AWS4-HMAC-SHA256 Credential=a/20300317/r/xray/aws4_request, SignedHeaders=x-amz-date;host, Signature=" + "0" * 64,
        "AWS4-HMAC-SHA256 Credential=a/20300318/r/xray/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64,
    ],
)  # fmt: skip
def test_malformed(authorization: str) -> None:
    with pytest.raises(InvalidSignature) as refusal:
        sigv4.parse(authorization, signed()["headers"], NOW)
    assert refusal.value.reason == "malformed"


@given(st.text(max_size=300), st.binary(max_size=40))
def test_any_header(text: str, date: bytes) -> None:
    """Only InvalidSignature, whatever is sent."""
    start = "AWS4-HMAC-SHA256 Credential=a/20300317/r/xray/aws4_request, "
    for authorization in (text, "AWS4-HMAC-SHA256 " + text, start + text):
        with pytest.raises(InvalidSignature):
            sigv4.parse(authorization, [(b"x-amz-date", date)], NOW)


def test_replays() -> None:
    """Equal requests of one second have one signature, and both are meant; a later one is a replay."""
    seen, credential = SeenSignatures(), check(signed())
    assert seen.admit(credential, NOW)
    assert seen.admit(credential, NOW + 1)
    assert not seen.admit(credential, NOW + 60)
    assert not seen.admit(credential, NOW + 299)


def test_seen_signatures_are_bounded() -> None:
    seen, credential = SeenSignatures(most=3), check(signed())
    for number in range(10):
        assert seen.admit(credential._replace(signature=str(number)), NOW)
    assert len(seen._seen) == 3
    assert seen.admit(credential._replace(signature="new"), NOW + 3600)
    assert len(seen._seen) == 1

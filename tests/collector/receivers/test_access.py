"""Who may deliver records."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Request

from collector.receivers.access import PRINCIPAL, AccessKey

HEADER = "x-amz-firehose-access-key"


def refusal(key: str, given: str | None, host: str = "10.0.0.1", **scope: Any) -> str | None:
    headers = [] if given is None else [(HEADER.encode(), given.encode())]
    request = Request({"type": "http", "headers": headers, "client": (host, 1), **scope})
    return AccessKey(key, HEADER).refusal(request)


@pytest.mark.parametrize(
    ("key", "given", "host", "accepted"),
    [
        ("secret", "secret", "10.0.0.1", True),
        ("secret", "secre", "10.0.0.1", False),
        ("secret", "", "127.0.0.1", False),
        ("secret", None, "127.0.0.1", False),
        ("", None, "127.0.0.1", True),
        ("", None, "::1", True),
        ("", None, "::ffff:127.0.0.1", True),
        ("", "any", "10.0.0.1", False),
        ("", None, "", False),
    ],
)
def test_keys_and_addresses(key: str, given: str | None, host: str, accepted: bool) -> None:
    assert (refusal(key, given, host) is None) is accepted


def test_an_authenticated_sender_needs_no_further_key() -> None:
    assert refusal("secret", "token", **{PRINCIPAL: "someone"}) is None
    assert refusal("", None, **{PRINCIPAL: "someone"}) is None
    absent: dict[str, Any] = {PRINCIPAL: None}
    assert refusal("", None, **absent)

"""Senders come again after a moment when there was no room, and on another connection after other refusals."""

from __future__ import annotations

import pytest

from collector.receivers.refusals import refusal_headers


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (400, {}),
        (503, {"Retry-After": "1"}),
        (401, {"Connection": "close"}),
        (408, {"Connection": "close"}),
        (413, {"Connection": "close"}),
    ],
)
def test_headers_by_status(status: int, headers: dict[str, str]) -> None:
    assert refusal_headers(status) == headers

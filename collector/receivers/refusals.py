"""What receivers add to a response that is not the protocol's own: whether and when to send again."""

from __future__ import annotations

RETRY_AFTER = 1
"""Seconds after which to send again what found no room."""


def refusal_headers(status: int) -> dict[str, str]:
    """Headers by HTTP status; none with 200, and with 400, whose body was read."""
    if status == 503:
        return {"Retry-After": str(RETRY_AFTER)}
    if status in (200, 400):
        return {}
    return {"Connection": "close"}  # the rest of the body is not read

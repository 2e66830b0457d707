"""A sign-in with another provider that has begun: what the browser has to bring back.

It is in a signed cookie of ten minutes, so that any API process can finish what another began.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

import msgspec
from msgspec import Struct

FLOW_SECONDS = 600
"""Time to sign in at the provider."""


class OidcError(Exception):
    """A sign-in failed. ``reason`` is for the audit log; the text is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Flow(Struct, frozen=True):
    """A sign-in that has begun."""

    state: str
    nonce: str
    verifier: str
    expires: int


def begin_flow(now: float) -> Flow:
    """A new sign-in."""
    return Flow(
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(24),
        secrets.token_urlsafe(48),
        int(now) + FLOW_SECONDS,
    )


def encode_flow(flow: Flow, master: bytes) -> str:
    """The value of its cookie."""
    payload = base64.urlsafe_b64encode(msgspec.json.encode(flow))
    return f"{payload.decode()}.{_sign(payload, master)}"


def decode_flow(cookie: str, state: str, master: bytes, now: float) -> Flow:
    """The flow that a browser began and the provider answers. Raises OidcError."""
    payload, _, signature = cookie.rpartition(".")
    if not hmac.compare_digest(_sign(payload.encode(), master).encode(), signature.encode()):
        raise OidcError(
            "no_flow", "this browser has not begun to sign in, or its cookie is blocked"
        )
    try:
        flow = msgspec.json.decode(base64.urlsafe_b64decode(payload), type=Flow)
    except (binascii.Error, msgspec.MsgspecError):
        raise OidcError("no_flow", "this browser has not begun to sign in") from None
    if now >= flow.expires:
        raise OidcError("too_late", "signing in took too long")
    if not hmac.compare_digest(flow.state.encode(), state.encode()):
        raise OidcError("state", "the answer belongs to another sign-in")
    return flow


def _sign(payload: bytes, master: bytes) -> str:
    return hmac.digest(master, b"raymap oidc " + payload, "sha256").hex()

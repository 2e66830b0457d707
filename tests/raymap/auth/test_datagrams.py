"""What a sender of datagrams may do without a key: ask what to sample, and nothing else."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from collector.allowed_senders import AllowedSenders
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.datagrams import datagram_senders, sends_datagrams
from raymap.auth.http import AuthGuard
from raymap.auth.permissions import Permission
from tests.raymap.auth.test_http import MASTER, REVOKED, RING, ROUTES, FixedKeys, bearer, echo


@pytest.mark.parametrize(
    ("udp_allow", "auth", "client", "allowed"),
    [
        ("", "on", "127.0.0.1", True),
        ("", "on", "::1", True),
        ("", "on", "::ffff:127.0.0.1", True),
        ("", "on", "10.1.2.3", False),
        ("", "on", "", False),
        ("", "on", "unix", False),
        ("10.0.0.0/8", "on", "10.1.2.3", True),
        ("10.0.0.0/8", "on", "127.0.0.1", False),
        ("fe80::/10", "on", "fe80::1%eth0", True),
        ("10.0.0.0/8", "ingest-warn", "10.1.2.3", True),
        ("", "ingest-warn", "127.0.0.1", False),  # everyone is admitted with a warning
    ],
)
def test_who_sends_datagrams(udp_allow: str, auth: str, client: str, allowed: bool) -> None:
    assert sends_datagrams(datagram_senders(udp_allow, auth), client, {}) is allowed


@pytest.mark.parametrize("name", ["forwarded", "via", "x-forwarded-for", "x-real-ip"])
def test_behind_a_proxy_no_address_is_the_senders(name: str) -> None:
    senders = datagram_senders("", "on")
    assert not sends_datagrams(senders, "127.0.0.1", {name: "10.1.1.1"})


def status(
    permission: Permission,
    client: str = "127.0.0.1",
    headers: dict[str, str] | None = None,
    senders: AllowedSenders | None = None,
) -> int:
    """What a request without a valid key is answered."""
    allowed = senders or datagram_senders("", "on")
    authenticator = Authenticator(Mode.ON, FixedKeys(RING), MASTER, datagram_senders=allowed)

    async def request() -> int:
        transport = httpx.ASGITransport(AuthGuard(echo, authenticator), client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://raymap") as asking:
            method, path = ROUTES[permission]
            return (await asking.request(method, path, headers=headers)).status_code

    return asyncio.run(request())


@pytest.mark.parametrize("permission", Permission)
def test_sampling_alone(permission: Permission) -> None:
    free = permission in (Permission.SAMPLE, Permission.PUBLIC)
    assert status(permission) == (200 if free else 401)


def test_not_from_elsewhere_nor_with_a_bad_key() -> None:
    assert status(Permission.SAMPLE, client="10.1.1.1") == 401
    assert status(Permission.SAMPLE, headers={"x-forwarded-for": "10.1.1.1"}) == 401
    assert status(Permission.SAMPLE, headers=bearer(REVOKED)) == 401

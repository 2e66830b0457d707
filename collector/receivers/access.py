"""Who may deliver records: senders with the key, or this machine alone where no key is set."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

PRINCIPAL = "raymap.principal"
"""Where in the ASGI scope a guard around the app puts who sent the request, once it has checked that."""


class AccessKey:
    """A key that senders present in a header. Without a key, only loopback addresses may send.

    A request that a guard has authenticated needs no further key.
    """

    def __init__(self, key: str, header: str) -> None:
        self._key = key.encode()
        self._header = header

    def refusal(self, request: Request) -> str | None:
        """Why a request is refused; None when it is not."""
        if request.scope.get(PRINCIPAL) is not None:
            return None
        given = request.headers.get(self._header, "")
        if self._key:
            # In constant time: how much of a wrong key is right does not show.
            same = hmac.compare_digest(given.encode(), self._key)
            return None if same else f"{self._header}: the access key is missing or wrong"
        if is_loopback(request.client.host if request.client else ""):
            return None
        return "no access key is set on this server, so it accepts records from itself only"


def is_loopback(host: str) -> bool:
    """Whether a peer's address is of this machine."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback

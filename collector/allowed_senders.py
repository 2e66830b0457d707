"""Which addresses may send datagrams: UDP carries no key."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

MAX_KNOWN = 10_000
"""Addresses that are remembered; those of datagrams can be forged."""

Network = IPv4Network | IPv6Network


class AllowedSenders:
    """Networks, by the packed addresses of senders."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = tuple(networks)
        self._known: dict[bytes, bool] = {}

    def allows(self, packed: bytes) -> bool:
        """Whether an address of 4 or 16 bytes is in one of the networks."""
        found = self._known.get(packed)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            found = self._known[packed] = self._contains(packed)
        return found

    def _contains(self, packed: bytes) -> bool:
        address = ip_address(packed)
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)

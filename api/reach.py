"""Which addresses webhooks may reach. Pure: names are resolved, and connections made, in `api.alarms.webhook`.

From IANA's registries of special-purpose addresses, and where clouds answer with credentials. Not
`ipaddress.is_global`, which differs between Python's releases.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from enum import IntEnum
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Reach(IntEnum):
    """The farther from the public, the greater."""

    PUBLIC = 0
    INSIDE = 1
    """This machine, and networks that belong to someone."""
    NEVER = 2
    """Metadata of clouds and link-local addresses; and what is no address of one machine."""


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


_NEVER = _networks(
    "0.0.0.0/8",
    "169.254.0.0/16",  # link-local, where most clouds have their metadata
    "100.100.100.200/32",  # Alibaba Cloud
    "168.63.129.16/32",  # Azure
    "192.0.0.192/32",  # Oracle Cloud
    "224.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "fd00:42::42/128",  # Scaleway
    "fd00:ec2::/32",  # AWS
    "fd20:ce::/32",  # Google Cloud
    "fe80::/10",
    "ff00::/8",
)
_INSIDE = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "2001::/23",
    "2001:db8::/32",
    "2620:4f:8000::/48",
    "3fff::/20",
)
_UNICAST = IPv6Network("2000::/3")
"""What IANA has assigned for the public; everything else of IPv6 is inside."""
_TRANSLATED = _networks("::ffff:0:0/96", "64:ff9b::/96", "2002::/16")
"""IPv4 in IPv6: these lead where the address inside of them does, and nowhere else."""
_ENDS_IN_IPV4 = _networks("::/96", "64:ff9b::/96", "64:ff9b:1::/48")


def reach_of(text: str) -> Reach:
    """Where an address leads, at worst, with any of IPv4 inside of it. ValueError if it is none."""
    address = ipaddress.ip_address(text.partition("%")[0])
    own = [] if _is_in(address, _TRANSLATED) else [address]
    return max(map(_reach, (*own, *_embedded(address))))


def _reach(address: Address) -> Reach:
    if _is_in(address, _NEVER):
        return Reach.NEVER
    if _is_in(address, _INSIDE):
        return Reach.INSIDE
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return Reach.INSIDE
    return Reach.PUBLIC


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that translators and tunnels read from one of IPv6."""
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if _is_in(address, _ENDS_IN_IPV4) and int(address) > 1:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


class Destinations(NamedTuple):
    """Where webhooks may go. ``hosts``: patterns like ``*.example.com``, none for any host;
    ``public_only``: to other than public addresses only where ``hosts`` name the host."""

    hosts: tuple[str, ...] = ()
    public_only: bool = False

    def allow_host(self, host: str) -> bool:
        """Whether a URL may name a host, whatever its address is."""
        return not self.hosts or _matches(host, self.hosts)

    def allow_address(self, host: str, address: str) -> bool:
        """Whether an address of a host may be connected to. Those of `Reach.NEVER` only where the host is
        named without a wildcard: ``*.internal`` is meant for no cloud's metadata."""
        reach = reach_of(address)
        if reach is Reach.PUBLIC or _matches(host, (h for h in self.hosts if "*" not in h)):
            return True
        return reach is Reach.INSIDE and bool(self.hosts or not self.public_only)


def _matches(host: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(host.lower(), pattern.lower()) for pattern in patterns)


ANYWHERE = Destinations()

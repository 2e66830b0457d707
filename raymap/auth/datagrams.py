"""Senders of datagrams, which carry no key, and what else such a sender may do without one.

An X-Ray SDK that sends datagrams asks the same port, over TCP, for its sampling rules and targets. Neither
does it sign these requests: refused, it would record the first request of each second and 5 % of the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from collector.allowed_senders import AllowedSenders

THIS_MACHINE = "127.0.0.0/8,::1/128"
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
"""Headers that proxies add: the address of the connection is then not the sender's."""


def datagram_senders(udp_allow: str, auth: str) -> AllowedSenders | None:
    """Who may send datagrams: the networks named, or this machine where keys are required; None for
    everyone. ValueError for what is no network."""
    text = udp_allow or (THIS_MACHINE if auth == "on" else "")
    networks = [ip_network(part.strip()) for part in text.split(",") if part.strip()]
    return AllowedSenders(networks) if networks else None


def sends_datagrams(
    senders: AllowedSenders | None, client: str, headers: Mapping[str, str]
) -> bool:
    """Whether a request comes from where datagrams are accepted, and through no proxy."""
    if senders is None or any(name in headers for name in _FORWARDED):
        return False
    try:
        return senders.allows(ip_address(client.partition("%")[0]).packed)
    except ValueError:
        return False

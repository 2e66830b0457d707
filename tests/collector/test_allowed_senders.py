"""Datagrams of others are not read, and counted; those of senders that may are read."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network

import pytest

from collector.allowed_senders import MAX_KNOWN, AllowedSenders
from collector.receivers.recvmmsg import DatagramReader, RecvmmsgReader, RecvReader


def senders(*networks: str) -> AllowedSenders:
    return AllowedSenders([ip_network(each) for each in networks])


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("::1", True),
        ("::2", False),
        ("::ffff:10.0.0.1", True),
        ("::ffff:11.0.0.1", False),
    ],
)
def test_networks(address: str, allowed: bool) -> None:
    of = senders("10.0.0.0/8", "::1/128")
    for _ in range(2):
        assert of.allows(ip_address(address).packed) is allowed


def test_forged_addresses_take_bounded_memory() -> None:
    of = senders("10.0.0.0/8")
    for number in range(MAX_KNOWN + 10):
        of.allows(number.to_bytes(4, "big"))
    assert len(of._known) <= MAX_KNOWN


@pytest.mark.parametrize("kind", [RecvmmsgReader, RecvReader])
@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_readers(kind: type[RecvmmsgReader | RecvReader], family: int, host: str) -> None:
    """Twice, as buffers are used again; with the real addresses of real datagrams."""
    for networks, expected in ((("127.0.0.0/8", "::1/128"), [b"a", b"b"]), (("10.0.0.0/8",), [])):
        with socket.socket(family, socket.SOCK_DGRAM) as receiving:
            receiving.bind((host, 0))
            reader: DatagramReader = kind(receiving, senders(*networks))
            for number in (1, 2):
                with socket.socket(family, socket.SOCK_DGRAM) as sending:
                    for content in (b"a", b"b"):
                        sending.sendto(content, receiving.getsockname()[:2])
                assert reader.read() == expected
                assert reader.refused == (0 if expected else 2 * number)

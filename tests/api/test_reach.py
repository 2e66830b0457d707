"""Addresses, one by one; nothing is resolved and nothing connected to."""

from __future__ import annotations

import pytest

from api.reach import ANYWHERE, Destinations, Reach, reach_of

PUBLIC = [
    "8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
    "192.169.0.1", "168.63.129.15", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450::1", "2001:4860::1",
    "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip
INSIDE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
    "192.88.99.1", "240.0.0.1", "::1", "fc00::1", "fd12:3456::1", "fec0::1", "2001:db8::1", "100::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::808:808", "2002:a00:1::1",
    "2002:7f00:1::", "::8.8.8.8", "::10.0.0.1", "2001:0:808:808:0:0:f5ff:fffe",
]  # fmt: skip
NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200",
    "192.0.0.192", "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "fe80::1", "fe80::1%eth0",
    "ff02::1", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe", "::ffff:168.63.129.16", "64:ff9b::a9fe:a9fe", "64:ff9b::a83f:8110",
    "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::", "2002:6464:64c8::1", "::169.254.169.254",
    "2001:0:a9fe:a9fe::1", "2001:0:808:808:0:0:5601:5601",
]  # fmt: skip


@pytest.mark.parametrize(
    ("reach", "addresses"),
    [(Reach.PUBLIC, PUBLIC), (Reach.INSIDE, INSIDE), (Reach.NEVER, NEVER)],
    ids=["public", "inside", "never"],
)
def test_where_addresses_lead(reach: Reach, addresses: list[str]) -> None:
    assert {address: reach_of(address) for address in addresses} == dict.fromkeys(addresses, reach)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f.1", "127.0.0.01"])
def test_what_is_no_address(text: str) -> None:
    """Other spellings never arrive here: the resolver's answers do."""
    with pytest.raises(ValueError, match="does not appear"):
        reach_of(text)


def allowed(to: Destinations, host: str) -> str:
    """What a host may resolve to: p(ublic), i(nside), n(ever)."""
    samples = {"p": "8.8.8.8", "i": "10.0.0.1", "n": "169.254.169.254"}
    return "".join(name for name, each in samples.items() if to.allow_address(host, each))


def test_what_an_operator_allows() -> None:
    guarded = Destinations(public_only=True)
    assert allowed(ANYWHERE, "x") == "pi"
    assert allowed(guarded, "x") == "p"
    named = Destinations(("Hooks.internal", "*.internal"), public_only=True)
    assert allowed(named, "hooks.INTERNAL") == "pin"
    assert allowed(named, "metadata.google.internal") == "pi", "a wildcard names no metadata"
    assert not named.allow_host("example.com")
    assert named.allow_host("a.internal")
    assert guarded.allow_host("example.com")

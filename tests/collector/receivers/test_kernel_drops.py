"""The kernel's counts of lost datagrams, as Linux writes them."""

from __future__ import annotations

import socket

import pytest

from collector.receivers import kernel_drops
from collector.receivers.kernel_drops import KernelDrops, parse_drops, parse_errors


def test_drops_have_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the whole machine counted of others is subtracted from the buffer's."""
    files = {"drops": 0, "checksum": 5, "memory": 0}

    def read(path: str) -> str:
        if "snmp" in path:
            return (
                "Ip: A B\nIp: 1 2\n"
                "Udp: InDatagrams InCsumErrors MemErrors\n"
                f"Udp: 9 {files['checksum']} {files['memory']}\n"
            )
        row = "0: a b 07 0:0 00:0 0 0 0 {} 2 0 {}"
        return "header\n" + row.format(drops._inode, files["drops"])

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        monkeypatch.setattr(kernel_drops, "_read", read)
        drops = KernelDrops(sock)
        assert drops.since_last() == {}
        files |= {"drops": 10, "checksum": 7, "memory": 1}
        assert drops.since_last() == {"checksum": 2, "memory": 1, "buffer": 7}
        files |= {"drops": 11, "memory": 100}
        assert drops.since_last() == {"memory": 1}
        files |= {"drops": 14}
        assert drops.since_last() == {"buffer": 3}
        assert drops.since_last() == {}


def test_parse_errors_of_ipv6() -> None:
    """One name a line."""
    text = "Udp6InErrors 9\nUdp6InCsumErrors 3\nUdp6MemErrors 4\nUdpLite6InErrors 1\n"
    assert parse_errors(text) == {"checksum": 3, "memory": 4}
    assert parse_errors("") == {}


def test_parse_drops() -> None:
    """The last column, of the line with our inode."""
    table = (
        "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
        "  timeout inode ref pointer drops\n"
        " 1234: 0100007F:07D0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0"
        "        0 4711 2 0000000000000000 42\n"
        " garbage\n"
    )
    assert parse_drops(table, "4711") == 42
    assert parse_drops(table, "4712") == 0
    assert parse_drops("", "4711") == 0


def test_no_table_no_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other systems than Linux do not tell."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        drops = KernelDrops(sock)
        drops._table = drops._statistics = "/nowhere"
        assert drops.since_last() == {}

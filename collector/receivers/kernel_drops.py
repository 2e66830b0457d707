"""Datagrams that the kernel dropped before they were read, and why (Linux only)."""

from __future__ import annotations

import os
import socket

BUFFER, CHECKSUM, MEMORY = "buffer", "checksum", "memory"
"""Reasons: the receive buffer was full, the datagram was damaged, the machine's udp_mem was used up."""
_WHOLE_MACHINE = {"InCsumErrors": CHECKSUM, "MemErrors": MEMORY}


class KernelDrops:
    """The kernel's own count of a socket's lost datagrams (/proc/net/udp).

    Reasons are known for the whole machine only (/proc/net/snmp): each is credited with as many of
    this socket's drops as its counter grew by, and the rest with the receive buffer.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._inode = str(os.fstat(sock.fileno()).st_ino)
        self._table = "/proc/net/udp6" if sock.family == socket.AF_INET6 else "/proc/net/udp"
        self._statistics = "/proc/net/snmp6" if sock.family == socket.AF_INET6 else "/proc/net/snmp"
        self._seen = 0
        self._others = parse_errors(_read(self._statistics))

    def since_last(self) -> dict[str, int]:
        """Drops since the last call, by reason; empty when there were none."""
        drops = parse_drops(_read(self._table), self._inode)
        new, self._seen = max(0, drops - self._seen), max(drops, self._seen)
        if not new:
            return {}
        before, self._others = self._others, parse_errors(_read(self._statistics))
        reasons: dict[str, int] = {}
        for reason, count in self._others.items():
            share = min(new, max(0, count - before.get(reason, 0)))
            if share:
                reasons[reason] = share
                new -= share
        if new:
            reasons[BUFFER] = new
        return reasons


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:  # another system than Linux
        return ""


def parse_drops(table: str, inode: str) -> int:
    """The drops column of the socket with this inode; 0 when it is not listed."""
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) >= 13 and columns[9] == inode:
            return int(columns[12])
    return 0


def parse_errors(statistics: str) -> dict[str, int]:
    """UDP errors that are not a full buffer, by reason, from /proc/net/snmp or snmp6."""
    values: dict[str, str] = {}
    names: list[str] = []
    for line in statistics.splitlines():
        kind, *words = line.split()
        if kind == "Udp:":  # a line of names, then one of numbers
            values |= dict(zip(names, words, strict=False))
            names = words
        elif kind.startswith("Udp6") and words:
            values[kind.removeprefix("Udp6")] = words[0]
    return {reason: int(values[name]) for name, reason in _WHOLE_MACHINE.items() if name in values}

"""What the reads of the map page cost: time, statements, rows and bytes read, CPU of ClickHouse and of the API.

A server of its own has counted demo traffic; each read is requested for windows whose ends differ by seconds, so
that none is answered from the rollup cache alone. What the server does by itself is measured first, and
deducted by time.

    python -m bench.map_reads
    python -m bench.map_reads --only node,edge --rounds 30 --json before.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bench.command_line import add_json_option, add_server_options, write_json
from bench.http_reads import HEAD, HttpReads, Read, Request, line_of
from bench.sections import table
from bench.server import ROOT, Server, running

SETTLED = 70.0
"""Seconds after which no bucket is compared any more (`store.clickhouse.rollup.dirty.SETTLE`)."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--traffic", type=float, default=110.0, help="seconds of demo traffic before"
    )
    parser.add_argument("--window", type=int, default=100, help="seconds of the windows")
    parser.add_argument("--rounds", type=int, default=12, help="requests of each kind")
    parser.add_argument("--only", default="", help="reads, separated by commas; all by default")
    add_json_option(parser)
    add_server_options(parser)
    options = parser.parse_args()
    with running(options.options, options.log) as server:
        end = _send_traffic(server, options.traffic)
        bench = MapReads(server, end, options.window, options.rounds)
        reads = []
        print("\n".join(table(HEAD, ())))
        for read in bench.reads(set(filter(None, options.only.split(",")))):
            reads.append(read)
            print(line_of(read), flush=True)
        print(
            f"SELECT 1 by the driver: {bench.floor():.1f} ms; an empty answer of the API: {bench.empty():.1f} ms"
        )
    write_json(options.json, reads)


def _send_traffic(server: Server, seconds: float) -> int:
    """Send demo traffic and wait until all of it is counted and compared once more; when it ended (epoch seconds)."""
    to = ":".join(map(str, server.udp))
    command = (sys.executable, "-m", "raymap", "demo", "--url", to, "--duration", str(seconds))
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    ended = int(time.time())
    time.sleep(SETTLED)
    return ended


class MapReads(HttpReads):
    """The reads of one server."""

    def __init__(self, server: Server, end: int, window: int, rounds: int) -> None:
        super().__init__(server, rounds)
        self._length = window
        self._end = end - 5
        whole = self._end // 60 * 60
        self._minutes = {"from": whole - 120, "to": whole}
        self._node, self._edge = self._busiest()
        self.get(f"/api/nodes/{self._node}", self._cut(0))  # from now on the map is watched
        self.settle()

    def reads(self, only: set[str]) -> Iterator[Read]:
        """Each read, measured."""
        cut, whole = self._cut, lambda round: self._minutes
        node, edge = {"node": self._node}, {"edge": ":".join(self._edge)}
        known: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
            "map, whole minutes": ("/api/map", whole),
            "map": ("/api/map", cut),
            "node": (f"/api/nodes/{self._node}", cut),
            "node, whole minutes": (f"/api/nodes/{self._node}", whole),
            "edge": (f"/api/edges/{'/'.join(self._edge)}", cut),
            "metrics": (f"/api/nodes/{self._node}/metrics", cut),
            "list": ("/api/traces", lambda round: {**cut(round), "limit": 50}),
            "list of node": ("/api/traces", lambda round: {**cut(round), **node, "limit": 50}),
            "list of edge": ("/api/traces", lambda round: {**cut(round), **edge, "limit": 50}),
            "scatter": ("/api/traces/figure", cut),
            "scatter of node": ("/api/traces/figure", lambda round: {**cut(round), **node}),
            "heatmap": ("/api/traces/figure", lambda round: self._cut(round, 5)),
        }
        for name, (path, query) in known.items():
            if not only or name in only:
                yield self.measure(name, partial(_request, path, query))

    def _cut(self, round: int, times: int = 1) -> dict[str, Any]:
        """A window that cuts a minute and a bucket at both ends."""
        end = self._end - round - 0.7
        return {"from": round_ms(end - times * self._length), "to": round_ms(end)}

    def _busiest(self) -> tuple[str, tuple[str, str]]:
        """A service in the middle of the map, and an edge."""
        found = json.loads(self.get("/api/map", self._minutes))
        nodes = [each for each in found["nodes"] if each["state"] == "active"]
        edges = [each for each in found["edges"] if each["kind"] == "call"]
        node = max(nodes, key=lambda each: each["requests"])
        edge = max(edges, key=lambda each: each["requests"])
        return node["id"], (edge["source"], edge["target"])


def _request(path: str, query: Callable[[int], dict[str, Any]], round: int) -> Request:
    return path, query(round)


def round_ms(seconds: float) -> float:
    return round(seconds, 3)


if __name__ == "__main__":
    main()

"""A running Raymap as the target: documents go to its receivers, maps are read from its ClickHouse."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence

from bench.counting import STORED_METRIC, scrape
from bench.receivers import UDP_HEADER, Poster
from bench.server import Server
from store.clickhouse.embedded import address
from store.clickhouse.store import ClickHouseStore
from store.graph import ServiceGraph
from store.model import Document, TimeRange

STORED_WITHIN = 30.0
"""Seconds after which a batch that was sent has to be stored."""


class ServerStore:
    """Every other document of a batch through HTTP, the others as datagrams from changing ports,
    so that the kernel spreads them over the collectors."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._store = ClickHouseStore(address(server.data_dir), connections=2)
        self._expected = self._stored()

    def put(self, documents: Sequence[Document], token: str) -> None:
        """Send, and wait until the server has stored as many. The token stays here: for a server
        the same documents again are a resend."""
        for document in documents[::2]:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.sendto(UDP_HEADER + document.raw, self._server.udp)
        posted = [json.dumps(document.raw.decode()).encode() for document in documents[1::2]]
        # A connection of its own: one that was idle for long may have been closed meanwhile.
        if posted and (unprocessed := Poster(self._server.http).post(posted)) != set():
            raise SystemExit(f"batch {token} was not taken: {unprocessed}")
        self._expected += len(documents)
        deadline = time.monotonic() + STORED_WITHIN
        while (stored := self._stored()) < self._expected:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self._expected - stored} documents of batch {token} are lost")
            time.sleep(0.02)

    def service_graph(self, window: TimeRange) -> ServiceGraph:
        """Read from the server's own ClickHouse."""
        return self._store.service_graph(window)

    def close(self) -> None:
        self._store.close()

    def _stored(self) -> int:
        return round(scrape(self._server).get(STORED_METRIC, 0.0))

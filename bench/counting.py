"""The number of stored documents, from two sources: the server's metrics, and ClickHouse itself."""

from __future__ import annotations

import time
from collections import defaultdict

from bench.server import Server

STORED_METRIC = "raymap_documents_stored_total"


def scrape(server: Server) -> dict[str, float]:
    """GET /metrics: each name's sum over its labels."""
    sums: dict[str, float] = defaultdict(float)
    for line in server.get("/metrics").decode().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            sums[name.partition("{")[0]] += float(value)
    return dict(sums)


class StoredDocuments:
    """Counts documents in the embedded ClickHouse, each (trace, id) once."""

    def __init__(self, server: Server) -> None:
        from store.clickhouse.connection.pool import connect
        from store.clickhouse.embedded import address

        self._server = server
        self._client = connect(address(server.data_dir))

    def count(self) -> int:
        ((count,),) = self._client.execute("SELECT uniqExact(trace_id, id) FROM segments")
        return int(count)

    def settled(self, expected: int, patience: float = 120.0, quiet: float = 3.0) -> int:
        """The count when it has reached what is expected, or nothing waits and it does not grow."""
        begun = changed = time.monotonic()
        last = self.count()
        while last < expected:
            time.sleep(0.5)
            now, count = time.monotonic(), self.count()
            if count != last:
                last, changed = count, now
            if now - begun > patience:
                break
            if now - changed > quiet and not scrape(self._server).get("raymap_journal_bytes"):
                break
        return last

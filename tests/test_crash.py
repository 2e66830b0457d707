"""kill -9 of each child in turn, under load: what was acknowledged is there, and counted once."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server, start_server, stop_server
from tests.faults.rig import unsent
from tests.raymap.processes import eventually, kill

pytestmark = pytest.mark.server

CHILDREN: tuple[str, ...] = ("clickhouse", "collect", "api")
if os.environ.get("RAYMAP_TEST_CLICKHOUSE"):
    CHILDREN = CHILDREN[1:]  # that one is not a child, and not ours to kill


class Load(threading.Thread):
    """Sends documents, some at a time, and remembers which were acknowledged."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(daemon=True)
        self._server, self._name = server, name
        self.sent: list[str] = []
        self.acknowledged: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            ids = [f"1-{int(time.time()):08x}-{secrets.token_hex(12)}" for _ in range(5)]
            self.sent += ids
            body = {"TraceSegmentDocuments": [json.dumps(self._document(id)) for id in ids]}
            try:
                answer = self._server.post("/TraceSegments", body)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.05)
                continue
            assert not answer["UnprocessedTraceSegments"]
            self.acknowledged += ids
            time.sleep(0.25)

    def _document(self, trace_id: str) -> dict[str, Any]:
        now = time.time()
        call = {
            "id": "00000000000000c1",
            "name": "db.example.com",
            "namespace": "remote",
            "start_time": now,
            "end_time": now + 0.005,
        }
        return {
            "id": "00000000000000a1",
            "trace_id": trace_id,
            "name": self._name,
            "start_time": now,
            "end_time": now + 0.01,
            "subsegments": [call],
        }


def wait_until_well(server: Server, *, idle: bool = False) -> None:
    """Until nothing is wrong, and with ``idle`` nothing waits in a journal."""
    eventually(
        lambda: not server.get("/readyz")["problems"] and not (idle and unsent(server.data_dir)),
        "the service is back",
    )


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data")
    try:
        started = time.time()
        loads = [Load(server, "under-load") for _ in range(3)]
        for load in loads:
            load.start()
        for role in CHILDREN:
            time.sleep(1.5)
            kill(server, role)
            wait_until_well(server)
        time.sleep(1.5)
        for load in loads:
            load.done.set()
        for load in loads:
            load.join(60)
        acknowledged = [id for load in loads for id in load.acknowledged]
        assert len(acknowledged) > 100
        wait_until_well(server, idle=True)
        # Sent but not acknowledged may be there or not; what is there counts, and counts once.
        there = found(server, [id for load in loads for id in load.sent])
        assert there >= set(acknowledged)
        counts = counts_from(server, started, len(there))
        assert counts["under-load"] == counts["db.example.com"] == len(there)
    finally:
        assert stop_server(server) == 0


def found(server: Server, trace_ids: list[str]) -> set[str]:
    """Those of the traces that BatchGetTraces gives back."""

    def ask(start: int) -> list[str]:
        answer = server.post("/Traces", {"TraceIds": trace_ids[start : start + 5]})
        return [trace["Id"] for trace in answer["Traces"]]

    with ThreadPoolExecutor(4) as pool:
        return {id for ids in pool.map(ask, range(0, len(trace_ids), 5)) for id in ids}


def counts_from(server: Server, started: float, expected: int) -> dict[str, int]:
    """Requests by node name: as expected and staying so for a second, or after a minute and a half."""
    counts: dict[str, int] = {}
    deadline, right = time.monotonic() + 90, 0
    while right < 3 and time.monotonic() < deadline:
        picture = server.get(f"/api/map?from={started - 1}&to={time.time() + 1}")
        counts = {n["name"]: n["requests"] for n in picture["nodes"] if n["kind"] != "client"}
        named = [counts.get("under-load"), counts.get("db.example.com")]
        right = right + 1 if named == [expected] * 2 else 0
        time.sleep(0.5)
    return counts

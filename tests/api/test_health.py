"""/readyz: what is wrong, in words, soon, and also while the store hangs."""

from __future__ import annotations

import threading
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.store_probe import StoreProbe, StoreState
from store.errors import StoreUnavailable
from store.memory import MemoryStore
from tests.waiting import SECONDS, eventually


class Hanging(MemoryStore):
    """A store that does not answer until released, like a stopped process."""

    def __init__(self) -> None:
        super().__init__()
        self.checks = 0
        self.go_on = threading.Event()

    def check(self) -> None:
        self.checks += 1
        self.go_on.wait(SECONDS)


class Unreachable(MemoryStore):
    def check(self) -> None:
        raise StoreUnavailable("connection refused (clickhouse:9000)")


STOPPING = {"ready": False, "problems": ["stopping: send to another process"], "stopping": True}


def health(ready: bool, *problems: str) -> dict[str, Any]:
    return {"ready": ready, "problems": [*problems], "queued": 3}


def test_receivers_stay_ready_while_the_store_is_unavailable() -> None:
    """Documents wait in the journal; a load balancer must not drop the receivers."""
    client = TestClient(
        create_app(
            Unreachable(), version="0", ingest_health=lambda: health(True, "documents wait on disk")
        )
    )
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "problems": [
            "documents wait on disk",
            "queries cannot be answered: connection refused (clickhouse:9000)",
        ],
        "queued": 3,
    }
    assert client.head("/readyz").status_code == 200


def readyz(app: FastAPI, role: str) -> tuple[int, bool, list[str]]:
    answer = TestClient(app).get("/readyz", params={"role": role})
    body = answer.json()
    return answer.status_code, body["ready"], body["problems"]


def test_a_process_is_ready_for_reading_or_for_receiving() -> None:
    """A load balancer of queries drops an API that can answer none; one of documents does not."""
    gone = "queries cannot be answered: connection refused (clickhouse:9000)"
    app = create_app(Unreachable(), version="0", ingest_health=lambda: health(True))
    assert readyz(app, "read") == (503, False, [gone])
    assert readyz(app, "receive") == (200, True, [gone])
    app = create_app(MemoryStore(), version="0", ingest_health=lambda: health(False, "no room"))
    assert readyz(app, "read") == (200, True, ["no room"])
    assert readyz(app, "receive") == (503, False, ["no room"])
    app = create_app(MemoryStore(), version="0", ingest_health=lambda: STOPPING)
    assert readyz(app, "read")[:2] == readyz(app, "receive")[:2] == (503, False)
    app = create_app(MemoryStore(), version="0")
    assert readyz(app, "read") == (200, True, [])
    assert readyz(app, "receive") == (503, False, ["this process receives no documents"])
    assert TestClient(app).get("/readyz?role=write").status_code == 400


def test_not_ready_when_nothing_can_be_stored() -> None:
    client = TestClient(
        create_app(MemoryStore(), version="0", ingest_health=lambda: health(False, "no room"))
    )
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["no room"])


def test_the_console_shows_the_problems_of_readyz() -> None:
    """A full disk is not a matter of load balancers only: /api/status lists the same sentences."""
    full = "the disk is full: documents are refused; free some space"
    client = TestClient(
        create_app(Unreachable(), version="0", ingest_health=lambda: health(False, full))
    )
    problems = client.get("/api/status").json()["problems"]
    assert problems == [
        full,
        "queries cannot be answered: connection refused (clickhouse:9000)",
    ]
    assert problems == client.get("/readyz").json()["problems"]


def test_problems_of_a_store_that_answers_are_shown() -> None:
    """They take nothing out of service, and are the same wherever shown."""
    behind = "the map is behind since 2026-11-26 14:03 UTC: see  raymap doctor"

    class Behind(MemoryStore):
        def problems(self) -> list[str]:
            return [behind]

    client = TestClient(create_app(Behind(), version="0", ingest_health=lambda: health(True)))
    assert client.get("/readyz").status_code == 200
    assert client.get("/readyz").json()["problems"] == [behind]
    status = client.get("/api/status").json()
    assert (status["ready"], status["problems"]) == (True, [behind])


def test_problems_that_cannot_be_read_take_nothing_out_of_service() -> None:
    class Silent(Hanging):
        def check(self) -> None:
            pass

        def problems(self) -> list[str]:
            self.go_on.wait(SECONDS)
            raise StoreUnavailable("memory limit exceeded")

    store = Silent()
    check = StoreProbe(store, timeout=0.1)
    eventually(lambda: check.state() == StoreState(), "it answers; its problems are being read")
    store.go_on.set()
    expected = StoreState(problems=("its state cannot be read: memory limit exceeded",))
    eventually(lambda: check.state() == expected)


def test_a_store_that_hangs() -> None:
    """Blocks one thread for any number of probes, and recovers without a restart."""
    store = Hanging()
    check = StoreProbe(store, timeout=0.2)
    said: list[str] = []
    probes = [
        threading.Thread(target=lambda: said.append(check.state().unavailable)) for _ in range(20)
    ]
    for probe in probes:
        probe.start()
    for probe in probes:
        probe.join()
    assert set(said) == {"the store has not answered for 0.2 s"}, "none waits for the store"
    assert store.checks == 1
    store.go_on.set()
    eventually(lambda: check.state() == StoreState())

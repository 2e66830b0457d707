"""/readyz: what is wrong, in words, soon, and also while the store hangs."""

from __future__ import annotations

import threading
import time
from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from api.store_probe import StoreProbe
from store.errors import StoreUnavailable
from store.memory import MemoryStore


class Hanging(MemoryStore):
    """A store that says nothing until it is let go, as a stopped process does."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.go_on = threading.Event()

    def check(self) -> None:
        self.asked += 1
        self.go_on.wait(20)


class Away(MemoryStore):
    def check(self) -> None:
        raise StoreUnavailable("connection refused (clickhouse:9000)")


def keeping(ready: bool, *problems: str) -> dict[str, Any]:
    return {"ready": ready, "problems": [*problems], "queued": 3}


def test_doors_stay_open_while_the_store_is_away() -> None:
    """What comes in is kept on disk; a load balancer must not take the doors from the senders."""
    client = TestClient(
        create_app(Away(), version="0", keeping=lambda: keeping(True, "documents wait on disk"))
    )
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "problems": [
            "documents wait on disk",
            "questions cannot be answered: connection refused (clickhouse:9000)",
        ],
        "queued": 3,
    }
    assert client.head("/readyz").status_code == 200


def test_not_ready_when_nothing_can_be_kept() -> None:
    client = TestClient(
        create_app(MemoryStore(), version="0", keeping=lambda: keeping(False, "no room"))
    )
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["no room"])


def test_a_store_that_hangs() -> None:
    """Holds one thread however many ask, and is found well again without a restart."""
    store = Hanging()
    check = StoreProbe(store, patience=0.2)
    begun = time.monotonic()
    said: list[str] = []
    askers = [threading.Thread(target=lambda: said.append(check.problem())) for _ in range(20)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert time.monotonic() - begun < 5
    assert set(said) == {"the store has not answered for 0.2 s"}
    assert store.asked == 1
    store.go_on.set()
    deadline = time.monotonic() + 5
    while check.problem() and time.monotonic() < deadline:
        pass
    assert check.problem() == ""

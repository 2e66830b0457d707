"""The X-Ray SDK's sampler, three times, against two API processes, in simulated time.

`examples.clients.samplers` does the same with four SDKs in real time.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from aws_xray_sdk.core.context import Context
from aws_xray_sdk.core.daemon_config import DaemonConfig
from aws_xray_sdk.core.sampling import connector, rule_poller, sampler
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore

NOW = 1_795_560_000.0
POLL, SETTLED, END = 10, 60, 85
RATE, RESERVOIR = 0.05, 10
RULE = {
    "RuleName": "checkout",
    "ResourceARN": "*",
    "Priority": 1,
    "FixedRate": RATE,
    "ReservoirSize": RESERVOIR,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "/checkout/*",
    "Version": 1,
}


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of an app that runs in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"{host}:{port}"
    server.should_exit = True
    thread.join()


class Client:
    """A sampler whose pollers are run by hand."""

    def __init__(self, address: str, seed: int) -> None:
        self.sdk = sampler.DefaultSampler()
        self.sdk.load_settings(DaemonConfig(f"tcp:{address} udp:{address}"), Context())
        self.sdk._started, self.sdk._random = True, Random(seed)
        self.sdk._rule_poller._refresh_cache()

    def poll(self) -> None:
        """Report, and read the rules again if the SDK wants to."""
        rules = self.sdk._rule_poller
        rules._time_elapsed, rules._time_to_wait = 0, 1
        self.sdk._target_poller._do_work()
        if rules._time_elapsed >= rules._time_to_wait:
            rules._refresh_cache()

    def sampled(self, requests: int, path: str = "/checkout/1") -> int:
        return sum(bool(self.sdk.should_trace({"path": path})) for _ in range(requests))

    @property
    def quota(self) -> int:
        return int(next(r for r in self.sdk._cache.rules if r.name == "checkout").reservoir.quota)


@pytest.mark.slow
def test_share_is_reservoir_and_rate_and_a_change_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=NOW)
    clock.time = lambda: clock.now
    for module in (sampler, rule_poller, connector):
        monkeypatch.setattr(module, "time", clock)
    store = MemoryStore()
    apps = [create_app(store, version="0", clock=clock.time) for _ in range(2)]
    with served(apps[0]) as one, served(apps[1]) as two, TestClient(apps[1]) as api:
        assert api.post("/CreateSamplingRule", json={"SamplingRule": RULE}).status_code == 200
        clock.now += 2
        clients = [Client(address, seed) for seed, address in enumerate((one, two, one))]
        chance, requests, counted = Random(5), 0, 0
        for second in range(END):
            clock.now += 1
            for number, client in enumerate(clients):
                if second % POLL == 3 * number:
                    client.poll()
                n = 120 + chance.randrange(-3, 4)
                found = client.sampled(n)
                if second >= SETTLED:
                    requests, counted = requests + n, counted + found
            if second >= SETTLED:
                assert sum(client.quota for client in clients) == RESERVOIR
        taken = RESERVOIR * (END - SETTLED)
        expected = taken + RATE * (requests - taken)
        deviation = math.sqrt(RATE * (1 - RATE) * (requests - taken))
        assert abs(counted - expected) <= 3 * deviation

        update = {"RuleName": "checkout", "FixedRate": 1.0, "URLPath": "/pay/*"}
        assert (
            api.post("/UpdateSamplingRule", json={"SamplingRuleUpdate": update}).status_code == 200
        )
        for _ in range(2):
            clock.now += POLL
            for client in clients:
                client.sampled(1)
                client.poll()
        assert [client.sampled(20, "/pay/1") for client in clients] == [20] * 3
        assert {r.rate for c in clients for r in c.sdk._cache.rules if r.name == "checkout"} == {1}

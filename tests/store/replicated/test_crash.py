"""kill -9 of a server and of ZooKeeper under load, and of processes that count: what was acknowledged is there once."""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

from bench.replicated import cases, holders
from store.clickhouse.connection import lease
from store.clickhouse.rollup import turn
from tests.store.replicated.coordination import ZooKeeper
from tests.store.replicated.rig import Replica, Rig
from tests.tiers import NIGHTLY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        "RAYMAP_TEST_STOCK_REPLICAS" in os.environ, reason="stock servers are not killed"
    ),
]


def test_what_was_acknowledged_is_there_once(
    replica_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both servers, and on the maps of both, after each of them and ZooKeeper were killed."""
    monkeypatch.setattr(cases, "LOAD", 200)
    with cases.case(replica_rig) as it:
        servers: list[Replica | ZooKeeper] = [*replica_rig.replicas, replica_rig.coordination]
        for each in servers:
            time.sleep(2)
            each.kill()
            time.sleep(2)
            each.start()
        for load in it.loads:
            load.end()
        expected = Counter({load.service: load.acknowledged for load in it.loads})
        assert min(expected.values()) >= 200
        for api in it.apis:
            api.until_exact(expected)


def test_processes_that_count_end_between_two_statements(
    replica_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By SIGKILL, or by SIGSTOP until another has counted: then they go on, and no map changes."""
    for module, names in ((lease, ("RENEW", "VALID", "LOST")), (turn, ("RENEW",))):
        for name in names:  # `holders` shortens them
            monkeypatch.setattr(module, name, getattr(module, name))
    assert holders.holders(replica_rig, 20 if NIGHTLY else 2) == []

"""Two processes that evaluate alarms, of which the one that has the lock is stopped until the other has it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress

import msgspec

from bench.replicated.holders import PROCESSES, shorten
from raymap.alarm_runner import LOOK_AGAIN, AlarmRunner
from store.alarms import Webhook
from store.clickhouse.connection.address import Address
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.config import records
from store.times import SECOND
from tests.api.alarms.receiver import receiver
from tests.api.alarms.traffic import SECRET, alarm, send
from tests.builders import T0
from tests.store.replicated.cell import Cell
from tests.store.replicated.rig import Rig
from tests.waiting import eventually

MINUTES, A_SECOND = 60, 20.0
"""Minutes of traffic, and how many seconds pass in one."""
STOPPED = 4.0
"""Seconds, more than a lease lasts here."""
PATIENCE = 3 * LOOK_AGAIN
"""Seconds in which what a stopped process left has to be delivered by another."""


def _alarms(address: Address, begun: float) -> None:
    shorten()
    store = ClickHouseStore(address, connections=4)
    stop = threading.Event()
    threading.Thread(target=store.run_rollups, args=(stop,), daemon=True).start()

    def clock() -> float:
        return T0 / SECOND + (time.time() - begun) * A_SECOND

    runner = AlarmRunner(store, stop, clock=clock, every=0.2)
    runner.start()
    signal.pause()


def webhooks(rig: Rig, seconds: float) -> list[str]:
    """Two processes evaluate alarms; the one with the lock is stopped until the other has it, then goes on."""
    cell = Cell(rig.replicas)
    migrate(cell.address, {"retention_days": 3650})
    store = ClickHouseStore(cell.address, connections=3)
    for minute in range(MINUTES):
        send(store, minute, faults=6 if minute % 4 in (2, 3) else 0)
    with receiver() as hook:
        rule = alarm(datapoints=1, periods=1, webhooks=(Webhook(hook.url, SECRET),))
        store.change_configuration([records.put(rule.name, rule)], after=0, at=T0)
        begun = time.time()
        runners = [
            PROCESSES.Process(target=_alarms, args=(cell.from_replica(number), begun), daemon=True)
            for number in range(2)
        ]
        for each in runners:
            each.start()
        stops = 0
        while (time.time() - begun) * A_SECOND < (MINUTES + 6) * 60:
            for each in runners:
                time.sleep(STOPPED)
                os.kill(each.pid or 0, signal.SIGSTOP)
                time.sleep(STOPPED)
                os.kill(each.pid or 0, signal.SIGCONT)
                stops += 1
        with suppress(AssertionError):  # said by the figures below
            eventually(lambda: not store.pending_deliveries(since=T0, limit=1), seconds=PATIENCE)
        events = [each for each in store.alarm_history(rule.name, limit=999) if each.targets]
        sent = Counter(
            msgspec.json.decode(each.body)["data"].get("id") or each.headers.get("webhook-id", "")
            for each in hook.received
        )
        for each in runners:
            each.kill()
            each.join()
    again = sum(sent.values()) - len(sent)
    print(
        f"  {stops} stops, {len(events)} events, {len(sent)} of them sent, {again} sent again",
        flush=True,
    )
    store.close()
    cell.drop()
    fault = len(events) < 3 or len(sent) != len(events) or again
    return ["webhooks"] if fault else []

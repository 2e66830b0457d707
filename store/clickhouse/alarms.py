"""Events of alarms and their deliveries in ClickHouse: `store.alarms.AlarmStore`.

As with the configuration, of two writers of one number the second loses: it is the deduplication token of the insert.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

import msgspec
from clickhouse_driver import Client

from store.alarms import FINAL, MOST_OF_URL, AlarmEvent, Delivery, DeliveryStatus, Lock, Pending
from store.clickhouse import queries
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.missing_rows import LIMITS, RowsMissing, wait_for_rows
from store.clickhouse.connection.query_lock import try_lock
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql

_decode = msgspec.json.Decoder(AlarmEvent).decode
TABLES = ("alarm_events", "alarm_deliveries", "problems")
"""What the owner of the lock writes."""
LOCK_STEP = 1.0
"""Seconds after which another process can follow one that died."""


class _HasClient(Protocol):
    login: Callable[[], Address]

    def _client(self) -> AbstractContextManager[Client]: ...


class AlarmMethods:
    """Methods of `AlarmStore`."""

    def alarm_lock(self: _HasClient) -> Lock | None:
        """A running query on a connection of its own; between replicas a lease, for which this one has to know what
        the last owner has written: it would send its webhooks again."""
        with self._client() as client:  # errors are the store's own, and the schema is checked
            address = self.login()
            lock = try_lock(address, f"raymap-alarms-{address.database}", LOCK_STEP)
            if lock and address.replicated:
                try:
                    wait_for_rows(partial(execute, client, settings=LIMITS), TABLES)
                except BaseException as error:
                    lock.release()
                    if isinstance(error, RowsMissing):
                        return None
                    raise
            return lock

    def add_alarm_event(self: _HasClient, event: AlarmEvent) -> bool:
        """One insert; the row that is there tells whose it was."""
        writer = secrets.randbits(63)
        value = msgspec.json.encode(event).decode()
        row = (event.id, event.alarm, event.seq, event.at, event.targets, value, writer)
        token = f"{event.alarm} {event.seq}"
        with self._client() as client:
            client.execute(
                "INSERT INTO alarm_events (id, alarm, seq, at, targets, value, writer) VALUES",
                [row],
                settings={"insert_deduplicate": 1, "insert_deduplication_token": token},
            )
            statement = (
                "SELECT count() FROM alarm_events WHERE alarm = {alarm:String} "
                "AND seq = {seq:UInt64} AND writer = {writer:UInt64}"
            )
            found = {"alarm": event.alarm, "seq": event.seq, "writer": writer}
            ((written,),) = execute(client, Sql(statement, found))
            return bool(written)

    def last_alarm_events(self: _HasClient) -> dict[str, AlarmEvent]:
        """The newest by alarm."""
        with self._client() as client:
            found = [_decode(value) for (value,) in execute(client, queries.LAST_EVENTS.render())]
            return {event.alarm: event for event in found}

    def alarm_history(self: _HasClient, alarm: str, *, limit: int) -> list[AlarmEvent]:
        """The newest first."""
        statement = queries.ALARM_HISTORY.render(alarm=alarm, most=limit)
        with self._client() as client:
            return [_decode(value) for (value,) in execute(client, statement)]

    def pending_deliveries(self: _HasClient, *, since: int, limit: int) -> list[Pending]:
        """The oldest first."""
        statement = queries.PENDING_DELIVERIES.render(
            since=since, most=limit, of_url=MOST_OF_URL, final=[*FINAL]
        )
        with self._client() as client:
            rows = execute(client, statement)
            return [Pending(_decode(value), *more) for value, *more in rows]

    def put_delivery(self: _HasClient, delivery: Delivery) -> None:
        """A row that replaces the one before."""
        row = (*msgspec.structs.astuple(delivery), delivery.at)
        with self._client() as client:
            client.execute(
                "INSERT INTO alarm_deliveries (event, url, status, attempts, at, error, ver) VALUES",
                [row],
            )

    def deliveries(self: _HasClient, events: Collection[str]) -> list[Delivery]:
        """By event and URL."""
        if not events:
            return []
        with self._client() as client:
            rows = execute(client, queries.DELIVERIES.render(events=[*events]))
            return [
                Delivery(event, url, DeliveryStatus(status), *more)
                for event, url, status, *more in rows
            ]

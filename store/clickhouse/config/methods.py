"""The part of the store protocol that is about configuration, sampling and retrievals."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from clickhouse_driver import Client

from store.audit import AuditEvent
from store.clickhouse import queries
from store.clickhouse.config import audit, configuration
from store.clickhouse.connection.query_runner import execute
from store.config.protocol import (
    MAX_CLIENTS,
    RETRIEVAL_SECONDS,
    AnomalyReport,
    Change,
    Configuration,
    Retrieval,
    SamplingReport,
    SamplingSum,
    StoredLayout,
)
from store.model import TimeRange

ASYNCHRONOUS = {
    "async_insert": 1,
    "wait_for_async_insert": 0,
    "async_insert_busy_timeout_max_ms": 500,
}
"""ClickHouse collects the rows of many clients for half a second at most and writes them at once:
a thousand clients report a hundred times a second, a few rows each."""


_RETRIEVALS = "token, trace_ids, start, end, started, cancelled"


def _valid_after(now: int) -> int:
    return now - RETRIEVAL_SECONDS * 1_000_000


_LAYOUTS = "name, value, revision, writer"


class HasClient(Protocol):
    """What the methods need of the class they are mixed into."""

    def _client(self) -> AbstractContextManager[Client]: ...


class ConfigMethods:
    """Methods of `ConfigStore`, `SamplingStore`, `RetrievalStore`, `LayoutStore` and `AuditStore`."""

    def read_configuration(self: HasClient, *, large: bool = False) -> Configuration:
        """The newest revision."""
        with self._client() as client:
            return configuration.read_configuration(client, large=large)

    def change_configuration(
        self: HasClient, changes: Sequence[Change], *, after: int, at: int
    ) -> bool:
        """Apply changes to revision ``after``."""
        with self._client() as client:
            return configuration.change_configuration(client, changes, after, at)

    def add_sampling_reports(
        self: HasClient, reports: Sequence[SamplingReport], anomalies: Sequence[AnomalyReport]
    ) -> None:
        """Hand reports to ClickHouse."""
        with self._client() as client:
            if reports:
                client.execute(
                    "INSERT INTO sampling_reports (rule, client, at, requests, sampled, borrowed) VALUES",
                    [tuple(report) for report in reports],
                    settings=ASYNCHRONOUS,
                )
            if anomalies:
                client.execute(
                    "INSERT INTO sampling_anomalies (rule, service, at, anomalies, sampled) VALUES",
                    [tuple(report) for report in anomalies],
                    settings=ASYNCHRONOUS,
                )

    def last_sampling_reports(self: HasClient, window: TimeRange) -> list[SamplingReport]:
        """The last report of each client for each rule."""
        with self._client() as client:
            statement = queries.LAST_SAMPLING_REPORTS.render(
                start=window.start, end=window.end, most=MAX_CLIENTS
            )
            return [SamplingReport(*row) for row in execute(client, statement)]

    def sampling_sums(self: HasClient, window: TimeRange, step: int) -> list[SamplingSum]:
        """Counts by step and rule."""
        with self._client() as client:
            statement = queries.SAMPLING_SUMS.render(start=window.start, end=window.end, step=step)
            return [SamplingSum(*row) for row in execute(client, statement)]

    def first_anomalies(self: HasClient, rule: str, window: TimeRange) -> list[AnomalyReport]:
        """The first report of each service on anomalies that were not all recorded."""
        with self._client() as client:
            statement = queries.FIRST_ANOMALIES.render(
                start=window.start, end=window.end, rule=rule
            )
            return [AnomalyReport(*row) for row in execute(client, statement)]

    def put_retrieval(self: HasClient, retrieval: Retrieval) -> None:
        """Store a retrieval; a cancelled one replaces it."""
        with self._client() as client:
            # The driver takes FixedString from text or bytes; ids are any bytes.
            ids = list(retrieval.trace_ids)
            row = (
                retrieval.token,
                ids,
                *retrieval.window,
                retrieval.started,
                int(retrieval.cancelled),
            )
            client.execute(f"INSERT INTO retrievals ({_RETRIEVALS}) VALUES", [row])

    def get_retrieval(self: HasClient, token: str, now: int) -> Retrieval | None:
        """The retrieval with a token, unless it has expired."""
        with self._client() as client:
            statement = queries.RETRIEVAL.render(token=token, valid_after=_valid_after(now))
            for ids, start, end, started, cancelled in execute(client, statement):
                trace_ids = tuple(bytes.fromhex(digits) for digits in ids)
                return Retrieval(token, trace_ids, TimeRange(start, end), started, bool(cancelled))
            return None

    def count_retrievals(self: HasClient, now: int) -> int:
        """Valid ones that are not cancelled."""
        with self._client() as client:
            ((count,),) = client.execute(
                f"SELECT count() FROM retrievals FINAL WHERE started > {_valid_after(now)} AND NOT cancelled"
            )
            return int(count)

    def read_layout(self: HasClient, name: str) -> StoredLayout | None:
        """The newest layout of a name."""
        with self._client() as client:
            for value, revision, _ in execute(client, queries.LAYOUT.render(name=name)):
                return StoredLayout(revision, base64.b64decode(value))
            return None

    def write_layout(self: HasClient, name: str, value: bytes, *, after: int) -> bool:
        """Store a layout as the revision after ``after``; False if it exists already.

        As with the configuration, of two writers of one revision the second loses: the revision is the
        deduplication token of the insert.
        """
        with self._client() as client:
            revision, writer = after + 1, secrets.randbits(63)
            row = (name, base64.b64encode(value).decode(), revision, writer)
            token = f"{name} {revision}"
            client.execute(
                f"INSERT INTO layouts ({_LAYOUTS}) VALUES",
                [row],
                settings={"insert_deduplicate": 1, "insert_deduplication_token": token},
            )
            newest = execute(client, queries.LAYOUT.render(name=name))
            return bool(newest) and tuple(newest[0][1:]) == (revision, writer)

    def write_audit(self: HasClient, events: Sequence[AuditEvent]) -> None:
        """Add events to the audit log."""
        with self._client() as client:
            audit.write(client, events)

    def read_audit(self: HasClient, *, before: int, limit: int) -> list[AuditEvent]:
        """The newest events of the audit log."""
        with self._client() as client:
            return audit.read(client, before, limit)

    def last_backup(self: HasClient) -> int:
        """When `raymap backup` last ran, in microseconds since the epoch; 0 if it never did."""
        with self._client() as client:
            return audit.last_backup(client)

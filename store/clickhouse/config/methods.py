"""The part of the store protocol that is about configuration, sampling and retrievals."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from clickhouse_driver import Client

from store.audit import AuditEvent
from store.clickhouse.config import audit, configuration, layouts, retrievals, sampling
from store.config.protocol import (
    AnomalyReport,
    Change,
    Configuration,
    Retrieval,
    SamplingReport,
    SamplingSum,
    StoredLayout,
)
from store.model import TimeRange


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
        """Store reports soon."""
        with self._client() as client:
            sampling.add_reports(client, reports, anomalies)

    def last_sampling_reports(self: HasClient, window: TimeRange) -> list[SamplingReport]:
        """The last report of each client for each rule."""
        with self._client() as client:
            return sampling.last_reports(client, window)

    def sampling_sums(self: HasClient, window: TimeRange, step: int) -> list[SamplingSum]:
        """Counts by step and rule."""
        with self._client() as client:
            return sampling.sums(client, window, step)

    def first_anomalies(self: HasClient, rule: str, window: TimeRange) -> list[AnomalyReport]:
        """The first report of each service on anomalies that were not all recorded."""
        with self._client() as client:
            return sampling.first_anomalies(client, rule, window)

    def put_retrieval(self: HasClient, retrieval: Retrieval) -> None:
        """Store a retrieval."""
        with self._client() as client:
            retrievals.put_retrieval(client, retrieval)

    def get_retrieval(self: HasClient, token: str, now: int) -> Retrieval | None:
        """The retrieval with a token."""
        with self._client() as client:
            return retrievals.get_retrieval(client, token, now)

    def count_retrievals(self: HasClient, now: int) -> int:
        """Valid ones that are not cancelled."""
        with self._client() as client:
            return retrievals.count_retrievals(client, now)

    def read_layout(self: HasClient, name: str) -> StoredLayout | None:
        """The newest layout of a name."""
        with self._client() as client:
            return layouts.read_layout(client, name)

    def write_layout(self: HasClient, name: str, value: bytes, *, after: int) -> bool:
        """Store a layout as the revision after ``after``."""
        with self._client() as client:
            return layouts.write_layout(client, name, value, after)

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

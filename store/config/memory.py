"""The reference implementation of `store.config.protocol`, on dictionaries."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from msgspec.structs import astuple

from store.audit import AuditEvent
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
from store.config.records import LARGE
from store.model import TimeRange


class MemoryConfig:
    """Configuration, sampling reports, retrievals and layouts. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._configuration = Configuration(0, {}, {})
        self._reports: list[SamplingReport] = []
        self._anomalies: list[AnomalyReport] = []
        self._retrievals: dict[str, Retrieval] = {}
        self._layouts: dict[str, StoredLayout] = {}
        self._audit: list[AuditEvent] = []
        self._config_lock = threading.Lock()

    def write_audit(self, events: Sequence[AuditEvent]) -> None:
        """Add events."""
        self._audit += events

    def read_audit(self, *, before: int, limit: int) -> list[AuditEvent]:
        """The newest events before an instant, the newest first."""
        found = [event for event in self._audit if event.at < before]
        return sorted(found, key=lambda event: event.at, reverse=True)[:limit]

    def read_configuration(self, *, large: bool = False) -> Configuration:
        """The newest revision."""
        revision, values, changed = astuple(self._configuration)
        if not large:
            values = {key: value for key, value in values.items() if key[0] not in LARGE}
            changed = {kind: at for kind, at in changed.items() if kind not in LARGE}
        return Configuration(revision, values, changed)

    def change_configuration(self, changes: Sequence[Change], *, after: int, at: int) -> bool:
        """Apply changes to revision ``after``."""
        with self._config_lock:
            old = self._configuration
            if old.revision != after:
                return False
            values, changed = dict(old.values), dict(old.changed)
            for kind, name, value in changes:
                changed[kind] = max(at, changed.get(kind, 0))
                values.pop((kind, name), None)
                if value is not None:
                    values[kind, name] = value
            self._configuration = Configuration(after + 1, values, changed)
            return True

    def add_sampling_reports(
        self, reports: Sequence[SamplingReport], anomalies: Sequence[AnomalyReport]
    ) -> None:
        """Remember reports for good."""
        self._reports += reports
        self._anomalies += anomalies

    def last_sampling_reports(self, window: TimeRange) -> list[SamplingReport]:
        """The last report of each client for each rule."""
        last: dict[tuple[str, str], SamplingReport] = {}
        for report in sorted(r for r in self._reports if r.at in window):
            last[report.rule, report.client] = report
        clients: dict[str, int] = {}
        found = []
        for (rule, _), report in sorted(last.items()):
            clients[rule] = clients.get(rule, 0) + 1
            if clients[rule] <= MAX_CLIENTS:
                found.append(report)
        return found

    def sampling_sums(self, window: TimeRange, step: int) -> list[SamplingSum]:
        """Counts by step and rule."""
        sums: dict[tuple[int, str], SamplingSum] = {}
        for report in self._reports:
            if report.at in window:
                start = report.at // step * step
                known = sums.get((start, report.rule), SamplingSum(report.rule, start, 0, 0, 0))
                sums[start, report.rule] = SamplingSum(
                    report.rule,
                    start,
                    known.requests + report.requests,
                    known.sampled + report.sampled,
                    known.borrowed + report.borrowed,
                )
        return [sums[key] for key in sorted(sums)]

    def first_anomalies(self, rule: str, window: TimeRange) -> list[AnomalyReport]:
        """The first report of each service on anomalies that were not all recorded."""
        first: dict[str, AnomalyReport] = {}
        for report in sorted(self._anomalies, key=lambda r: (r.at, r.anomalies)):
            if report.rule == rule and report.at in window and report.sampled < report.anomalies:
                first.setdefault(report.service, report)
        return [first[service] for service in sorted(first)]

    def put_retrieval(self, retrieval: Retrieval) -> None:
        """Remember a retrieval for good."""
        self._retrievals[retrieval.token] = retrieval

    def get_retrieval(self, token: str, now: int) -> Retrieval | None:
        """The retrieval with a token."""
        found = self._retrievals.get(token)
        return found if found is not None and _valid(found, now) else None

    def count_retrievals(self, now: int) -> int:
        """Valid ones that are not cancelled."""
        return sum(_valid(r, now) and not r.cancelled for r in self._retrievals.values())

    def read_layout(self, name: str) -> StoredLayout | None:
        """The newest layout of a name."""
        return self._layouts.get(name)

    def write_layout(self, name: str, value: bytes, *, after: int) -> bool:
        """Store a layout as the revision after ``after``."""
        with self._config_lock:
            known = self._layouts.get(name)
            if (known.revision if known else 0) != after:
                return False
            self._layouts[name] = StoredLayout(after + 1, value)
            return True


def _valid(retrieval: Retrieval, now: int) -> bool:
    return retrieval.started + RETRIEVAL_SECONDS * 1_000_000 > now

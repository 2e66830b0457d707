"""The reference implementation of what is stored beside traces: alarms, log lines, metrics, problems, deployments and
declarations, on dictionaries."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from store.alarms import FINAL, MOST_OF_URL, AlarmEvent, Delivery, Lock, Pending
from store.declared.model import Declaration, Declared, StackKey
from store.deployments import Deployment
from store.log_lines import (
    ANYWHERE,
    NO_TRACE,
    FailedRequest,
    LinePage,
    LogLine,
    Wanted,
    WrittenIn,
    newest_copies,
)
from store.model import NodeKey, TimeRange
from store.platform_metrics import MetricPoint, MetricStep
from store.problems import StoredProblem
from store.times import MINUTE


class MemoryLock:
    """A lock among the threads of this process."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._alive = True

    @property
    def alive(self) -> bool:
        """Until it is released."""
        return self._alive

    def release(self) -> None:
        """Once."""
        if self._alive:
            self._alive = False
            self._lock.release()


class MemoryAlarms:
    """Events and deliveries. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._alarm_events: dict[tuple[str, int], AlarmEvent] = {}
        self._deliveries: dict[tuple[str, str], Delivery] = {}
        self._alarm_lock = threading.Lock()

    def alarm_lock(self) -> Lock | None:
        """One of this store."""
        return MemoryLock(self._alarm_lock) if self._alarm_lock.acquire(blocking=False) else None

    def add_alarm_event(self, event: AlarmEvent) -> bool:
        """By alarm and number."""
        return self._alarm_events.setdefault((event.alarm, event.seq), event) is event

    def last_alarm_events(self) -> dict[str, AlarmEvent]:
        """The newest by alarm."""
        return {event.alarm: event for event in self._in_order()}

    def alarm_history(self, alarm: str, *, limit: int) -> list[AlarmEvent]:
        """The newest first."""
        found = [event for event in self._in_order() if event.alarm == alarm]
        return found[::-1][:limit]

    def pending_deliveries(self, *, since: int, limit: int) -> list[Pending]:
        """The oldest first."""
        found: list[Pending] = []
        events = [event for event in self._alarm_events.values() if event.at >= since]
        for event in sorted(events, key=lambda e: (e.at, e.alarm, e.seq)):
            for url in event.targets:
                latest = self._deliveries.get((event.id, url))
                if latest is None:
                    found.append(Pending(event, url))
                elif latest.status not in FINAL:
                    found.append(Pending(event, url, latest.attempts, latest.at))
        seen: Counter[str] = Counter()
        few: list[Pending] = []
        for each in found:
            seen[each.url] += 1
            if seen[each.url] <= MOST_OF_URL:
                few.append(each)
        return few[:limit]

    def put_delivery(self, delivery: Delivery) -> None:
        """In place of the one before."""
        self._deliveries[delivery.event, delivery.url] = delivery

    def deliveries(self, events: Collection[str]) -> list[Delivery]:
        """By event and URL."""
        return [each for key, each in sorted(self._deliveries.items()) if key[0] in events]

    def _in_order(self) -> list[AlarmEvent]:
        return [event for _, event in sorted(self._alarm_events.items())]


class MemoryLogs:
    """Log lines. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._lines: list[LogLine] = []

    def put_log_lines(self, lines: Sequence[LogLine], token: str) -> None:
        """Store lines."""
        self._lines = newest_copies([*self._lines, *lines])

    def request_lines(self, wanted: Wanted, *, limit: int) -> LinePage:
        """The first lines of requests."""
        found = [line for line in self._lines if wanted.includes(line)]
        return LinePage(found[:limit], max(0, len(found) - limit))

    def node_lines(
        self,
        names: Collection[str],
        window: TimeRange,
        *,
        limit: int,
        within: WrittenIn = ANYWHERE,
    ) -> LinePage:
        """The last lines under some names."""
        lines = [line for line in self._lines if line.name in names and line.time in window]
        requests = {line.request_id for line in lines if line.trace_id in (within.traces or ())}
        found = [line for line in lines if within.includes(line, requests - {""})]
        return LinePage(found[-limit:], max(0, len(found) - limit))

    def failed_requests(self, since: int) -> set[FailedRequest]:
        """The requests of failures, whenever they were received."""
        failed = {line.request_id for line in self._lines if line.failure} - {""}
        return {
            FailedRequest(line.trace_id, line.request_id)
            for line in self._lines
            if line.request_id in failed and line.trace_id != NO_TRACE
        }

    def request_traces(self, requests: Collection[str], window: TimeRange) -> dict[str, bytes]:
        """The traces that lines name."""
        return {
            line.request_id: line.trace_id
            for line in self._lines
            if line.request_id in requests
            and line.request_id
            and line.time in window
            and line.trace_id != NO_TRACE
        }

    def recorded_lines(self, record: str, since: int, *, limit: int) -> LinePage:
        """The first lines of one kind, whenever they were received."""
        found = [line for line in self._lines if line.record == record]
        return LinePage(found[:limit], max(0, len(found) - limit))


class MemoryMetrics:
    """Points of metrics. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._points: dict[tuple[str | int, ...], MetricPoint] = {}

    def put_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        """Store points."""
        self._points.update({point.key: point for point in points})

    def metric_steps(
        self, node: NodeKey, types: Sequence[str], window: TimeRange, step: int
    ) -> list[MetricStep]:
        """Sums by metric and step."""
        steps: dict[tuple[str, int], list[MetricPoint]] = {}
        for point in self._points.values():
            inside = window.start // MINUTE <= point.minute < -(-window.end // MINUTE)
            if inside and _is_of(point, node, types):
                steps.setdefault((point.metric, point.minute // step * step), []).append(point)
        return [
            MetricStep(
                metric,
                max(point.unit for point in points),
                minute,
                sum(point.sum for point in points),
                sum(point.count for point in points),
                min(point.min for point in points),
                max(point.max for point in points),
            )
            for (metric, minute), points in sorted(steps.items())
        ]


def _is_of(point: MetricPoint, node: NodeKey, types: Sequence[str]) -> bool:
    return (
        point.name == node.name
        and point.type in types
        and not point.dimensions
        and (not node.account or point.account in ("", node.account))
        and (not node.region or point.region in ("", node.region))
    )


class MemoryProblems:
    """Problems. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._problems: dict[UUID, StoredProblem] = {}

    def put_problems(self, problems: Sequence[StoredProblem]) -> None:
        """By id; the latest applies."""
        for each in problems:
            known = self._problems.get(each.id)
            if known is None or known.updated <= each.updated:
                self._problems[each.id] = each

    def find_problems(
        self, window: TimeRange, *, active: bool | None = None, limit: int
    ) -> list[StoredProblem]:
        """The latest to begin first."""
        found = [
            each
            for each in self._problems.values()
            if each.since < window.end
            and (each.active or each.ended > window.start)
            and active in (None, each.active)
        ]
        return sorted(found, key=lambda each: (-each.since, str(each.id)))[:limit]

    def get_problem(self, id: UUID) -> StoredProblem | None:
        """By id."""
        return self._problems.get(id)


class MemoryDeployments:
    """Deployments by id. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._deployments: dict[str, Deployment] = {}

    def put_deployment(self, deployment: Deployment, at: int) -> None:
        """Remember a deployment."""
        self._deployments[deployment.id] = deployment

    def remove_deployment(self, id: str, at: int) -> bool:
        """Forget a deployment."""
        return self._deployments.pop(id, None) is not None

    def deployments(self, window: TimeRange, *, limit: int) -> list[Deployment]:
        """The latest first."""
        found = [each for each in self._deployments.values() if each.at in window]
        return sorted(found, key=lambda each: (-each.at, each.id))[:limit]


class MemoryDeclarations:
    """Declarations by key. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._declarations: dict[StackKey, Declared] = {}

    def put_declaration(self, declaration: Declaration, at: int) -> None:
        """Remember it."""
        self._declarations[declaration.key] = Declared(declaration, at)

    def remove_declaration(self, key: StackKey, at: int) -> bool:
        """Forget it."""
        return self._declarations.pop(key, None) is not None

    def declarations(self) -> list[Declared]:
        """By key."""
        return [each for _, each in sorted(self._declarations.items(), key=lambda item: item[0])]

"""docs/reference/metrics.md: every metric that a scrape shows, from the code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from api.alarms.counters import deliveries, evaluations, transitions
from api.metrics import request_seconds
from collector.budget import without_room
from collector.kafka.metrics import KafkaMetrics
from collector.metrics import IngestMetrics
from raymap.alarm_runner import evaluated, judged
from raymap.auth.authenticator import admitted_anyway, refusals
from raymap.auth.quotas import limited
from raymap.installation_metrics import families as installation_families
from raymap.self_trace import DROPPED
from raymap.tenants.metrics import families as tenant_families
from store.metrics import DIRTY_MINUTES, QUERY_SECONDS, ROLLUP_LAG, ROUND_SECONDS

HEAD = """\
# Metrics of Raymap itself

Written from the code (`python -m tests.docs`): what `GET /metrics` shows of every process, for Prometheus.
[Operating](../operating.md#metrics) says how to read some of them, [the runbook](../runbook.md) what to do about each
alert. Those of `/api/v1/metrics`, the edges of the map, are in [the API](../api.md#the-map-in-prometheus).
"""
PARTS = (
    (
        "Received",
        ("documents_", "properties", "values", "udp", "telemetry", "metrics_", "requests_"),
    ),
    ("Log lines and metrics of a platform", ("log_", "metric_", "platform_")),
    (
        "On the way to the store",
        ("queue", "journal", "oldest", "store_un", "cell", "ingest", "batches", "insert"),
    ),
    ("Topics of Kafka", ("kafka",)),
    ("Read", ("http", "store_query", "self_trace")),
    ("Counted", ("rollup", "dirty", "problems")),
    ("Keys", ("key_l", "auth")),
    ("Alarms", ("alarm",)),
    ("The installation", ("disk", "certificate", "key_e", "backup", "process")),
    ("Of one tenant", ("tenant",)),
)
"""Sections, with how the names begin that each contains; the first one that fits."""


class Family:
    """A metric of an installation (`raymap.installation_metrics`), as the client's own are."""

    def __init__(self, family: Any) -> None:
        self._family, self._type, self._labelnames = family, family.type, family._labelnames

    def describe(self) -> list[Any]:
        return [self._family]


def exposed() -> Mapping[str, Any]:
    """Metrics by the name that a scrape shows: of ingest, the store, the API, tenants, the installation."""
    ingest = [
        *vars(IngestMetrics(CollectorRegistry())).values(),
        *vars(KafkaMetrics(CollectorRegistry())).values(),
    ]
    own = [
        *(ROLLUP_LAG, DIRTY_MINUTES, QUERY_SECONDS, ROUND_SECONDS, DROPPED),
        *(request_seconds(), refusals(), admitted_anyway(), limited(), without_room()),
        *(evaluations(), transitions(), deliveries(), evaluated(), judged()),
    ]
    candidates = (*ingest, *own, *tenant_families(CollectorRegistry()))
    metrics = [metric for metric in candidates if hasattr(metric, "labels")]
    return {
        family.name + "_total" * (family.type == "counter"): metric
        for metric in [*metrics, *map(Family, installation_families())]
        for family in metric.describe()
    }


def page() -> str:
    """The page as Markdown."""
    waiting = dict(exposed())
    text = [HEAD]
    for title, beginnings in PARTS:
        names = [
            name for name in waiting if name.removeprefix("raymap_").startswith(tuple(beginnings))
        ]
        text += [f"## {title}", "", "| metric | type | labels | |", "|---|---|---|---|"]
        text += [row(name, waiting.pop(name)) for name in names] + [""]
    assert not waiting, f"in no section of tests/docs/metrics.py: {', '.join(waiting)}"
    return "\n".join(text)


def row(name: str, metric: Any) -> str:
    """A line of a table."""
    (family,) = metric.describe()
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |"

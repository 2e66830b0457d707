"""GET /api/v1/metrics: the edges of the map for Prometheus, in OpenMetrics or Prometheus' text format.

Names and labels are those of Tempo's metrics generator and OpenTelemetry's service graph connector. A
path of its own, not a part of /metrics: it reads the store, may be long, and is scraped once for all
processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from fastapi import APIRouter, Request, Response
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from api.context import Context, run_cancellable
from api.v1.part import v1_part
from raymap.contrib.openmetrics.numbers import BOUNDS, STATES, ZERO, Edges, Numbers, Pair, plus
from raymap.contrib.openmetrics.totals import Totals
from store.times import SECOND

PREFIX = "traces_service_graph_request"
MEDIA = "application/openmetrics-text", "text/plain"
LABELS = list(Pair._fields)


def openmetrics_router(context: Context) -> APIRouter:
    """/api/v1/metrics, one of /api/v1 to clients."""
    router = v1_part()
    totals = Totals(context.service_graph, _now(context))

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {media: {"schema": {"type": "string"}} for media in MEDIA}}},
    )
    async def get_graph_metrics(request: Request) -> Response:
        """Counters and histograms of the map's edges, for Prometheus; they grow by whole minutes, two
        minutes after their end."""
        encode, media = encoder(request.headers.get("accept") or "")

        def work() -> Response:
            edges = totals.update(_now(context))
            return Response(encode(EdgeCollector(edges, totals.started / SECOND)), media_type=media)

        return await run_cancellable(request, work)

    return router


def encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    """The encoder that an Accept header prefers and its media type; Prometheus' text format when the
    header cannot be read."""
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # of a version that is no number
        return choose_encoder("")


def _now(context: Context) -> int:
    return round(context.clock() * SECOND)


class EdgeCollector(Collector):
    """Counters as metric families. ``created``: since when they count, epoch seconds."""

    def __init__(self, edges: Edges, created: float) -> None:
        self._edges, self._created = edges, created

    def collect(self) -> Iterator[Metric]:
        """All families."""
        every: dict[Pair, Numbers] = {}
        for part in self._edges:
            for pair, numbers in part.items():
                every[pair] = plus(every.get(pair, ZERO), numbers)
        yield self._counter("", "Finished requests", {p: n.requests for p, n in every.items()})
        failed = {pair: numbers.failed for pair, numbers in every.items()}
        yield self._counter("_failed", "Requests that ended in error, throttle or fault", failed)
        yield self._states(every)
        seconds = "Response time in seconds, as measured by the"
        yield _histogram("_server_seconds", f"{seconds} server: requests that enter", self._edges.entries)  # fmt: skip
        yield _histogram("_client_seconds", f"{seconds} caller: all other calls", self._edges.calls)
        yield _histogram(
            "_messaging_system_seconds",
            "Age of received events in seconds, since the end of the sender's work",
            self._edges.events,
        )

    def _counter(self, name: str, text: str, values: Mapping[Pair, int]) -> Metric:
        family = CounterMetricFamily(PREFIX + name, text, labels=LABELS)
        for pair, value in sorted(values.items()):
            family.add_metric(pair, value, created=self._created)
        return family

    def _states(self, edges: Mapping[Pair, Numbers]) -> Metric:
        text = "Finished requests by how they ended: ok, error (4xx), throttle (429), fault (5xx)"
        family = CounterMetricFamily(f"{PREFIX}_state", text, labels=[*LABELS, "state"])
        for pair, numbers in sorted(edges.items()):
            for state, count in zip(STATES, numbers.states, strict=True):
                family.add_metric([*pair, state], count, created=self._created)
        return family


def _histogram(name: str, text: str, edges: Mapping[Pair, Numbers]) -> Metric:
    family = HistogramMetricFamily(PREFIX + name, text, labels=LABELS)
    bounds = [*map(str, BOUNDS), "+Inf"]
    for pair, numbers in sorted(edges.items()):
        cumulated = list(zip(bounds, accumulate(numbers.times), strict=True))
        family.add_metric(pair, cumulated, numbers.spent / SECOND)
    return family

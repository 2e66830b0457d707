"""Metrics of a node, from its traces and from its platform."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Figure, Freshness, Instant, reply
from api.schemas.v1 import Span

MetricSource = Literal["platform metrics", "platform records", "application", "traces"]


class MetricData(TypedDict):
    """A series, in the shape of CloudWatch's GetMetricData and with its unit and source."""

    Id: Annotated[str, Field(description="unique in the answer")]
    Label: str
    Timestamps: Annotated[
        list[Instant], Field(description="starts of steps with points, ascending")
    ]
    Values: list[float]
    StatusCode: Literal["Complete"]
    Stat: Literal["Sum", "Average", "Maximum"]
    Unit: str
    Source: Annotated[
        MetricSource | None,
        Field(description="traces are sampled, the platform is not; null: none"),
    ]
    Help: Annotated[str, Field(description="how to send the metric, or what it lacks; else empty")]


@reply
class NodeMetrics(Span, Freshness):
    """The metrics of a node."""

    node: str
    period: Annotated[int, Field(description="seconds of a step")]
    MetricDataResults: list[MetricData]


class MetricChart(TypedDict):
    """A metric of a node as a chart."""

    label: str
    stat: Literal["Sum", "Average", "Maximum"]
    unit: str
    source: MetricSource | None
    help: Annotated[str, Field(description="how to send it, or what it lacks; else empty")]
    total: Annotated[
        float | None,
        Field(description="over the whole window, by its statistic; null without points"),
    ]
    figure: Figure | None


@reply
class NodeCharts(Freshness):
    """The metrics of a node as charts."""

    charts: list[MetricChart]

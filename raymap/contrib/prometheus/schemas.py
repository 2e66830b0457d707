"""Shapes of Prometheus' query API, as Grafana's data source reads them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import reply

Sample = Annotated[
    list[Any], Field(description="epoch seconds, and the value as text", min_length=2, max_length=2)
]
Warnings = Annotated[list[str], Field(description="only if something is missing")]


class PrometheusSeries(TypedDict):
    """A series: its labels, and its value at one instant or at several."""

    metric: dict[str, str]
    value: NotRequired[Sample]
    values: NotRequired[list[Sample]]


class PrometheusData(TypedDict):
    """The value of a query."""

    resultType: Literal["scalar", "vector", "matrix"]
    result: list[PrometheusSeries] | Sample


@reply
class PrometheusResult(TypedDict):
    """An answer to a query."""

    status: Literal["success"]
    data: PrometheusData
    warnings: NotRequired[Warnings]


@reply
class PrometheusTexts(TypedDict):
    """Names of labels, or values of one."""

    status: Literal["success"]
    data: list[str]
    warnings: NotRequired[Warnings]


@reply
class PrometheusLabels(TypedDict):
    """Series by their labels."""

    status: Literal["success"]
    data: list[dict[str, str]]
    warnings: NotRequired[Warnings]


class PrometheusFamily(TypedDict):
    """What a metric is."""

    type: str
    help: str
    unit: str


@reply
class PrometheusMetadata(TypedDict):
    """What metrics are, by their names."""

    status: Literal["success"]
    data: dict[str, list[PrometheusFamily]]


class PrometheusBuild(TypedDict):
    """Raymap's version, and that of the API."""

    version: str
    revision: str
    branch: str
    buildUser: str
    buildDate: str
    goVersion: str


@reply
class PrometheusBuildInfo(TypedDict):
    """Which server this is."""

    status: Literal["success"]
    data: PrometheusBuild

"""Shapes of Zipkin's query API, as its own UI and Grafana's data source read them."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, RootModel
from typing_extensions import TypedDict

from api.schemas.common import reply

DEFERRED = ConfigDict(defer_build=True)
"""As `api.schemas.common.reply`, of lists."""
Microseconds = Annotated[int, Field(description="since the epoch")]


class Endpoint(TypedDict):
    """A side of a span."""

    serviceName: str


class Annotation(TypedDict):
    """An event of a span."""

    timestamp: Microseconds
    value: str


class ZipkinSpan(TypedDict):
    """A span."""

    traceId: Annotated[str, Field(description="32 hex digits")]
    id: Annotated[str, Field(description="16 hex digits")]
    parentId: NotRequired[str]
    kind: NotRequired[Literal["CLIENT", "SERVER", "PRODUCER", "CONSUMER"]]
    name: str
    timestamp: Microseconds
    duration: NotRequired[Annotated[int, Field(description="microseconds; absent in progress")]]
    localEndpoint: Endpoint
    remoteEndpoint: NotRequired[Endpoint]
    annotations: list[Annotation]
    tags: dict[str, str]


class DependencyLink(TypedDict):
    """How often one service called another."""

    parent: str
    child: str
    callCount: int
    errorCount: Annotated[int, Field(description="calls that were faults")]


class Dependency(TypedDict):
    """Whether the UI shows its page of dependencies."""

    enabled: bool


@reply
class UiConfig(TypedDict):
    """What Zipkin's UI reads first."""

    environment: str
    queryLimit: int
    defaultLookback: Annotated[int, Field(description="milliseconds")]
    searchEnabled: bool
    dependency: Dependency


class ZipkinNames(RootModel[list[str]]):
    """Names."""

    model_config = DEFERRED


class ZipkinTrace(RootModel[list[ZipkinSpan]]):
    """The spans of a trace."""

    model_config = DEFERRED


class ZipkinTraces(RootModel[list[list[ZipkinSpan]]]):
    """Traces."""

    model_config = DEFERRED


class ZipkinDependencies(RootModel[list[DependencyLink]]):
    """Calls between services."""

    model_config = DEFERRED

"""Points of metrics by minute and node: what a point is, when two are one, and what series are made of.

Minutes since the epoch. Durations are milliseconds, as in CloudWatch.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol, runtime_checkable

from msgspec import Struct

from store.model import NodeKey, TimeRange

MOST_NAME = 255
"""Characters of a metric's name, CloudWatch's own limit."""


class MetricPoint(Struct, frozen=True, array_like=True):
    """What was measured of a node in a minute, or a part of it."""

    name: str
    """Of the node; then its type, account and region."""
    type: str
    account: str
    region: str
    metric: str
    """``namespace/name``, such as ``AWS/Lambda/Invocations``."""
    minute: int
    sum: float
    count: float
    min: float
    max: float
    unit: str = ""
    source: str = ""
    """How it came: ``metric stream``, ``record``, ``emf``, ``otlp``."""
    dimensions: str = ""
    """Those that do not name the node."""
    point: int = 0
    """Which of the minute's points it is: the same one again replaces it."""

    @property
    def key(self) -> tuple[str | int, ...]:
        """What replaces a point has its key."""
        node = (self.name, self.type, self.account, self.region)
        return (*node, self.metric, self.minute, self.dimensions, self.point)


def point_id(*parts: object) -> int:
    """The number of one of several points in a minute: the same whenever it is delivered again."""
    content = "\0".join(map(str, parts)).encode(errors="replace")
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little")


class MetricStep(Struct, frozen=True):
    """The points of a metric in a step that begins at ``minute``."""

    metric: str
    unit: str
    minute: int
    sum: float
    count: float
    min: float
    max: float


@runtime_checkable
class MetricWriter(Protocol):
    """Stores points."""

    def put_metric_points(self, points: Sequence[MetricPoint], token: str) -> None:
        """Store points; they survive a crash once this returns. Idempotent by ``token``; a point
        replaces one with the same key. Raises StoreUnavailable and DataRefused."""
        ...


class MetricStore(MetricWriter, Protocol):
    """Stores and reads points."""

    def metric_steps(
        self, node: NodeKey, types: Sequence[str], window: TimeRange, step: int
    ) -> list[MetricStep]:
        """The points without dimensions of a node, whose type is one of ``types``, by metric and step
        (minutes, a multiple of them since the epoch). Where the account or the region of the node or
        of a point is not known, that is no difference."""
        ...

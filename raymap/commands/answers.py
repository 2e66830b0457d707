"""Answers of `/api/v1` as they came, with their parts as tables."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from raymap.commands.frames import Flat, Rows

if TYPE_CHECKING:
    from api.schemas.v1 import NamedEdge, RatedNode, StatsGroup, StatsPoint

Json = dict[str, Any]


class Incomplete(UserWarning):
    """A table lacks a part of the answer."""


class ServiceMap(Json):
    """Services and edges of a window."""

    @property
    def services(self) -> Rows[RatedNode]:
        """A row for each service."""
        return Rows(lambda: cast("list[RatedNode]", self["services"]), about=self._about)

    @property
    def edges(self) -> Rows[NamedEdge]:
        """A row for each edge."""
        return Rows(lambda: cast("list[NamedEdge]", self["edges"]), about=self._about)

    def _about(self) -> Mapping[str, Any]:
        if self.get("incomplete"):
            minutes = self["incomplete"]["minutes"]
            warnings.warn(
                f"{minutes} minutes of this window are still to be counted", Incomplete, 4
            )
        return {"from": self["from"], "to": self["to"]}


class Stats(Json):
    """Groups of traces or requests, with their figures."""

    @property
    def groups(self) -> Rows[StatsGroup]:
        """A row for each group: its values by dimension, ``traces``, the metrics, and the filter of its traces."""
        return Rows(self._groups, self._group, self._about)

    @property
    def points(self) -> Rows[tuple[StatsGroup, StatsPoint]]:
        """A row for each group and step; empty without ``step``."""
        return Rows(self._points, self._point, self._about)

    @property
    def complete(self) -> bool:
        """Whether all traces that the filter selects were counted, and all groups are here."""
        return bool(self["complete"]) and len(self["groups"]) == self["groups_total"]

    def to_pandas(self) -> Any:
        """The groups as a frame of pandas."""
        return self.groups.to_pandas()

    def to_arrow(self) -> Any:
        """The groups as a table of Arrow."""
        return self.groups.to_arrow()

    def _groups(self) -> list[StatsGroup]:
        return cast("list[StatsGroup]", self["groups"])

    def _points(self) -> Iterator[tuple[StatsGroup, StatsPoint]]:
        for group in self._groups():
            for point in group["points"]:
                yield group, point

    def _values(self, group: StatsGroup) -> Flat:
        return dict(zip(map(_column, self["by"]), group["values"], strict=True))

    def _group(self, group: StatsGroup) -> Flat:
        link = {"filter": group["filter"], "status": group["status"]}
        return {**self._values(group), "traces": group["traces"], **group["metrics"], **link}

    def _point(self, pair: tuple[StatsGroup, StatsPoint]) -> Flat:
        group, point = pair
        return {**self._values(group), "start": point["start"], **point["metrics"]}

    def _about(self) -> Mapping[str, Any]:
        if not self["complete"]:
            warnings.warn(
                f"only the newest {self['examined']:,} traces were counted: narrow the window or the filter",
                Incomplete,
                4,
            )
        if (left := self["groups_total"] - len(self["groups"])) > 0:
            warnings.warn(f"{left:,} more groups: pass limit, at most 1000", Incomplete, 4)
        names = ("from", "to", "examined", "complete", "counted_from", "groups_total", "total")
        return {name: self[name] for name in names}


def _column(dimension: str) -> str:
    """An annotation as lists of traces name it."""
    return re.sub(r"^annotation\[(.*)\]$", r"annotation.\1", dimension)

"""The part of the store protocol that is about versions of services."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol

from store.clickhouse import versions as of_versions
from store.clickhouse.connection.query_runner import QueryRunner
from store.filters.ast import Expression
from store.model import NodeKey, TimeRange
from store.query import TimeBucket, VersionStatistics


class _HasRunner(Protocol):
    def _asking(self) -> AbstractContextManager[QueryRunner]: ...


class VersionMethods:
    """Methods of `store.protocol.GraphReader`. ``beside_requests``: another cell has requests of these nodes, so that
    background work does not count, even if there is nothing else here."""

    def version_statistics(
        self: _HasRunner,
        nodes: Collection[NodeKey],
        window: TimeRange,
        versions: Collection[str] | None = None,
        *,
        weighted: bool = True,
        within: Expression | None = None,
        beside_requests: bool = False,
    ) -> dict[str, VersionStatistics]:
        """Statistics of nodes by version."""
        with self._asking() as ask:
            return of_versions.version_statistics(
                ask,
                nodes,
                window,
                versions,
                weighted=weighted,
                within=within,
                beside_requests=beside_requests,
            )

    def version_series(
        self: _HasRunner,
        nodes: Collection[NodeKey],
        window: TimeRange,
        version: str,
        step: int,
        *,
        beside_requests: bool = False,
    ) -> list[TimeBucket]:
        """Statistics of one version per step."""
        with self._asking() as ask:
            return of_versions.version_series(
                ask, nodes, window, version, step, beside_requests=beside_requests
            )

    def has_requests(
        self: _HasRunner,
        nodes: Collection[NodeKey],
        window: TimeRange,
        within: Expression | None = None,
    ) -> bool:
        """Whether any segment of nodes is no background work."""
        with self._asking() as ask:
            return of_versions.has_requests(ask, nodes, window, within)

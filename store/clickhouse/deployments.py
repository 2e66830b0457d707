"""Deployments in ClickHouse: `store.deployments.DeploymentStore`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec
from clickhouse_driver import Client

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql
from store.deployments import Deployment
from store.model import TimeRange

_decode = msgspec.json.Decoder(Deployment).decode


class _HasClient(Protocol):
    def _client(self) -> AbstractContextManager[Client]: ...


class DeploymentMethods:
    """Methods of `DeploymentStore`."""

    def put_deployment(self: _HasClient, deployment: Deployment, at: int) -> None:
        """Insert a row; the newest of an id applies."""
        with self._client() as client:
            _insert(client, deployment, removed=False, version=at)

    def remove_deployment(self: _HasClient, id: str, at: int) -> bool:
        """Insert a row that says so."""
        with self._client() as client:
            statement = "SELECT value FROM deployments FINAL WHERE id = {id:String} AND removed = 0"
            for (value,) in execute(client, Sql(statement, {"id": id})):
                _insert(client, _decode(value), removed=True, version=at)
                return True
            return False

    def deployments(self: _HasClient, window: TimeRange, *, limit: int) -> list[Deployment]:
        """The latest first."""
        statement = queries.DEPLOYMENTS.render(start=window.start, end=window.end, most=limit)
        with self._client() as client:
            return [_decode(value) for (value,) in execute(client, statement)]


def _insert(client: Client, deployment: Deployment, *, removed: bool, version: int) -> None:
    value = msgspec.json.encode(deployment).decode()
    client.execute(
        "INSERT INTO deployments (id, at, value, removed, ver) VALUES",
        [(deployment.id, deployment.at, value, int(removed), version)],
    )

"""Declarations in ClickHouse: `store.declared.model.DeclarationStore`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec
import structlog
from clickhouse_driver import Client

from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql
from store.declared.model import Declaration, Declared, StackKey

_decode = msgspec.json.Decoder(Declaration).decode
_log = structlog.get_logger(__name__)
_ALL = "SELECT value, ver FROM declarations FINAL WHERE removed = 0 ORDER BY stack, account, region"
_ONE = (
    "SELECT count() FROM declarations FINAL WHERE removed = 0 "
    "AND stack = {stack:String} AND account = {account:String} AND region = {region:String}"
)


class _HasClient(Protocol):
    def _client(self) -> AbstractContextManager[Client]: ...


class DeclarationMethods:
    """Methods of `DeclarationStore`."""

    def put_declaration(self: _HasClient, declaration: Declaration, at: int) -> None:
        """Insert a row; the newest of a stack applies."""
        value = msgspec.json.encode(declaration).decode()
        with self._client() as client:
            _insert(client, declaration.key, value, removed=False, version=at)

    def remove_declaration(self: _HasClient, key: StackKey, at: int) -> bool:
        """Insert a row that says so."""
        with self._client() as client:
            ((found,),) = execute(client, Sql(_ONE, key._asdict()))
            if found:
                _insert(client, key, "", removed=True, version=at)
            return bool(found)

    def declarations(self: _HasClient) -> list[Declared]:
        """By key. One of a later release may say what this program does not know: it is left out."""
        with self._client() as client:
            rows = execute(client, Sql(_ALL, {}))
        found = []
        for value, at in rows:
            try:
                found.append(Declared(_decode(value), at))
            except msgspec.ValidationError as error:
                _log.warning("declaration_of_another_release", reason=str(error))
        return found


def _insert(client: Client, key: StackKey, value: str, *, removed: bool, version: int) -> None:
    client.execute(
        "INSERT INTO declarations (stack, account, region, value, removed, ver) VALUES",
        [(*key, value, int(removed), version)],
    )

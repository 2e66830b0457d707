"""The part of the store protocol that is about pinned traces."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from clickhouse_driver import Client

from store.clickhouse import pins
from store.pins import Pin


class _HasClient(Protocol):
    def _client(self) -> AbstractContextManager[Client]: ...


class PinMethods:
    """Methods of `store.protocol.Store` over `store.clickhouse.pins`."""

    def pin(self: _HasClient, trace_id: bytes, note: str, at: int) -> Pin:
        """Exempt a trace from expiry."""
        with self._client() as client:
            return pins.pin(client, trace_id, note, at)

    def unpin(self: _HasClient, trace_id: bytes, at: int) -> bool:
        """Let a trace expire."""
        with self._client() as client:
            return pins.unpin(client, trace_id, at)

    def pins(self: _HasClient) -> list[Pin]:
        """Pinned traces, the latest first."""
        with self._client() as client:
            return pins.pins(client)

    def pin_of(self: _HasClient, trace_id: bytes) -> Pin | None:
        """The pin of one trace."""
        with self._client() as client:
            return pins.pin_of(client, trace_id)

    def refresh_pins(self: _HasClient) -> int:
        """Copy what arrived late of pinned traces."""
        with self._client() as client:
            return pins.reconcile(client)

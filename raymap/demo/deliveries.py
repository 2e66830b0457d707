"""Records that are sent over HTTP, those of a second in one request."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

INTERVAL = 1.0
"""Seconds that records wait for others. Firehose's own is up to 15 minutes."""
MOST = 500
"""Records in a request."""
TIMEOUT = 10.0


class Deliveries(Generic[T]):
    """Records that wait for a request. What the receiver does not take is lost, as the demo's datagrams are."""

    def __init__(
        self,
        address: str,
        path: str,
        headers: Mapping[str, str],
        body_of: Callable[[list[T]], object],
    ) -> None:
        self._address = address
        self._path = path
        self._headers = {"Content-Type": "application/json", **headers}
        self._body_of = body_of
        self._waiting: list[T] = []
        self._since = 0.0
        self.delivered = 0

    def add(self, record: T, now: float) -> None:
        """Deliver a record within `INTERVAL`. ``now``: monotonic seconds."""
        if not self._waiting:
            self._since = now
        self._waiting.append(record)
        self.deliver(now)

    def deliver(self, now: float) -> None:
        """What has waited long enough."""
        if not self._waiting or (now - self._since < INTERVAL and len(self._waiting) < MOST):
            return
        records, self._waiting = self._waiting, []
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            body = json.dumps(self._body_of(records))
            connection.request("POST", self._path, body, dict(self._headers))
            if connection.getresponse().status == 200:
                self.delivered += len(records)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

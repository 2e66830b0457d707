"""What the layer of a function uploads, to the address that all else goes to."""

from __future__ import annotations

import os
from typing import Any

from raymap.demo.deliveries import Deliveries
from raymap.demo.trace import Upload


class Layers:
    """Uploads that wait, by function: a request is of one."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._functions: dict[str, Deliveries[Upload]] = {}

    def add(self, upload: Upload, now: float) -> None:
        """Deliver an upload soon."""
        name = upload.function["name"]
        if name not in self._functions:
            key = os.environ.get("RAYMAP_LAMBDA_KEY", "") or os.environ.get("RAYMAP_TOKEN", "")
            headers = {"X-Api-Key": key}
            self._functions[name] = Deliveries(self._address, "/lambda/telemetry", headers, body)
        self._functions[name].add(upload, now)

    def deliver(self, now: float) -> None:
        """What has waited long enough."""
        for each in self._functions.values():
            each.deliver(now)


def body(uploads: list[Upload]) -> dict[str, Any]:
    """The uploads of one function as a request."""
    events = [event for each in uploads for event in each.events]
    return {"function": uploads[0].function, "events": events, "documents": []}

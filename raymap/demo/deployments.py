"""Deployments of the shop's functions, reported as a pipeline would. What is not taken is lost."""

from __future__ import annotations

from raymap.demo import clock
from raymap.demo.functions import CATALOG
from raymap.demo.server import request

ALARM = "/api/v1/alarms/catalog-canary"


class Deployments:
    """Reports each deployment once, the latest one at the start, and lets an alarm watch its version."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._last = 0.0

    def report(self, now: float) -> None:
        """Report the latest deployment unless that is done. ``now``: epoch seconds."""
        at = clock.last_deployment(now)
        if at == self._last:
            return
        self._last = at
        version = clock.function_version(at, 0.0)
        body = {"service": CATALOG.name, "version": str(version), "at": at, "state": "canary"}
        request(self._address, "POST", "/api/v1/deployments", body)
        request(self._address, "PUT", ALARM, canary_alarm(str(version)))


def canary_alarm(version: str) -> dict[str, object]:
    """Of the new version alone: of all requests, its failures are too few to notice."""
    return {
        "selector": f'service(id(name: "{CATALOG.name}", type: "AWS::Lambda::Function"))',
        "version": version,
        "metric": "fault_share",
        "threshold": 0.1,
        "periods": 3,
        "datapoints": 2,
        "minimum": 3,
        "note": "an example of the demo: follows each deployment",
    }

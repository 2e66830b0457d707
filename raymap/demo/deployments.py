"""Deployments of the shop's functions, reported as a pipeline would. What is not taken is lost."""

from __future__ import annotations

from raymap.demo.clock import Calendar, Change
from raymap.demo.functions import CATALOG
from raymap.demo.server import request

ALARM = "/api/v1/alarms/catalog-canary"


class Deployments:
    """Reports each change once, the latest one at the start, and lets an alarm watch the version deployed last."""

    def __init__(self, address: str, calendar: Calendar) -> None:
        self._address = address
        self._calendar = calendar
        self._last: Change | None = None

    def report(self, now: float) -> None:
        """Report the latest change unless that is done. ``now``: epoch seconds."""
        change = self._calendar.latest_change(now)
        if change == self._last:
            return
        self._last = change
        body = {"service": CATALOG.name, **change._asdict(), "version": str(change.version)}
        request(self._address, "POST", "/api/v1/deployments", body)
        if change.state != "rolled back":
            request(self._address, "PUT", ALARM, canary_alarm(str(change.version)))


def canary_alarm(version: str) -> dict[str, object]:
    """Of the new version alone: of all requests, its failures are too few to notice."""
    return {
        "selector": f'service(id(name: "{CATALOG.name}", type: "AWS::Lambda::Function"))',
        "version": version,
        "metric": "fault_share",
        "threshold": 0.15,
        "periods": 3,
        "datapoints": 2,
        "minimum": 3,
        "note": "an example of the demo: follows each deployment",
    }

"""The demo's alarm: it fires while the payment provider is ailing (`Calendar.payments_ailing`)."""

from __future__ import annotations

from raymap.demo.functions import PAYMENTS
from raymap.demo.server import request

PATH = "/api/v1/alarms/payments-faults"
ALARM = {
    "selector": f'service("{PAYMENTS.name}")',
    "metric": "fault_share",
    "threshold": 0.2,
    "datapoints": 1,
    "periods": 2,
    "minimum": 3,
    "note": "an example of the demo",
}


def put_alarm(address: str) -> None:
    """Create it, unless it is there: someone may have changed it."""
    if request(address, "GET", PATH) == 404:
        request(address, "PUT", PATH, ALARM)

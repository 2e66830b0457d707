"""Log lines of functions, as a CloudWatch Logs subscription delivers them through Firehose."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import os
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from raymap.demo import aws
from raymap.demo.trace import LogLine

INTERVAL = 1.0
"""Seconds that lines wait for others. Firehose's own is up to 15 minutes."""
TIMEOUT = 2.0
STREAM = "2026/11/26/[$LATEST]5b3c8f"
HEADERS = {
    "Content-Type": "application/json",
    "X-Amz-Firehose-Source-Arn": aws.arn("firehose", "deliverystream/logs"),
}


class Logs:
    """Lines that wait for a delivery. What the receiver does not take is lost, as the demo's datagrams
    are."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lines: list[LogLine] = []
        self._since = 0.0
        self.delivered = 0

    def add(self, line: LogLine, now: float) -> None:
        """Deliver a line within `INTERVAL`. ``now``: monotonic seconds."""
        if not self._lines:
            self._since = now
        self._lines.append(line)
        self.deliver(now)

    def deliver(self, now: float) -> None:
        """What has waited long enough."""
        if not self._lines or now - self._since < INTERVAL:
            return
        lines, self._lines = self._lines, []
        key = os.environ.get("RAYMAP_FIREHOSE_KEY", "")
        headers = HEADERS | {"X-Amz-Firehose-Access-Key": key}
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            connection.request("POST", "/firehose/logs", json.dumps(delivery(lines)), headers)
            if connection.getresponse().status == 200:
                self.delivered += len(lines)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()


def delivery(lines: Iterable[LogLine]) -> dict[str, Any]:
    """A request of Firehose: a record for each function."""
    by_function = groupby(sorted(lines, key=lambda line: line.function), lambda line: line.function)
    records = [{"data": _record(function, list(group))} for function, group in by_function]
    return {"requestId": "demo", "timestamp": 0, "records": records}


def _record(function: str, lines: list[LogLine]) -> str:
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": aws.ACCOUNT,
        "logGroup": f"/aws/lambda/{function}",
        "logStream": STREAM,
        "logEvents": [
            {"id": str(number), "timestamp": round(line.at * 1000), "message": line.text}
            for number, line in enumerate(lines)
        ],
    }
    return base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()

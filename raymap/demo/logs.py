"""Log lines of functions, as a CloudWatch Logs subscription delivers them through Firehose."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from raymap.demo import aws
from raymap.demo.deliveries import Deliveries
from raymap.demo.trace import LogLine

STREAM = "2026/11/26/[$LATEST]5b3c8f"
HEADERS = {"X-Amz-Firehose-Source-Arn": aws.arn("firehose", "deliverystream/logs")}


def logs(address: str) -> Deliveries[LogLine]:
    """Lines that wait for a delivery."""
    key = os.environ.get("RAYMAP_FIREHOSE_KEY", "")
    headers = {**HEADERS, "X-Amz-Firehose-Access-Key": key}
    return Deliveries(address, "/firehose/logs", headers, delivery)


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

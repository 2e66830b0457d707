"""Log lines of functions, and AWS's spans in ``aws/spans``, as a CloudWatch Logs subscription delivers them through
Firehose."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

from raymap.demo import aws
from raymap.demo.deliveries import Deliveries
from raymap.demo.relayed import records_of
from raymap.demo.trace import Document, LogLine

STREAM = "2026/11/26/[$LATEST]5b3c8f"
HEADERS = {"X-Amz-Firehose-Source-Arn": aws.arn("firehose", "deliverystream/logs")}


def logs(address: str) -> Deliveries[LogLine]:
    """Lines that wait for a delivery."""
    return Deliveries(address, "/firehose/logs", _headers(), delivery)


def aws_spans(address: str) -> Deliveries[Document]:
    """Documents that AWS writes, which wait for a delivery."""
    return Deliveries(address, "/firehose/logs", _headers(), spans_delivery)


def _headers() -> dict[str, str]:
    """With a key of its own, else the demo's."""
    key = os.environ.get("RAYMAP_FIREHOSE_KEY", "") or os.environ.get("RAYMAP_TOKEN", "")
    return {**HEADERS, "X-Amz-Firehose-Access-Key": key}


def delivery(lines: Iterable[LogLine]) -> dict[str, Any]:
    """A request of Firehose: a record for each function."""
    of = attrgetter("account", "function")
    return _request(
        _record(
            account, f"/aws/lambda/{function}", STREAM, [(each.at, each.text) for each in group]
        )
        for (account, function), group in groupby(sorted(lines, key=of), of)
    )


def spans_delivery(documents: Iterable[Document]) -> dict[str, Any]:
    """A request of Firehose: a record for each account."""
    by_account = groupby(sorted(documents, key=lambda each: each.account), lambda d: d.account)
    return _request(
        _record(account, "aws/spans", "default", _spans(group)) for account, group in by_account
    )


def _spans(documents: Iterable[Document]) -> list[tuple[float, str]]:
    found = [
        record
        for each in documents
        for record in records_of(json.loads(each.text), says_origin=False)
    ]
    return [(each["startTimeUnixNano"] / 1e9, json.dumps(each)) for each in found]


def _request(records: Iterable[str]) -> dict[str, Any]:
    return {"requestId": "demo", "timestamp": 0, "records": [{"data": each} for each in records]}


def _record(account: str, group: str, stream: str, lines: list[tuple[float, str]]) -> str:
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": group,
        "logStream": stream,
        "logEvents": [
            {"id": str(number), "timestamp": round(at * 1000), "message": text}
            for number, (at, text) in enumerate(lines)
        ],
    }
    return base64.b64encode(gzip.compress(json.dumps(batch).encode(), 1)).decode()

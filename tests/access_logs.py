"""Lines of API Gateway's access logs as the formats of deploy/aws make them: no recording of one was at hand."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.lambda_samples import ACCOUNT, END, REGION, REQUEST, TRACE_TEXT, log_batch

TEMPLATE = Path(__file__).parents[1] / "deploy" / "aws" / "raymap.yaml"
GROUP = "/shop/access"
START = END - 130_000
"""When the request arrived that ``REQUEST`` answers: 10 ms before the function began, 20 ms longer than it worked."""
VALUES = {
    "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    "requestTimeEpoch": START // 1000,
    "accountId": ACCOUNT,
    "apiId": "a1b2c3",
    "stage": "prod",
    "protocol": "HTTP/1.1",
    "httpMethod": "POST",
    "resourcePath": "/orders/{id}",
    "routeKey": "POST /orders/{id}",
    "path": "/prod/orders/7",
    "domainName": f"a1b2c3.execute-api.{REGION}.amazonaws.com",
    "status": 200,
    "responseLatency": 140,
    "integrationLatency": 130,
    "integrationStatus": 200,
    "identity.sourceIp": "192.0.2.7",
    "identity.userAgent": "curl/8",
}
ANSWERED = {"awsEndpointRequestId": REQUEST}
TRACED = {"xrayTraceId": TRACE_TEXT}
THROTTLED: dict[str, Any] = {
    "status": 429,
    "responseLatency": 2,
    "integrationLatency": None,
    "integrationStatus": None,
    "error.message": "Too Many Requests",
    "error.messageString": '"Too Many Requests"',
    "error.responseType": "THROTTLED",
}


@cache
def log_format(api: str) -> str:
    """The format for ``Rest``, ``Http`` or ``WebSocket``."""
    output = re.search(
        rf"AccessLogFormat{api}:.*?Value: >-\n(.*?)(?=\n  \w|\Z)", TEMPLATE.read_text(), re.S
    )
    assert output is not None
    loaded: dict[str, str] = yaml.safe_load("Value: >-\n" + output[1])
    return loaded["Value"]


def access_line(api: str = "Rest", name: str = "shop", **change: Any) -> str:
    """A line; a variable without a value is logged as ``-``. ``change``: variables, with ``_`` for a dot."""
    values = VALUES | {key.replace("_", "."): value for key, value in change.items()}

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1])
        return "-" if found is None else str(found)

    text = re.sub(r"\$context\.([\w.]+)", value, log_format(api))
    return text.replace('"apiName":"-"', f'"apiName":"{name}"')


def access_batch(*lines: str, **change: Any) -> dict[str, Any]:
    """Log events of a stage's log group."""
    return log_batch(*lines, **({"logGroup": GROUP, "logStream": "0f1e2d"} | change))

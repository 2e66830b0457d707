"""What a source of an import has: traces of a web shop over three hours, and AWS's environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
HOURS = 3
TRACES = 60


def set_aws_environment(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Credentials of no account, few attempts, and nothing of this machine's configuration."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(folder / "none"))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


def documents(number: int, now: float) -> list[Json]:
    """A trace of a web request: two services, a table, a database, a queue; some fail."""
    start = now - HOURS * 3600 * (number + 0.5) / 60
    trace_id = f"1-{int(start):08x}-{number:024x}"
    web, call, table = (f"{number * 16 + place:016x}" for place in (1, 2, 3))
    orders, sql, queue = (f"{number * 16 + place:016x}" for place in (4, 5, 6))
    failing = number % 7 == 3
    common = {"trace_id": trace_id, "start_time": start}

    def subsegment(id: str, name: str, at: float, **more: Any) -> Json:
        times = {"start_time": start + at, "end_time": start + at + 0.01}
        return {"id": id, "name": name, **times, **more}

    put = {"operation": "PutItem", "table_name": "orders", "region": "eu-west-1"}
    aws = subsegment(table, "DynamoDB", 0.05, namespace="aws", aws=put)
    if failing:
        exception = {"id": table, "type": "ThrottlingException", "message": "slow down"}
        aws |= {"error": True, "throttle": True, "cause": {"exceptions": [exception]}}
    return [
        {
            **common,
            "id": web,
            "name": "web",
            "end_time": start + 0.3,
            "http": {"request": {"method": "GET", "url": f"http://shop/{number % 5}"}},
            "annotations": {"tenant": f"t{number % 3}", "number": number},
            "fault": failing,
            "subsegments": [
                subsegment(call, "orders", 0.02, namespace="remote", fault=failing),
                subsegment(sql, "db@postgres", 0.2, namespace="remote", sql={"url": "pg"}),
            ],
        },
        {
            **common,
            "id": orders,
            "parent_id": call,
            "name": "orders",
            "origin": "AWS::ECS::Fargate",
            "end_time": start + 0.2,
            "fault": failing,
            "metadata": {"default": {"note": "ä" * (number % 4)}},
        },
        {**aws, "trace_id": trace_id, "parent_id": orders, "type": "subsegment"},
        {
            **subsegment(queue, "SQS", 0.1, namespace="aws"),
            "trace_id": trace_id,
            "parent_id": orders,
            "type": "subsegment",
            "aws": {"operation": "SendMessage", "queue_url": "https://sqs/1/jobs"},
        },
    ]


def all_documents(now: float) -> list[Json]:
    return [each for number in range(TRACES) for each in documents(number, now)]

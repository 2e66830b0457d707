"""Lambda functions that let CodeDeploy act on Raymap's verdict. Standard library and boto3 only.

* ``pre_traffic`` runs before any traffic is shifted: it invokes the new version itself, and then asks.
* ``post_traffic`` runs after all traffic has been shifted: the last moment to roll back.
* ``alarm_feed``, on a schedule, is for the canary itself: it writes a metric, whose alarm in the
  deployment group makes CodeDeploy roll back while traffic is being shifted.

Environment: docs/deployments.md. Whatever goes wrong here is ``Failed``: without an answer CodeDeploy would
wait for an hour.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from time import sleep, time
from typing import Any
from urllib.parse import urlencode

import boto3

PAUSE = 10.0
"""Seconds between two requests while there is too little traffic."""
SPARE = 20.0
"""Seconds of the function's own time that are left for the answer to CodeDeploy."""
TIMEOUT = 30.0


def pre_traffic(event: dict[str, str], context: Any) -> str:
    """Send requests to the new version, and judge these."""
    return _answer(event, context, invoke=int(os.environ.get("INVOCATIONS", "50")))


def post_traffic(event: dict[str, str], context: Any) -> str:
    """Judge the traffic that the new version has had."""
    return _answer(event, context, invoke=0)


def alarm_feed(event: object, context: Any) -> str:
    """Write 1 for a new version that fails and 0 for one that passes; nothing without a verdict."""
    answer = fetch_verdict(_query())
    print(json.dumps(answer))
    if answer["verdict"] != "insufficient":
        boto3.client("cloudwatch").put_metric_data(
            Namespace="Raymap",
            MetricData=[
                {
                    "MetricName": "VerdictFailed",
                    "Dimensions": [{"Name": "Service", "Value": os.environ["SERVICE"]}],
                    "Value": float(answer["verdict"] == "fail"),
                    "Unit": "Count",
                }
            ],
        )
    return str(answer["verdict"])


def _answer(event: dict[str, str], context: Any, invoke: int) -> str:
    try:
        status = "Succeeded" if _passes(context, invoke) else "Failed"
    except Exception as error:  # whatever it is, CodeDeploy must not wait for it
        print(f"no verdict: {type(error).__name__}: {error}")
        status = "Failed"
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=status,
    )
    return status


def _passes(context: Any, invoke: int) -> bool:
    began = time()
    for _ in range(invoke):
        _invoke(os.environ["NEW_VERSION"], os.environ.get("PAYLOAD", "{}"))
    query = _query()
    if invoke:
        query["min_requests"] = os.environ.get("MIN_REQUESTS", str(min(invoke, 50)))
    while True:
        answer = fetch_verdict(query)
        rest = context.get_remaining_time_in_millis() / 1000 - SPARE
        waited = time() - began
        wait = min(float(os.environ.get("WAIT_SECONDS", "120")) - waited, rest)
        if answer["verdict"] != "insufficient" or wait <= 0:
            print(json.dumps(answer))
            return accepted(answer["verdict"])
        sleep(min(PAUSE, wait))


def accepted(verdict: str) -> bool:
    """Whether to go on; with too little traffic only if ``ON_INSUFFICIENT`` is ``succeed``."""
    if verdict == "insufficient":
        return os.environ.get("ON_INSUFFICIENT", "fail") == "succeed"
    return verdict == "pass"


def _invoke(function: str, payload: str) -> None:
    """Whether it fails is for the verdict to say."""
    boto3.client("lambda").invoke(FunctionName=function, Payload=payload.encode())


def _query() -> dict[str, str]:
    """The new version is the last part of its ARN, as SAM passes it on (``!Ref Checkout.Version``)."""
    query = {
        "service": os.environ["SERVICE"],
        "type": os.environ.get("SERVICE_TYPE", "AWS::Lambda::Function"),
        "candidate": os.environ["NEW_VERSION"].rpartition(":")[2],
        "baseline": os.environ.get("BASELINE", ""),
        "environment": os.environ.get("ENVIRONMENT", ""),
        "from": os.environ.get("FROM", "-1h"),
        "min_requests": os.environ.get("MIN_REQUESTS", ""),
    }
    return {name: value for name, value in query.items() if value}


def fetch_verdict(query: dict[str, str]) -> dict[str, Any]:
    """Raymap's answer. Raises OSError or ValueError."""
    token = os.environ.get("RAYMAP_TOKEN", "")
    request = urllib.request.Request(
        f"{os.environ['RAYMAP_URL'].rstrip('/')}/api/v1/verdict?{urlencode(query)}",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            answer: dict[str, Any] = json.load(reply)
    except urllib.error.HTTPError as error:
        raise ValueError(f"Raymap answered {error.code}: {error.read(500).decode()}") from None
    if answer.get("verdict") not in ("pass", "fail", "insufficient"):
        raise ValueError("what answers is no Raymap")
    return answer

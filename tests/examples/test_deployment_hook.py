"""CodeDeploy's hooks through real boto3, against a stand-in that botocore's models check."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from api.app import create_app
from examples.deployment_hook import hook
from examples.deployment_hook.stand_in import Aws, Call, problem_of
from store.memory import MemoryStore
from store.model import State
from tests.api.v1.test_verdict import NOW, request
from tests.http_server import serve

EVENT = {"DeploymentId": "d-123456789", "LifecycleEventHookExecutionId": "execution-1"}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"


class Context:
    """Of a function with so many seconds left."""

    def __init__(self, seconds: float = 300.0) -> None:
        self._left = seconds * 1000

    def get_remaining_time_in_millis(self) -> float:
        return self._left


@pytest.fixture
def store() -> MemoryStore:
    """Version 41 in use; 42 fails every fifth time, 43 never."""
    store = MemoryStore()
    store.put([request(n, "41") for n in range(1, 301)], "a")
    bad = [request(n, "42", State.FAULT if n % 5 == 0 else State.OK) for n in range(301, 401)]
    store.put([*bad, *(request(n, "43") for n in range(401, 501))], "b")
    return store


@pytest.fixture
def raymap(store: MemoryStore) -> Iterator[str]:
    with serve(create_app(store, version="1", clock=lambda: NOW)) as url:
        yield url


@pytest.fixture
def aws(raymap: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    aws = Aws()
    for name, value in {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "RAYMAP_URL": raymap,
        "SERVICE": "checkout",
        "BASELINE": "41",
        "NEW_VERSION": f"{ARN}:42",
        "WAIT_SECONDS": "0",
    }.items():
        monkeypatch.setenv(name, value)
    yield aws
    aws.close()


def reported(aws: Aws) -> str:
    """The status that CodeDeploy was given, once."""
    assert aws.refused == []
    ((operation, parameters),) = aws.calls
    assert operation == "PutLifecycleEventHookExecutionStatus"
    assert parameters["deploymentId"] == EVENT["DeploymentId"]
    assert parameters["lifecycleEventHookExecutionId"] == EVENT["LifecycleEventHookExecutionId"]
    return str(parameters["status"])


@pytest.mark.parametrize(("version", "status"), [("42", "Failed"), ("43", "Succeeded")])
def test_post_traffic(aws: Aws, version: str, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW_VERSION", f"{ARN}:{version}")
    assert hook.post_traffic(EVENT, Context()) == status
    assert reported(aws) == status


@pytest.mark.slow
@pytest.mark.parametrize(("choice", "status"), [("fail", "Failed"), ("succeed", "Succeeded")])
def test_too_little_traffic_fails_unless_chosen(
    aws: Aws, choice: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_VERSION", f"{ARN}:44")
    monkeypatch.setenv("ON_INSUFFICIENT", choice)
    hook.post_traffic(EVENT, Context())
    assert reported(aws) == status


def test_it_waits_for_traffic(
    aws: Aws, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEW_VERSION", f"{ARN}:44")
    monkeypatch.setenv("WAIT_SECONDS", "60")
    slept = []

    def more(seconds: float) -> None:
        slept.append(seconds)
        store.put([request(n, "44") for n in range(600, 700)], "c")

    monkeypatch.setattr(hook, "sleep", more)
    hook.post_traffic(EVENT, Context())
    assert reported(aws) == "Succeeded"
    assert slept == [hook.PAUSE]


def test_it_answers_before_its_own_time_is_over(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEW_VERSION", f"{ARN}:44")
    monkeypatch.setenv("WAIT_SECONDS", "600")
    hook.post_traffic(EVENT, Context(seconds=hook.SPARE))
    assert reported(aws) == "Failed"


def test_pre_traffic_sends_requests_of_its_own(
    aws: Aws, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no traffic yet; every invocation becomes a request of the new version."""
    invoked: list[tuple[str, bytes]] = []

    def invocation(function: str, payload: bytes) -> bool:
        invoked.append((function, payload))
        n = 600 + len(invoked)
        store.put([request(n, "44", State.FAULT)], f"of its own {n}")
        return False

    aws.invoked = invocation
    monkeypatch.setenv("NEW_VERSION", f"{ARN}:44")
    monkeypatch.setenv("INVOCATIONS", "12")
    monkeypatch.setenv("PAYLOAD", '{"option": "time"}')
    hook.pre_traffic(EVENT, Context())
    assert reported(aws) == "Failed"
    assert invoked == [(f"{ARN}:44", b'{"option": "time"}')] * 12


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "", "/no-raymap"])
def test_without_an_answer_it_fails(
    aws: Aws, raymap: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CodeDeploy would wait for an hour otherwise."""
    monkeypatch.setenv("RAYMAP_URL", url if url != "/no-raymap" else f"{raymap}/no-raymap")
    hook.post_traffic(EVENT, Context())
    assert reported(aws) == "Failed"


@pytest.mark.slow
@pytest.mark.parametrize(("version", "value"), [("42", 1.0), ("43", 0.0), ("44", None)])
def test_alarm_feed(
    aws: Aws, version: str, value: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A metric while traffic is shifted; no datum without a verdict."""
    monkeypatch.setenv("NEW_VERSION", f"{ARN}:{version}")
    hook.alarm_feed({}, Context())
    assert aws.refused == []
    data = [
        (each["MetricName"], each["Value"])
        for c in aws.calls
        for each in c.parameters["MetricData"]
    ]
    assert data == ([] if value is None else [("VerdictFailed", value)])
    for call in aws.calls:
        assert call.parameters["MetricData"][0]["Dimensions"] == [
            {"Name": "Service", "Value": "checkout"}
        ]


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"status": "Passed"}, "status must be among"),
        ({"status": 5}, "Invalid type for parameter status"),
        ({"executionId": "x"}, "Unknown parameter in input"),
    ],
)
def test_the_stand_in_refuses_what_the_model_does_not_allow(
    aws: Aws, parameters: dict[str, object], problem: str
) -> None:
    model = aws.models["CodeDeploy_20141006"]
    shape = model.operation_model("PutLifecycleEventHookExecutionStatus").input_shape
    assert problem in problem_of({"deploymentId": "d-1", **parameters}, shape)


def test_a_refused_call_is_an_error_of_boto3(aws: Aws) -> None:
    client = boto3.client("codedeploy", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError):
        client.put_lifecycle_event_hook_execution_status(deploymentId="d-1", status="Passed")
    assert aws.calls == []
    assert len(aws.refused) == 1


def test_the_stand_in_reads_json_as_older_boto3_sends_it(aws: Aws) -> None:
    body = {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "x", "status": "Failed"}
    target = {"X-Amz-Target": "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus"}
    urllib.request.urlopen(urllib.request.Request(aws.url, json.dumps(body).encode(), target))
    assert aws.calls == [Call("PutLifecycleEventHookExecutionStatus", body)]

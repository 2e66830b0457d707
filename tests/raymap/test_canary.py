"""A canary whose handler raises: what the log lines of its runtime make of the map, the verdict and an alarm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from api.app import create_app
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.firehose import KEY_VARIABLE, create_firehose_router
from collector.settings import HttpLimits
from raymap import derived_search
from raymap.invocation_joiner import InvocationJoiner
from store.memory import MemoryStore
from store.model import TimeRange
from store.rules.alarm_state import AlarmState
from store.times import MINUTE, SECOND
from tests.api.alarms.test_evaluator import World
from tests.api.alarms.traffic import alarm
from tests.builders import T0
from tests.collector.conftest import SOON, StoringPipeline
from tests.lambda_samples import ACCOUNT, DELIVERY_STREAM, GROUP, delivery, event, record

STABLE, CANARY = "41", "42"
RAISED = '[ERROR] ValueError: no amount\nTraceback (most recent call last):\n\xa0\xa0File "/app.py"'
LOGGED = "[ERROR]\t{at}\t{request}\tcould not read the cache, using the default"
REPORT = (
    "REPORT RequestId: {request}\tDuration: 100.00 ms\tBilled Duration: 101 ms\tMemory Size: 512 MB\t"
    "Max Memory Used: 90 MB\t\nXRAY TraceId: {trace}\tSegmentId: {segment:016x}\tSampled: true\t\n"
)
Lines = list[tuple[int, str]]


def invocation_lines(number: int, version: str, raises: bool, as_json: bool) -> Lines:
    """The log lines of a sampled invocation with their times, as the platform and Python's runtime write them."""
    at = T0 + number * SECOND // 2
    request = f"8286a188-ba32-4475-8077-{number:012x}"
    trace = f"1-{at // SECOND:08x}-{number:024x}"
    write = _json_lines if as_json else _text_lines
    return write(at, request, trace, version, raises)


def _text_lines(at: int, request: str, trace: str, version: str, raises: bool) -> Lines:
    stamp = event("", at)["time"]
    lines = [
        f"START RequestId: {request} Version: {version}",
        LOGGED.format(at=stamp, request=request),
        *([RAISED] if raises else []),
        f"END RequestId: {request}",
        REPORT.format(request=request, trace=trace, segment=at),
    ]
    return [(at, line) for line in lines]


def _json_lines(at: int, request: str, trace: str, version: str, raises: bool) -> Lines:
    value = f"Root={trace};Parent={at - 1:016x};Sampled=1"
    tracing = {"type": "X-Amzn-Trace-Id", "spanId": f"{at:016x}", "value": value}
    about = {"requestId": request, "tracing": tracing}
    metrics = {
        "durationMs": 100.0,
        "billedDurationMs": 101,
        "memorySizeMB": 512,
        "maxMemoryUsedMB": 90,
    }
    own = {"timestamp": event("", at)["time"], "level": "ERROR", "requestId": request}
    exception = {
        "errorMessage": "no amount",
        "errorType": "ValueError",
        "stackTrace": ["File /app.py"],
    }
    logged = {"message": "using the default", "logger": "root", **exception}
    lines = [
        event("platform.start", at, version=version, **about),
        own | logged,
        *([own | exception] if raises else []),
        event("platform.report", at, status="success", metrics=metrics, **about),
    ]
    return [(at, json.dumps(line)) for line in lines]


def begun(version: str, as_json: bool) -> Lines:
    """The line with which an environment began."""
    text = "INIT_START Runtime Version: python:3.12.v38\tRuntime Version ARN: arn:aws:lambda:x"
    known = {"functionName": "checkout", "functionVersion": version}
    named = event("platform.initStart", T0, runtimeVersion="python:3.12.v38", **known)
    return [(T0, json.dumps(named) if as_json else text)]


def batch(version: str, lines: Lines) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": GROUP,
        "logStream": f"2026/11/24/[{version}]3893aa",
        "logEvents": [
            {"id": str(number), "timestamp": at // 1_000, "message": message}
            for number, (at, message) in enumerate(lines)
        ],
    }


class Canary:
    """A server for log lines and questions, and its joiner."""

    def __init__(self, memory: MemoryStore, pipeline: IngestPipeline) -> None:
        self.store = memory
        self.now = T0 + 5 * MINUTE
        self._joiner = InvocationJoiner(memory, pipeline, lambda: self.now)
        routers = [create_firehose_router(pipeline, HttpLimits())]
        clock = lambda: self.now / SECOND  # noqa: E731
        app = create_app(memory, version="1", clock=clock, extra_routers=routers)
        self.http = TestClient(app, client=("127.0.0.1", 5000))

    def deliver(self, version: str, lines: Lines) -> None:
        headers = {"X-Amz-Firehose-Request-Id": "1", "X-Amz-Firehose-Source-Arn": DELIVERY_STREAM}
        body = delivery(record(batch(version, lines)), id="1")
        assert self.http.post("/firehose/logs", json=body, headers=headers).status_code == 200

    def join(self) -> None:
        for trace in self.store._traces.values():
            trace.updated = self.now
        self._joiner.join()

    @property
    def faults(self) -> dict[str, int]:
        """Of the function and of the service."""
        graph = self.store.service_graph(TimeRange(T0 - MINUTE, self.now))
        return {
            key.type: each.statistics.fault
            for key, each in graph.services.items()
            if key.type.startswith("AWS::Lambda")
        }

    @property
    def unknown(self) -> set[int]:
        """Of how many requests it is not known how they ended: of the function and of the service."""
        graph = self.store.service_graph(TimeRange(T0 - MINUTE, self.now))
        return {
            each.unknown
            for key, each in graph.services.items()
            if key.type.startswith("AWS::Lambda")
        }

    @property
    def verdict(self) -> str:
        query = f"service=checkout&candidate={CANARY}&from=-10m"
        return str(self.http.get(f"/api/v1/verdict?{query}").json()["verdict"])

    @property
    def alarm(self) -> AlarmState:
        """Of a rule on the canary's share of faults."""
        over: dict[str, Any] = {
            "selector": 'service("checkout")',
            "version": CANARY,
            "threshold": 0.05,
        }
        rule = alarm(**over, datapoints=1, periods=1, webhooks=())
        world = World(self.store, rule)
        events = world.run(3)
        return events[-1][1].state if events else AlarmState.INSUFFICIENT_DATA


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    memory = MemoryStore()
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = StoringPipeline(memory, tmp_path, metrics=metrics, limits=SOON)
    pipeline.start()
    yield Canary(memory, pipeline)
    pipeline.stop(5.0)


def traffic(raising: int, as_json: bool) -> dict[str, list[Lines]]:
    """90 invocations of the stable version and 50 of the canary, of which some raise."""
    return {
        STABLE: [invocation_lines(number, STABLE, False, as_json) for number in range(90)],
        CANARY: [
            invocation_lines(100 + number, CANARY, number * raising % 50 < raising, as_json)
            for number in range(50)
        ],
    }


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_canary_whose_handler_raises_fails(canary: Canary, as_json: bool) -> None:
    for version, invocations in traffic(12, as_json).items():
        lines = [line for each in invocations for line in each]
        canary.deliver(version, begun(version, as_json) + lines)
    canary.join()
    assert canary.faults == {"AWS::Lambda": 12, "AWS::Lambda::Function": 12}
    assert canary.unknown == {0}
    assert canary.verdict == "fail"
    assert canary.alarm is AlarmState.ALARM


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("line_first", [True, False])
def test_lines_and_reports_in_two_deliveries_each_of_them_twice(
    canary: Canary, as_json: bool, line_first: bool
) -> None:
    for version, invocations in traffic(12, as_json).items():
        own = [line for each in invocations for line in each[:-1]]
        reports = [each[-1] for each in invocations]
        halves = [begun(version, as_json) + own, reports]
        for lines in (halves if line_first else halves[::-1]) * 2:
            canary.deliver(version, lines)
            canary.join()
    canary.join()
    assert canary.faults == {"AWS::Lambda": 12, "AWS::Lambda::Function": 12}
    assert canary.verdict == "fail"


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_good_canary_passes_where_its_runtime_would_have_said_otherwise(
    canary: Canary, as_json: bool
) -> None:
    for version, invocations in traffic(0, as_json).items():
        canary.deliver(version, [line for each in invocations for line in each])
    canary.join()
    assert canary.unknown == {140}
    said = canary.verdict, canary.alarm
    assert said == ("insufficient", AlarmState.INSUFFICIENT_DATA), "of which runtime is not known"
    for version in (STABLE, CANARY):
        canary.deliver(version, begun(version, as_json))
    canary.now += MINUTE
    canary.join()
    assert canary.unknown == {0}
    assert canary.faults == {"AWS::Lambda": 0, "AWS::Lambda::Function": 0}
    assert canary.verdict == "pass"
    assert canary.alarm is AlarmState.OK


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_records_alone_say_nothing_of_handlers(canary: Canary, as_json: bool) -> None:
    """Neither a verdict nor an alarm takes silence for success."""
    for version, invocations in traffic(12, as_json).items():
        canary.deliver(version, [each[at] for each in invocations for at in (0, -1)])
    canary.join()
    canary.now += 2 * MINUTE
    canary.join()
    assert canary.faults == {"AWS::Lambda": 0, "AWS::Lambda::Function": 0}
    assert canary.unknown == {140}
    assert (canary.verdict, canary.alarm) == ("insufficient", AlarmState.INSUFFICIENT_DATA)


def test_a_burst_is_joined_in_several_rounds(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traces of a delivery wait for their caller until it is settled, so the newest come first in each round."""
    monkeypatch.setattr(derived_search, "MOST", 25)
    for version, invocations in traffic(0, as_json=False).items():
        lines = [line for each in invocations for line in each]
        canary.deliver(version, begun(version, as_json=False) + lines)
    for _ in range(12):  # what is derived again has changed
        canary.join()
    assert canary.unknown == {0}

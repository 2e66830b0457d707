"""A function's errors by each source, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from collector.decode.document import decode_document
from store.log_lines import LogLine
from store.memory import MemoryStore
from store.model import State, derived_version
from store.platform_metrics import MetricPoint
from store.rules.invocation_documents import documents_of
from store.rules.invocations import NOTHING, Evidence, rank_of
from store.times import MINUTE, SECOND
from tests.builders import T0, segment, subsegment, trace_id
from tests.lambda_samples import ACCOUNT, REGION, invocation

FUNCTION = "AWS::Lambda::Function"
NOW = T0 + 30 * MINUTE
WINDOW = f"from={T0 // SECOND}&to={T0 // SECOND + 600}"
INIT = "INIT_START Runtime Version: python:3.12.v38\tRuntime Version ARN: arn:aws:lambda:x"


class Function:
    """A function of which every tenth of 20 invocations failed, by whatever a test puts."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        app = create_app(self.store, version="1", clock=lambda: NOW / SECOND)
        self.http = TestClient(app)
        self._tokens = iter(range(1 << 30))

    def put_records(self, *, lines: bool, spans: bool = False) -> None:
        for number in range(1, 21):
            failed = number % 10 == 0
            known = invocation(
                request_id=f"8286a188-ba32-4475-8077-{number:012x}",
                trace_id=trace_id(number),
                segment_id=number,
                end=T0 + number * SECOND,
                failure="ValueError" if failed and lines else "",
            )
            evidence = Evidence(telling=True) if lines else NOTHING
            version = derived_version(T0 + number, rank_of(known, evidence))
            for each in documents_of(known, evidence):
                self._put(decode_document(msgspec.json.encode(each), version))
            if spans:
                at = {"start": known.start, "end": known.end, "trace_id": known.trace_id}
                state = {"state": State.FAULT} if failed else {}
                self._put(subsegment(900 + number, number, service="## handler", **at, **state))
            if failed and lines:
                line = LogLine(known.end, "[ERROR] ValueError: x", failure="ValueError")
                self.put_line(line, request_id=known.request_id)
        self.put_points("Lambda", 20, 2 if lines else 0)
        self.put_points("Lambda", 20, 0, errors="PlatformErrors")
        if lines:
            self.put_line(LogLine(T0, INIT, record="init", log_stream="2026/11/24/[42]0"))

    def put_line(self, line: LogLine, **more: Any) -> None:
        known = {"name": "checkout", "type": FUNCTION, "account": ACCOUNT, "region": REGION}
        whole = msgspec.structs.replace(line, **known, **more)
        self.store.put_log_lines([whole], f"l{next(self._tokens)}")

    def put_points(
        self, namespace: str, invocations: int, failed: int, *, errors: str = "Errors"
    ) -> None:
        for metric, value in (("Invocations", invocations), (errors, failed)):
            names = ("checkout", FUNCTION, ACCOUNT, REGION, f"{namespace}/{metric}", T0 // MINUTE)
            point = MetricPoint(*names, float(value), 1.0, 0.0, 0.0, "Count")
            self.store.put_metric_points([point], f"m{next(self._tokens)}")

    def _put(self, document: Any) -> None:
        self.store.put([document], f"d{next(self._tokens)}")

    def errors(self, type: str = FUNCTION) -> dict[str, Any]:
        services = self.http.get(f"/api/v1/services?{WINDOW}").json()["services"]
        (id,) = [each["id"] for each in services if each["type"] == type]
        answer = self.http.get(f"/api/v1/nodes/{id}/errors?{WINDOW}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def counts(self) -> dict[str, tuple[float | None, float | None]]:
        found = self.errors()["counts"]
        return {each["source"]: (each["errors"], each["invocations"]) for each in found}


@pytest.fixture
def function() -> Function:
    return Function()


def test_the_sources_stand_side_by_side(function: Function) -> None:
    function.put_records(lines=True, spans=True)
    function.put_points("AWS/Lambda", 20, 2)
    assert function.counts() == {
        "metric stream": (2, 20),
        "platform records": (0, 20),
        "log lines": (2, 20),
        "spans": (2, 20),
    }
    found = function.errors()
    assert (found["problems"], found["unknown"]) == ([], 0)
    for each in found["counts"]:
        assert bool(each["filter"]) is bool(each["errors"] and each["source"] != "metric stream")
        if each["filter"]:
            answer = function.http.get(
                "/api/v1/traces", params={"filter": each["filter"], "from": "-1h"}
            )
            assert len(answer.json()["traces"]) == each["errors"], each
    assert function.errors("AWS::Lambda")["counts"] == found["counts"]


def test_what_is_missing_says_how_to_send_it(function: Function) -> None:
    function.put_records(lines=False)
    assert function.counts() == {
        "metric stream": (None, None),
        "platform records": (0, 20),
        "log lines": (None, None),
        "spans": (None, None),
    }
    found = function.errors()
    assert (found["problems"], found["unknown"]) == ([], 20)
    assert [bool(each["help"]) for each in found["counts"]] == [True, False, True, True]


def test_cloudwatch_knows_of_errors_that_nothing_else_says(function: Function) -> None:
    function.put_records(lines=False)
    function.put_points("AWS/Lambda", 20, 2)
    (problem,) = function.errors()["problems"]
    assert problem["text"].startswith(
        "CloudWatch counts 2 errors in 20 invocations, the platform's records and the log lines "
        "0 errors in 20 invocations."
    )
    assert "docs/lambda.md" in problem["text"]


def test_spans_and_lines_disagree(function: Function) -> None:
    """Of the same invocations, so that one is enough."""
    function.put_records(lines=True, spans=True)
    wrong = subsegment(
        913,
        13,
        trace_id=trace_id(13),
        start=T0 + 13 * SECOND - 100_000,
        end=T0 + 13 * SECOND,
        service="## handler",
        state=State.FAULT,
        version=T0 + 10**9,
    )
    function.store.put([wrong], "later")
    (problem,) = function.errors()["problems"]
    assert problem["text"] == (
        "Of 20 invocations with a record and spans 1 failed by their spans alone."
    )
    assert len(problem["traces"]) == 1


def test_spans_alone_are_a_sample(function: Function) -> None:
    """Beyond what sampling explains they contradict CloudWatch."""
    for number in range(30):
        document = {
            "trace_id": f"1-{T0 // SECOND:08x}-{number:024x}",
            "id": f"{number + 1:016x}",
            "name": "checkout",
            "origin": FUNCTION,
            "start_time": T0 / SECOND + 1,
            "end_time": T0 / SECOND + 2,
            "fault": number < 3,
        }
        function.store.put([decode_document(json.dumps(document).encode(), T0)], f"s{number}")
    function.put_points("AWS/Lambda", 1_000, 100)
    assert function.errors()["problems"] == []
    assert function.counts()["spans"] == (3, 30)
    function.put_points("AWS/Lambda", 1_000, 900)
    (problem,) = function.errors()["problems"]
    assert "sampling does not explain it" in problem["text"]


def test_other_nodes_have_none(function: Function) -> None:
    function.store.put([segment()], "a")
    services = function.http.get(f"/api/v1/services?{WINDOW}").json()["services"]
    (id,) = [each["id"] for each in services if each["name"] == "frontend" and not each["type"]]
    found = function.http.get(f"/api/v1/nodes/{id}/errors?{WINDOW}").json()
    assert (found["counts"], found["problems"], found["unknown"]) == ([], [], 0)

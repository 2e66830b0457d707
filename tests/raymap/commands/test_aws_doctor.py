"""`raymap aws doctor` against an app in this process: what arrived of an account, and what never did."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from api.app import create_app
from raymap.cli import app
from store.log_lines import LogLine
from store.memory import MemoryStore
from store.model import Document, NodeKey
from store.platform_metrics import MetricPoint
from store.rules.annotations import annotation_item
from store.times import MINUTE, SECOND
from tests.aws_spans import records_of
from tests.builders import T0, segment, trace_id
from tests.collector.test_aws_spans import decoded
from tests.http_server import serve

ACCOUNT, REGION = "111122223333", "eu-west-1"
NOW = T0 // SECOND + 300


def function(number: int, name: str, account: str = ACCOUNT) -> Document:
    node = NodeKey(account, name, "AWS::Lambda::Function", REGION)
    return segment(number, trace_id=trace_id(number), node=node, service=name)


def point(name: str, metric: str, minute: int = 0) -> MetricPoint:
    at = T0 // MINUTE + minute
    return MetricPoint(name, "AWS::Lambda::Function", ACCOUNT, REGION, metric, at, 1, 1, 1, 1)


def line(name: str, text: str, record: str = "") -> LogLine:
    group = f"/aws/lambda/{name}"
    return LogLine(
        T0 + SECOND, text, name, "AWS::Lambda::Function", ACCOUNT, REGION,
        record=record, log_group=group, log_stream="s", source="firehose",
    )  # fmt: skip


def relayed() -> list[Document]:
    """A state machine, by ``aws/spans``."""
    times = {"start_time": T0 / SECOND + 1, "end_time": T0 / SECOND + 2}
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:ship"
    origin = "AWS::StepFunctions::StateMachine"
    identity = {"trace_id": f"1-{T0 // SECOND:08x}-{4:024x}", "id": f"{4:016x}", "name": "ship"}
    machine = {**identity, **times, "origin": origin, "resource_arn": arn}
    return decoded(records_of(machine), 1, ACCOUNT, REGION)


@pytest.fixture
def store() -> MemoryStore:
    """Two functions of one account, one of another; nothing but their own spans."""
    store = MemoryStore()
    store.put([function(1, "pay"), function(2, "ship"), function(3, "pay", "444455556666")], "a")
    return store


@pytest.fixture
def url(store: MemoryStore) -> Iterator[str]:
    with serve(create_app(store, version="1", clock=lambda: NOW)) as url:
        yield url


def run(url: str, *more: str) -> Result:
    return CliRunner().invoke(app, ["aws", "doctor", "--account", ACCOUNT, "--url", url, *more])


def test_what_never_arrived_has_the_line_that_mends_it(url: str) -> None:
    done = run(url)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    for at, (name, mend) in enumerate((
        ("spans of AWS's services", "Spans=switch-on"),
        ("records of invocations", "Logs=all-groups"),
        ("log lines of functions", "LogFilter empty"),
        ("metric stream", "Metrics=map"),
    )):  # fmt: skip
        assert lines[2 * at].startswith(f"fail  {name}: never")
        assert lines[2 * at + 1].startswith("      try: the stack of docs/aws.md with")
        assert mend in lines[2 * at + 1]


def test_a_stages_access_log_is_no_span_of_awss(url: str, store: MemoryStore) -> None:
    stage = NodeKey(ACCOUNT, "shop/prod", "AWS::ApiGateway::Stage", REGION)
    made = segment(
        9, trace_id=trace_id(9), node=stage, service="shop/prod",
        annotations=(annotation_item("access_log", "alone"),),
    )  # fmt: skip
    store.put([made], "b")
    assert run(url).stdout.startswith("fail  spans of AWS's services: never")


def test_what_arrives_has_its_times_and_log_groups(url: str, store: MemoryStore) -> None:
    store.put(relayed(), "b")
    store.put_log_lines([line("pay", "REPORT …", "report"), line("pay", "hello")], "c")
    store.put_log_lines([line("ship", "REPORT …", "report")], "d")
    recorded = [
        point(name, "Lambda/BilledDuration", at) for name in ("pay", "ship") for at in (-10, 0)
    ]
    store.put_metric_points([*recorded, point("pay", "AWS/Lambda/Throttles")], "e")
    done = run(url)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "ok    spans of AWS's services: in 1 of 3 traces, the last of 2026-11-24 22:40",
        "ok    records of invocations: of 2 of 2 functions, from 2026-11-24 22:30 to 2026-11-24 22:40",
        "warn  log lines of functions: of 1 of 2 functions, from 2026-11-24 22:40 to 2026-11-24 22:40",
        "      try: the stack of docs/aws.md with Logs=all-groups and LogFilter empty",
        "warn  metric stream: of 1 of 2 functions, from 2026-11-24 22:40 to 2026-11-24 22:40",
        "      try: the stack of docs/aws.md with Metrics=map",
        "",
        "last arrival (UTC; of records and metrics in steps of 5 min):",
        "function  account       region     log group         records           lines             metrics",
        "pay       111122223333  eu-west-1  /aws/lambda/pay   2026-11-24 22:40  2026-11-24 22:40  2026-11-24 22:40",
        "ship      111122223333  eu-west-1  /aws/lambda/ship  2026-11-24 22:40  never             never",
    ]
    answer = json.loads(run(url, "--json").stdout)
    pay = next(each for each in answer["functions"] if each["name"] == "pay")
    assert pay["arrived"]["records"] == {"first": T0 / SECOND - 600, "last": T0 / SECOND}
    assert [each["status"] for each in answer["checks"]] == ["ok", "ok", "warn", "warn"]


def test_sources_that_are_not_sent_are_left_out(url: str, store: MemoryStore) -> None:
    store.put_metric_points([point("pay", "Lambda/BilledDuration")], "e")
    left_out = [word for each in ("spans", "lines", "metrics") for word in ("--without", each)]
    done = run(url, *left_out)
    assert done.exit_code == 0
    assert done.stdout.startswith("warn  records of invocations: of 1 of 2 functions")


def test_an_account_of_which_nothing_is_known(url: str) -> None:
    done = run(url, "--region", "us-east-1")
    assert done.exit_code == 1
    assert "fail  functions: no function is on the map" in done.stdout


def test_a_stage_that_others_report_is_no_evidence_of_spans(url: str, store: MemoryStore) -> None:
    """By its access log, or imported."""
    stage = NodeKey(ACCOUNT, "shop/prod", "AWS::ApiGateway::Stage", REGION)
    store.put([segment(4, trace_id=trace_id(4), node=stage, service="shop/prod")], "b")
    first, *_ = run(url).stdout.splitlines()
    assert first == "fail  spans of AWS's services: never: in none of 3 traces"

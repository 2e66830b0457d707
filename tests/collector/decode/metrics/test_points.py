"""CloudWatch's metric stream, OTLP metrics, EMF and REPORT lines → points."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric

from collector.decode.lambda_records.cloudwatch import Delivery, decode_delivery
from collector.decode.lambda_records.lines import Ignored as IgnoredLine
from collector.decode.metrics.otlp import Ignored, Points, decode_json_metrics, decode_metrics
from collector.decode.metrics.stream import decode_stream, split_messages
from collector.decode.rejected import Rejected
from store.platform_metrics import MetricPoint
from store.times import MINUTE
from store.varint import varint
from tests.lambda_samples import ACCOUNT, END, REGION, events, log_batch, record, report_line

FUNCTION = "AWS::Lambda::Function"
MINUTE_NS = 60_000_000_000
START = END // MINUTE * MINUTE_NS
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE


def export(*metrics: Metric, **resource: str) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    part = request.resource_metrics.add()
    known = {"cloud.account.id": ACCOUNT, "cloud.region": REGION, "cloud.provider": "aws"}
    for key, value in (known | resource).items():
        part.resource.attributes.add(key=key.replace("__", ".")).value.string_value = value
    part.scope_metrics.add().metrics.extend(metrics)
    return request


def cloudwatch(
    name: str = "Invocations", namespace: str = "AWS/Lambda", **dimensions: str
) -> Metric:
    """A metric as the stream has it, two calls of 3 and 5."""
    metric = Metric(name=f"amazonaws.com/{namespace}/{name}", unit="{Count}")
    point = metric.summary.data_points.add(
        start_time_unix_nano=START, time_unix_nano=START + MINUTE_NS, count=2, sum=8.0
    )
    point.quantile_values.add(quantile=0.0, value=3.0)
    point.quantile_values.add(quantile=1.0, value=5.0)
    for key, value in (("Namespace", namespace), ("MetricName", name)):
        point.attributes.add(key=key).value.string_value = value
    given = point.attributes.add(key="Dimensions").value.kvlist_value
    for key, value in (dimensions or {"FunctionName": "checkout"}).items():
        given.values.add(key=key).value.string_value = value
    return metric


def stream(*contents: bytes) -> Points:
    records = [{"data": base64.b64encode(content).decode()} for content in contents]
    return decode_stream(Delivery(records=records))


def delimited(*requests: ExportMetricsServiceRequest) -> bytes:
    bodies = [request.SerializeToString() for request in requests]
    return b"".join(varint(len(body)) + body for body in bodies)


INVOCATIONS = MetricPoint(
    "checkout",
    FUNCTION,
    ACCOUNT,
    REGION,
    "AWS/Lambda/Invocations",
    END // MINUTE,
    8.0,
    2.0,
    3.0,
    5.0,
    "Count",
    "metric stream",
)


def test_a_metric_stream() -> None:
    found = stream(delimited(export(cloudwatch()), export(cloudwatch("Errors"))))
    assert [point.metric for point in found.points] == [
        "AWS/Lambda/Invocations",
        "AWS/Lambda/Errors",
    ]
    assert found.points[0] == INVOCATIONS
    assert not found.ignored
    assert not found.rejected


@pytest.mark.parametrize(
    ("namespace", "dimensions", "expected"),
    [
        ("AWS/SQS", {"QueueName": "orders"}, ("orders", "AWS::SQS::Queue", "")),
        (
            "AWS/States",
            {"StateMachineArn": "arn:aws:states:eu-west-1:1:stateMachine:flow"},
            ("flow", "AWS::StepFunctions::StateMachine", ""),
        ),
        (
            "AWS/Lambda",
            {"FunctionName": "checkout", "Resource": "checkout:live"},
            ("checkout", FUNCTION, "Resource=checkout:live"),
        ),
    ],
)
def test_nodes_by_dimension(
    namespace: str, dimensions: dict[str, str], expected: tuple[str, str, str]
) -> None:
    (point,) = stream(delimited(export(cloudwatch("X", namespace, **dimensions)))).points
    assert (point.name, point.type, point.dimensions) == expected


def test_what_names_no_node_is_counted() -> None:
    others = [cloudwatch("X", "AWS/EC2", InstanceId="i"), cloudwatch("X", "AWS/Lambda", Other="x")]
    found = stream(delimited(export(*others, Metric(name="app"), cloudwatch())))
    assert (len(found.points), found.ignored) == (1, {Ignored.NO_NODE: 2})


def test_a_damaged_record_costs_itself_only() -> None:
    good = delimited(export(cloudwatch()))
    found = stream(b"\xff", good[:-1], b"\x03abc", good)
    assert found.points == [INVOCATIONS]
    assert [rejected.message[:9] for rejected in found.rejected] == [
        "record 0:",
        "record 1:",
        "record 2:",
    ]


@given(st.binary(max_size=60))
def test_any_bytes_are_messages_or_rejected(content: bytes) -> None:
    with suppress(Rejected):
        assert sum(map(len, split_messages(content))) <= len(content)
    stream(content)


def faas(name: str, unit: str, temporality: AggregationTemporality.ValueType = DELTA) -> Metric:
    metric = Metric(name=name, unit=unit)
    metric.histogram.aggregation_temporality = temporality
    metric.histogram.data_points.add(
        start_time_unix_nano=START, time_unix_nano=START + 9, count=2, sum=0.8, min=0.3, max=0.5
    )
    return metric


@pytest.mark.parametrize("as_json", [False, True])
def test_otlp(as_json: bool) -> None:
    """Durations are milliseconds; a cumulative sum and an application's metrics are not stored."""
    total = Metric(name="faas.errors")
    total.sum.aggregation_temporality = DELTA
    total.sum.data_points.add(time_unix_nano=START + 5, as_int=3)
    gauge = Metric(name="app.queue")
    gauge.gauge.data_points.add(time_unix_nano=START + 5, as_double=0.5)
    request = export(
        faas("faas.invoke_duration", "s"),
        faas("faas.init_duration", "s", CUMULATIVE),
        total,
        gauge,
        faas__name="checkout",
    )
    found = (
        decode_json_metrics(json_format.MessageToJson(request).encode())
        if as_json
        else decode_metrics(request.SerializeToString())
    )
    duration, errors = found.points
    assert (duration.name, duration.type, duration.unit) == ("checkout", FUNCTION, "ms")
    assert (duration.sum, duration.count, duration.min, duration.max) == (800, 2, 300, 500)
    assert (errors.metric, errors.sum, errors.count) == ("faas.errors", 3, 1)
    assert found.ignored == {Ignored.CUMULATIVE: 1, Ignored.OTHER: 1}
    again = decode_metrics(request.SerializeToString()).points
    assert [point.key for point in again] == [point.key for point in found.points]


@pytest.mark.parametrize("body", [b"\xff\xff", b"[1", b'{"resourceMetrics": 5}'])
def test_an_unreadable_request_is_rejected(body: bytes) -> None:
    decode = decode_metrics if body[0] == 0xFF else decode_json_metrics
    with pytest.raises(Rejected):
        decode(body)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none_cost_themselves(number: float) -> None:
    bad = cloudwatch()
    bad.summary.data_points[0].sum = number
    untimed = cloudwatch()
    untimed.summary.data_points[0].start_time_unix_nano = 0
    untimed.summary.data_points[0].time_unix_nano = 0
    found = stream(delimited(export(bad, cloudwatch(), untimed)))
    assert (len(found.points), len(found.rejected)) == (1, 2)


def of_lines(*messages: str) -> Any:
    return decode_delivery(Delivery(records=[record(log_batch(*messages))]), REGION).logs


def test_a_report_counts_once_by_text_and_json_and_unsampled() -> None:
    by_text = of_lines(report_line("Init Duration: 12.50 ms\t"), report_line(xray="", request="r2"))
    by_json = of_lines(*map(json.dumps, events()))
    found = {point.metric: point for point in by_text.points[:8]}
    assert len({point.key for point in by_text.points}) == 15
    assert {point.key for point in by_json.points} < {point.key for point in by_text.points}
    assert (found["Lambda/InitDuration"].sum, found["Lambda/BilledDuration"].sum) == (12.5, 101)
    assert found["Lambda/MaxMemoryUsed"].max == 90
    assert found["Lambda/Errors"].sum == 0
    assert found["Lambda/PlatformErrors"].sum == 0


def emf(**change: Any) -> str:
    block = {
        "Namespace": "Shop",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "orders", "Unit": "Count"}, {"Name": "missing"}, 5],
    }
    described = {"Timestamp": END // 1000, "CloudWatchMetrics": [block, 5]}
    return json.dumps({"_aws": described, "service": "x", "orders": [1, 2, "x"], **change})


def test_emf_lines_become_metrics_and_no_lines() -> None:
    lines = of_lines(emf(), emf(), emf(orders=4))
    assert [(point.metric, point.sum, point.count, point.unit) for point in lines.points] == [
        ("Shop/orders", 3, 2, "Count"),
        ("Shop/orders", 3, 2, "Count"),
        ("Shop/orders", 4, 1, "Count"),
    ]
    assert len({point.key for point in lines.points}) == 2, "the same line again is the same point"
    assert lines.points[0].name == "checkout"
    assert (lines.lines, lines.ignored) == ([], {IgnoredLine.METRICS: 3})


@pytest.mark.parametrize(
    "line",
    [
        emf(_aws=5),
        emf(_aws={"Timestamp": "x", "CloudWatchMetrics": []}),
        emf(_aws={"Timestamp": 5, "CloudWatchMetrics": [{"Metrics": 5}]}),
        emf(orders=True),
    ],
)
def test_what_is_no_emf_is_a_line(line: str) -> None:
    lines = of_lines(line)
    assert (len(lines.lines), lines.points) == (1, [])

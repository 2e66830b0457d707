"""Which lines belong to a trace, and under which segment each stands."""

from __future__ import annotations

from typing import Any

from store.log_lines import LogLine, StreamSpan
from store.model import TimeRange
from store.times import SECOND
from store.trace_logs import MARGIN, SLACK, Place, place_lines, places_in, wanted_lines
from tests.builders import T0, trace_id
from tests.lambda_samples import GROUP, REQUEST, STREAM

FUNCTION = {
    "id": "000000000000f00f",
    "name": "checkout",
    "origin": "AWS::Lambda::Function",
    "start_time": T0 / SECOND,
    "end_time": T0 / SECOND + 1,
    "aws": {
        "request_id": REQUEST,
        "region": "eu-west-1",
        "cloudwatch_logs": [{"log_group": GROUP}, 5, {"arn": "x"}],
    },
    "metadata": {"raymap": {"platform_record": {"log_stream": STREAM}}},
    "subsegments": [
        {
            "id": "000000000000c001",
            "name": "db",
            "start_time": T0 / SECOND,
            "aws": {"request_id": 1},
        }
    ],
}
SERVICE = {
    "id": "0000000000005e41",
    "name": "web",
    "start_time": T0 / SECOND - 1,
    "end_time": T0 / SECOND + 2,
    "metadata": 5,
}
ID = trace_id(1)


def line(body: str = "hello", at: float = 0.5, **members: Any) -> LogLine:
    return LogLine(T0 + round(at * SECOND), body, **({"name": "checkout"} | members))


def segment_of(*lines: LogLine) -> list[str]:
    return [placed.place for placed in place_lines(lines, places_in([SERVICE, FUNCTION]))]


def test_what_is_read_for_a_trace() -> None:
    wanted = wanted_lines(ID, places_in([SERVICE, FUNCTION]))
    assert wanted.window == TimeRange(T0 - SECOND - MARGIN, T0 + 2 * SECOND + MARGIN)
    assert (wanted.trace_id, wanted.requests) == (ID, (REQUEST,))
    assert wanted.streams == (StreamSpan(STREAM, T0, T0 + SECOND + SLACK),)


def test_places_of_spans_have_the_request_of_their_attributes() -> None:
    span = {
        **SERVICE,
        "origin": "AWS::Lambda",
        "metadata": {"default": {"faas.invocation_id": "r"}},
    }
    assert [place.request_id for place in places_in([span, SERVICE])] == ["r", ""]


def test_a_line_stands_under_what_wrote_it() -> None:
    """By span, request, log stream and time, service and time; else under none."""
    assert segment_of(
        line("span", 0.1, trace_id=ID, span_id=0xC001, request_id=REQUEST),
        line("request", 0.2, request_id=REQUEST),
        line("stream", 0.3, log_stream=STREAM),
        line("service", 0.4, name="web", trace_id=ID),
        line("later", 9.0, name="web", trace_id=ID),
        line("unknown span", 9.1, name="web", trace_id=ID, span_id=0xBAD),
    ) == ["000000000000c001", *["000000000000f00f"] * 2, "0000000000005e41", "", ""]


def test_a_line_of_another_request_is_not_of_the_stream() -> None:
    assert segment_of(line(log_stream=STREAM, request_id="other")) == ["000000000000f00f"]
    assert segment_of(line(log_stream=STREAM, at=9.0)) == [""]


def test_copies_of_sources_that_knew_different_things_are_one() -> None:
    """A line without its request, and the platform's lines, whose texts and times differ."""
    report = line("REPORT a", 1.0, record="report", request_id=REQUEST)
    more = line("REPORT a b", 1.2, record="report", request_id=REQUEST, log_group=GROUP)
    retry = line("REPORT a", 61.2, record="report", request_id=REQUEST)
    plain = line(log_stream=STREAM)
    named = line(request_id=REQUEST, source="extension", severity="info")
    placed = place_lines([report, more, retry, plain, named, line("again")], places_in([FUNCTION]))
    assert [(each.line.body, each.line.time) for each in placed] == [
        ("again", named.time),
        (named.body, named.time),
        (more.body, more.time),
        (retry.body, retry.time),
    ]
    assert placed[1].line.severity == "info"


def test_nothing_in_documents_makes_it_fail() -> None:
    odd: list[dict[str, Any]] = [
        {"id": "a", "aws": 5, "subsegments": 5, "start_time": "x"},
        {"subsegments": [5, {"id": "b", "metadata": {"raymap": 5}}]},
    ]
    assert places_in(odd) == [Place("a", "", "", 0, 0, True), Place("b", "", "", 0, 0)]


def test_lines_of_a_service_with_a_namespace() -> None:
    """A line that names the namespace is its own service's, one without may be any's of the name."""
    shop, crm = (
        {
            "id": f"000000000000{id}",
            "name": "api",
            "start_time": T0 / SECOND,
            "end_time": T0 / SECOND + longer,
            "metadata": {"default": {"otel.resource.service.namespace": namespace}},
        }
        for id, namespace, longer in (("a001", "shop", 2), ("a002", "crm", 1))
    )
    places = places_in([shop, crm])
    for name, expected in {"shop/api": "a001", "crm/api": "a002", "api": "a002"}.items():
        (placed,) = place_lines([line(name=name, trace_id=ID)], places)
        assert placed.place.endswith(expected), name
    (placed,) = place_lines([line(name="other/api", trace_id=ID)], places)
    assert placed.place == ""

"""The lines of a function's log, with their request and trace."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.decode.lambda_records.cloudwatch import Delivery, decode_delivery
from collector.decode.lambda_records.events import damaged
from collector.decode.lambda_records.fold import Origin, origin_of_logs
from collector.decode.lambda_records.lines import Ignored, Lines, StreamLine, collect
from collector.decode.lambda_records.upload import decode_upload
from store.log_lines import NO_TRACE
from store.times import SECOND, parse_instant
from tests.lambda_samples import (
    ACCOUNT,
    END,
    GROUP,
    REGION,
    REQUEST,
    STREAM,
    TRACE_ID,
    event,
    events,
    log_batch,
    record,
    report_line,
)

OTHER = "0a0a0a0a-9175-4dea-83b0-a71384c4f507"
REPORTED = (
    "Duration: 100.00 ms\tBilled Duration: 101 ms\tMemory Size: 1024 MB\tMax Memory Used: 90 MB\t"
    "Init Duration: 12.50 ms\tStatus: timeout"
)
ORIGIN = origin_of_logs(GROUP, STREAM, ACCOUNT, REGION)
START, ENDED = f"START RequestId: {REQUEST} Version: 42", f"END RequestId: {REQUEST}"


def lines_of(*messages: str) -> Lines:
    """Of one stream, through Firehose."""
    batch = record(log_batch(*messages))
    return decode_delivery(Delivery(records=[batch]), REGION).logs


def short(lines: Lines) -> list[tuple[str, str, str]]:
    return [(line.record, line.request_id, line.body.split("\t")[0]) for line in lines.lines]


def test_lines_between_start_and_end_belong_to_the_request() -> None:
    lines = lines_of(START, "hello\n", f"[INFO]\tx\t{OTHER}\tother", ENDED, report_line(), "after")
    assert short(lines) == [
        ("start", REQUEST, START),
        ("", REQUEST, "hello"),
        ("", REQUEST, "[INFO]"),
        ("end", REQUEST, ENDED),
        ("report", REQUEST, f"REPORT RequestId: {REQUEST}"),
        ("", "", "after"),
    ]
    first = lines.lines[0]
    assert (first.name, first.type) == ("checkout", "AWS::Lambda::Function")
    assert (first.account, first.region) == (ACCOUNT, REGION)
    assert (first.log_group, first.log_stream, first.source) == (GROUP, STREAM, "firehose")
    assert [line.trace_id for line in lines.lines] == [TRACE_ID] * 5 + [NO_TRACE]


def test_a_delivery_that_begins_within_a_request() -> None:
    """Its lines up to the end are that request's; those of a delivery within one name the stream."""
    assert short(lines_of("hello", ENDED, "after"))[0] == ("", REQUEST, "hello")
    assert short(lines_of("hello", ENDED, "after"))[2] == ("", "", "after")
    (line,) = lines_of("hello").lines
    assert (line.request_id, line.log_stream) == ("", STREAM)


def test_json_records_of_the_platform_become_the_lines_of_the_text_format() -> None:
    done = event("platform.runtimeDone", requestId=REQUEST)
    own = {"timestamp": "2026-11-24T10:00:00Z", "level": "ERROR", "message": "no", "requestId": ""}
    start, report = events(metrics={"initDurationMs": 12.5}, status="timeout")
    lines = lines_of(*map(json.dumps, (start, own, done, report)))
    assert [line.body for line in lines.lines] == [
        START,
        json.dumps(own),
        f"REPORT RequestId: {REQUEST}\t{REPORTED}",
    ]
    assert {line.request_id for line in lines.lines} == {REQUEST}
    assert lines.lines[1].severity == "error"
    assert lines.ignored == {Ignored.PLATFORM: 1}


def test_equal_lines_of_a_millisecond_are_numbered() -> None:
    lines = lines_of(START, "again", "again", "once").lines
    assert [line.ordinal for line in lines] == [0, 0, 1, 0]
    assert len({line.hash for line in lines}) == 4
    assert [line.time for line in lines] == [END, END + 1, END + 2, END + 3], "in their order"


def test_a_line_has_its_own_time_unless_that_is_far_off() -> None:
    near, far = "2026-11-24T10:00:00.123Z", "1999-01-01T00:00:00Z"
    at = parse_instant(near)
    lines = [StreamLine(f"{when}\t{REQUEST}\tINFO\thi", at + SECOND) for when in (near, far)]
    assert [line.time for line in collect(ORIGIN, lines, "x").lines] == [at, at + SECOND]


def test_lines_that_are_related_to_nothing_are_counted() -> None:
    stream = [StreamLine(text, END) for text in ("hello", "", f"1 {REQUEST}", report_line())]
    stream.append(StreamLine("REPORT RequestId: x", END, damaged("x")))
    lines = collect(Origin(log_group="/ecs/web"), stream, "firehose")
    assert [(line.name, line.record) for line in lines.lines] == [("/ecs/web", "")]
    assert lines.ignored == {Ignored.UNRELATED: 2, Ignored.EMPTY: 1}


def test_a_service_is_named_by_its_origin() -> None:
    origin = Origin(log_group="g", service="web", type="AWS::ECS::Fargate")
    (line,) = collect(origin, [StreamLine("hi", END, trace_id=TRACE_ID, span_id=7)], "otlp").lines
    assert (line.name, line.type, line.trace_id, line.span_id) == (
        "web",
        "AWS::ECS::Fargate",
        TRACE_ID,
        7,
    )


def upload(*given: Any) -> Lines:
    function = {"name": "checkout", "account": ACCOUNT, "region": REGION}
    return decode_upload(json.dumps({"function": function, "events": given}).encode()).logs


def own(text: object, request: str | None = REQUEST) -> dict[str, Any]:
    return {"time": "2026-11-24T10:00:00.123Z", "type": "function", "record": text} | {
        "requestId": request
    }


def test_the_extension_sends_text_and_objects() -> None:
    lines = upload(own("hello\n"), own({"level": "WARN", "message": "hi"}), own("init", None))
    assert [line.body for line in lines.lines] == [
        "hello",
        '{"level": "WARN", "message": "hi"}',
        "init",
    ]
    assert [line.severity for line in lines.lines] == ["", "warn", ""]
    assert [line.request_id for line in lines.lines] == [REQUEST, REQUEST, ""]
    assert {line.source for line in lines.lines} == {"extension"}


def test_a_line_that_is_not_utf_8_costs_itself_only() -> None:
    given = {"function": {"name": "checkout"}, "events": [own("ok"), own("#"), *events()]}
    decoded = decode_upload(json.dumps(given).encode().replace(b"#", b"\xff"))
    assert [str(one)[:56] for one in decoded.rejected] == [
        "InvalidPlatformRecord: a line of the function: 'utf-8' codec"[:56]
    ]
    assert len(decoded.folded.invocations) == 1


def test_a_damaged_line_costs_itself_only() -> None:
    decoded = decode_upload(
        json.dumps({"events": [own("ok"), own("x") | {"time": "soon"}, *events()]}).encode()
    )
    assert len(decoded.rejected) == 1
    assert [line.record for line in decoded.logs.lines] == ["", "start", "report"]


def test_a_line_by_firehose_and_by_the_extension_has_one_hash() -> None:
    at = "2026-11-24T10:00:00.123Z"
    batch = log_batch(START, f"[INFO]\t{at}\t{REQUEST}\thi\n", "plain", at=parse_instant(at))
    by_firehose = decode_delivery(Delivery(records=[record(batch)]), REGION).logs
    by_extension = upload(own(f"[INFO]\t{at}\t{REQUEST}\thi\n"), own("plain\n"))
    assert [line.hash for line in by_firehose.lines[1:]] == [
        line.hash for line in by_extension.lines
    ]


@given(st.lists(st.sampled_from([START, ENDED, report_line(), "hello", "", "{", "INIT_START x"])))
def test_every_line_is_stored_or_counted(messages: Iterable[str]) -> None:
    messages = list(messages)
    lines = lines_of(*messages)
    assert len(lines.lines) + lines.ignored.total() == len(messages)

"""What the text of a log line says of itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode.log_text import Said, bounded, read_text, read_trace_id
from store.log_lines import MAX_BODY, NO_TRACE
from store.times import parse_instant
from tests.lambda_samples import REQUEST, TRACE_ID, TRACE_TEXT

AT = "2026-11-24T10:00:01.250Z"
TIME = parse_instant(AT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[WARNING]\t{AT}\t{REQUEST}\tlow stock", Said(TIME, "warn", REQUEST)),
        (f"[ERROR]\t{AT}\t\tno request yet", Said(TIME, "error")),
        (f"{AT}\t{REQUEST}\tINFO\thello", Said(TIME, "info", REQUEST)),
        (f"{AT}\tundefined\tERROR\tUncaught", Said(TIME, "error")),
        (f"{AT} {REQUEST} Task timed out after 3.00 seconds", Said(TIME, "error", REQUEST)),
        ("hello", Said()),
        ("10:00:01 DEBUG main: hello", Said(severity="debug")),
        ('time=… level="error" msg=x', Said(severity="error")),
        (f"calling with Root={TRACE_TEXT};Parent=…", Said(trace_id=TRACE_ID)),
        ("{ not json", Said()),
    ],
)
def test_text_formats(text: str, expected: Said) -> None:
    assert read_text(text) == expected


@pytest.mark.parametrize(
    "members",
    [
        {"timestamp": AT, "level": "INFO", "message": "hi", "requestId": REQUEST},
        {"timestamp": AT, "level": "INFO", "AWSRequestId": REQUEST, "trace_id": TRACE_ID.hex()},
        {
            "timestamp": AT,
            "level": "info",
            "function_request_id": REQUEST,
            "xray_trace_id": TRACE_TEXT,
        },
        {"time": AT, "severity": "Information", "aws_request_id": REQUEST, "traceId": 5},
    ],
)
def test_json_formats(members: dict[str, object]) -> None:
    said = read_text(json.dumps(members))
    assert (said.time, said.severity, said.request_id) == (TIME, "info", REQUEST)
    named = {"trace_id", "xray_trace_id"} & members.keys()
    assert said.trace_id == (TRACE_ID if named else NO_TRACE)
    assert said.members == members


def test_spans() -> None:
    text = json.dumps({"otelTraceID": TRACE_ID.hex(), "otelSpanID": "00000000000000ff"})
    assert (read_text(text).trace_id, read_text(text).span_id) == (TRACE_ID, 255)


@pytest.mark.parametrize("value", [None, 5, "", "0" * 32, "x" * 32, [], "1-00000000-" + "0" * 24])
def test_other_trace_ids_are_none(value: object) -> None:
    assert read_trace_id(value) == NO_TRACE


@given(st.text() | st.text().map(lambda text: "{" + text))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(read_text(text), Said)


def test_a_long_line_says_how_much_is_left_out() -> None:
    assert bounded("hello \n") == "hello"
    assert bounded("x" * (MAX_BODY + 1500)) == "x" * MAX_BODY + " … 1,500 more characters"

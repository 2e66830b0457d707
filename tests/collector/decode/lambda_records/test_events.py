"""Lines and events of Lambda's platform, one by one."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.decode.lambda_records.events import (
    InitStart,
    Report,
    Start,
    Tracing,
    read_event,
    read_line,
)
from collector.decode.rejected import Reason, Rejected
from tests.lambda_samples import (
    END,
    FUNCTION_ID,
    REQUEST,
    SERVICE_ID,
    TRACE_ID,
    TRACE_TEXT,
    event,
    events,
    report_line,
    tracing,
)


def read(value: object) -> object:
    return read_event(json.dumps(value).encode())


def test_a_report_line() -> None:
    report = read_line(report_line("Init Duration: 455.37 ms\t"), END)
    assert report == Report(
        REQUEST,
        END,
        100_000,
        Tracing(TRACE_ID, FUNCTION_ID),
        billed_ms=101.0,
        memory_mb=1024,
        max_memory_mb=90,
        init=455_370,
        is_text=True,
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("Status: timeout\t", {"status": "timeout"}),
        (
            "Status: error\tError Type: Runtime.ExitError\t",
            {"status": "error", "error_type": "Runtime.ExitError"},
        ),
        (
            "Restore Duration: 465.19 ms\tBilled Restore Duration: 211 ms\t",
            {"restore": 465_190, "billed_restore_ms": 211.0},
        ),
    ],
)
def test_what_only_some_report_lines_say(more: str, expected: dict[str, object]) -> None:
    for line in (report_line(more), report_line() + more):
        report = read_line(line, END)
        assert {name: getattr(report, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("xray", "expected"),
    [
        ("", None),
        (f"XRAY TraceId: {TRACE_TEXT}\t", Tracing(TRACE_ID)),
        (f"XRAY TraceId: {TRACE_TEXT}\tSampled: false\t", Tracing(TRACE_ID, sampled=False)),
        (f"XRAY TraceId: {TRACE_TEXT}\tSegmentId: 00xmpl\t", Tracing(TRACE_ID)),
    ],
)
def test_lines_without_a_trace_a_segment_or_the_decision(xray: str, expected: object) -> None:
    report = read_line(report_line(xray=xray), END)
    assert isinstance(report, Report)
    assert report.tracing == expected


def test_the_emulators_order_of_fields() -> None:
    line = (
        f"REPORT RequestId: {REQUEST}\tInit Duration: 0.11 ms\tDuration: 12.50 ms\t"
        "Billed Duration: 13 ms\tMemory Size: 3008 MB\tMax Memory Used: 3008 MB\t"
    )
    report = read_line(line, END)
    assert isinstance(report, Report)
    assert (report.duration, report.init) == (12_500, 110)


def test_a_start_line_and_an_event_of_it() -> None:
    assert read_line(f"START RequestId: {REQUEST} Version: $LATEST", 0) == Start(REQUEST, "$LATEST")
    assert read(events()[0]) == Start(REQUEST, "42", Tracing(TRACE_ID, 0, FUNCTION_ID, SERVICE_ID))


def test_a_report_event_says_what_the_line_says() -> None:
    _, done = events(
        metrics={"initDurationMs": 455.37, "restoreDurationMs": 1, "billedRestoreDurationMs": 2},
        status="error",
        errorType="Runtime.ExitError",
        tracing=tracing(0, sampled=0),
    )
    assert read(done) == Report(
        REQUEST,
        END,
        100_000,
        Tracing(TRACE_ID, 0, 0, SERVICE_ID, sampled=False),
        billed_ms=101.0,
        memory_mb=1024,
        max_memory_mb=90,
        init=455_370,
        restore=1_000,
        billed_restore_ms=2.0,
        status="error",
        error_type="Runtime.ExitError",
    )
    assert read_line(json.dumps(done), 0) == read(done)


def test_the_start_of_an_environment_names_the_function() -> None:
    started = event("platform.initStart", functionName="checkout", functionVersion="42")
    assert read(started) == InitStart("checkout", "42")


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"END RequestId: {REQUEST}",
        "INIT_START Runtime Version: python:3.12.v38\tRuntime Version ARN: arn:aws:lambda:x",
        "RESTORE_REPORT Restore Duration: 465.19 ms",
        f"2026-11-24T00:00:00Z {REQUEST} Task timed out after 3.00 seconds",
        '{"level":"INFO","message":"no \\"platform.report\\" of mine"}',
        json.dumps(event("platform.runtimeDone", requestId=REQUEST)),
    ],
)
def test_other_lines_say_nothing(line: str) -> None:
    assert read_line(line, END) is None


@pytest.mark.parametrize(
    "line",
    [
        f"REPORT RequestId: {REQUEST}",
        f"REPORT RequestId: {REQUEST}\tDuration: quick",
        f"REPORT RequestId: {REQUEST}\tDuration: -1 ms",
        f"REPORT RequestId: {REQUEST}\tDuration: nan ms",
        f"REPORT RequestId: {REQUEST}\tDuration: 1e300 ms",
        report_line(xray="XRAY TraceId: 1-2-3\t"),
        '{"time":"x","type":"platform.report","record":{"requestId":"a","metrics":{"durationMs":1}}}',
        '{"time":"2026-11-24T00:00:00Z","type":"platform.report","record":{"metrics":{"durationMs":1}}}',
        '{"time":"2026-11-24T00:00:00Z","type":"platform.report","record":{"requestId":"a"}}',
        '{"time":"2026-11-24T00:00:00Z","type": "platform.report"',
    ],
)
def test_a_damaged_record_says_what_is_wrong_with_it(line: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_line(line, END)
    assert caught.value.reason == Reason.INVALID_PLATFORM_RECORD
    assert caught.value.message


FIELDS = st.sampled_from(["Duration", "Memory Size", "XRAY TraceId", "Sampled", "Status", "x"])
VALUES = st.one_of(st.sampled_from(["1 ms", "9" * 400 + " ms", TRACE_TEXT]), st.text(max_size=12))


@given(st.lists(st.tuples(FIELDS, VALUES), max_size=6), st.text(max_size=6))
@example([("Duration", "1_0 ms")], "")
def test_no_other_error_escapes_from_a_line(fields: list[tuple[str, str]], tail: str) -> None:
    line = f"REPORT RequestId: {REQUEST}\t" + "\t".join(f"{k}: {v}" for k, v in fields) + tail
    with contextlib.suppress(Rejected):
        read_line(line, END)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["requestId", "metrics", "durationMs", "tracing", "value", "spanId"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_other_error_escapes_from_an_event(record: object) -> None:
    for type in ("platform.report", "platform.start", "platform.initStart"):
        with contextlib.suppress(Rejected):
            read({"time": "2026-11-24T00:00:00Z", "type": type, "record": record})

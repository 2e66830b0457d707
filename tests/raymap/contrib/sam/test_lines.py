"""What SAM prints → the lines of functions, each with its function, request and trace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode.lambda_records.events import Report, read_line
from raymap.contrib.sam.lines import UNKNOWN, FunctionLine, SamOutput, trace_id_of
from store.times import SECOND
from store.trace_id import parse_trace_id

A, B = "0e6d3e8e-71f2-4b3c-9d5a-2f1d0c9b8a7e", "7c0a1b2c-0000-4000-8000-000000000001"
A_TRACE, A_SEGMENT = "1-0e6d3e8e-71f24b3c9d5a2f1d0c9b8a7e", "9d5a2f1d0c9b8a7e"
BUILD = "/home/me/app/.aws-sam/build"


def mount(name: str) -> str:
    return f"Mounting {BUILD}/{name} as /var/task:ro,delegated, inside runtime container"


def start(request: str) -> str:
    return f"START RequestId: {request} Version: $LATEST"


def report(request: str, more: str = "") -> str:
    return (
        f"REPORT RequestId: {request}\t{more}Duration: 96.22 ms\tBilled Duration: 97 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 128 MB\t"
    )


def read(*lines: str, function: str = "") -> list[FunctionLine]:
    output = SamOutput(function)
    return [
        found
        for number, line in enumerate(lines)
        for found in output.read(line, (1000 + number) * SECOND)
    ]


def names(lines: list[FunctionLine]) -> dict[str, str]:
    return {line.request_id: line.function for line in lines}


def test_an_invocation_and_its_own_lines() -> None:
    lines = read(
        "Invoking app.lambda_handler (python3.12)",
        "Local image is up-to-date",
        mount("HelloWorldFunction"),
        "SAM_CONTAINER_ID: 2a1f",
        start(A),
        "hello",
        f"[INFO]\t2026-11-28T15:00:00.000Z\t{A}\tlooking up",
        f"END RequestId: {A}",
        report(A, "Init Duration: 120.50 ms\t"),
        "",
        '2026-11-28 15:00:00 127.0.0.1 - - [28/Nov/2026 15:00:00] "GET /hello HTTP/1.1" 200 -',
    )
    assert {line[:2] for line in lines} == {("HelloWorldFunction", "$LATEST")}
    assert {line.request_id for line in lines} == {A}
    assert [line.text.split()[0] for line in lines] == ["START", "hello", "[INFO]", "END", "REPORT"]
    fact = read_line(lines[-1].text, lines[-1].time)
    assert isinstance(fact, Report)
    assert fact.tracing is not None
    assert fact.tracing.trace_id == parse_trace_id(A_TRACE)
    assert f"{fact.tracing.segment_id:016x}" == A_SEGMENT
    assert (fact.duration, fact.init, fact.memory_mb) == (96_220, 120_500, 128)


def test_functions_at_the_same_time_and_lines_of_either() -> None:
    """A line that names no request, while two run, is of neither."""
    lines = read(
        mount("First"), start(A), mount("Second"), start(B), "whose?", report(A), "mine", report(B)
    )
    assert names(lines) == {A: "First", B: "Second"}
    own = [line for line in lines if line.text in ("whose?", "mine")]
    assert [(line.text, line.request_id) for line in own] == [("mine", B)]


def test_warm_containers_are_named_by_what_runs_already() -> None:
    """All containers were started before; then their order says nothing."""
    lines = read(
        mount("First"), mount("Second"), "Lambda function 'Second' is already running", start(A)
    )
    assert names(lines) == {A: "Second"}


def test_an_image_is_named_by_its_repository_and_a_nested_stack_by_its_function() -> None:
    lines = read("Invoking Container created from hello:python3.12-v1", start(A))
    assert names(lines) == {A: "hello"}
    warm = read("Lambda function 'Stack/Second' is already running", start(A))
    assert names(warm) == {A: "Second"}


def test_without_a_name_one_is_made_and_a_given_one_is_of_all() -> None:
    assert names(read(start(A))) == {A: UNKNOWN}
    assert names(read(mount("First"), start(A), function="mine")) == {A: "mine"}
    assert names(read(mount("Only"), start(A), report(A), start(B)))[B] == "Only"


def test_a_platform_line_behind_a_text_without_a_line_feed() -> None:
    lines = read(mount("First"), start(A), f"no line feedEND RequestId: {A}", "2 " + report(A))
    texts = [line.text for line in lines]
    assert texts[1:4] == ["no line feed", f"END RequestId: {A}", "2"]
    assert texts[4].startswith("REPORT RequestId: ")


@pytest.mark.parametrize("reported", [False, True])
def test_a_timeout_is_reported_once_whether_or_not_the_emulator_does(reported: bool) -> None:
    lines = read(
        mount("Slow"),
        start(A),
        "Function 'Slow' timed out after 3 seconds",
        *([report(A)] if reported else []),
    )
    (last,) = [line for line in lines if line.text.startswith("REPORT")]
    fact = read_line(last.text, last.time)
    assert isinstance(fact, Report)
    assert (fact.status, fact.duration) == ("timeout", SECOND)
    assert fact.tracing is not None


def test_damaged_lines_and_ends_of_unknown_requests_are_nothing() -> None:
    assert read(report(A), f"END RequestId: {A}", "REPORT RequestId: x\tDuration: -1 ms") == []
    assert trace_id_of("x") == ""


@given(
    st.lists(st.sampled_from([start(A), report(A), start(B), "x", mount("F"), "\x00", report(B)]))
)
def test_any_order_is_read_and_every_line_has_a_request(lines: list[str]) -> None:
    for line in read(*lines):
        assert line.request_id in (A, B)
        assert line.function


@given(st.text())
def test_any_text_in_an_invocation_is_its_own_or_nothing(text: str) -> None:
    for line in read(mount("F"), start(A), text)[1:]:
        assert line.text
        assert line.function == "F"

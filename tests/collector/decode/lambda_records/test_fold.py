"""Facts of one stream → invocations."""

from __future__ import annotations

from msgspec.structs import replace

from collector.decode.lambda_records.events import Fact, InitStart, Report, Start, Tracing
from collector.decode.lambda_records.fold import Folded, Origin, Skipped, fold, origin_of_logs
from collector.decode.rejected import Rejected
from store.rules.invocations import Source
from store.times import SECOND
from tests.lambda_samples import (
    ACCOUNT,
    END,
    FUNCTION_ID,
    GROUP,
    REGION,
    REQUEST,
    SERVICE_ID,
    STREAM,
    TRACE_ID,
    invocation,
    telemetry,
)

LOGS = origin_of_logs(GROUP, STREAM, ACCOUNT, REGION)
REPORT = Report(REQUEST, END, 100_000, Tracing(TRACE_ID, FUNCTION_ID), is_text=True)
START = Start(REQUEST, "42", Tracing(TRACE_ID, 0, FUNCTION_ID, SERVICE_ID))


def folded(*facts: Fact | Rejected | None, origin: Origin = LOGS) -> Folded:
    result, rejected = fold(origin, facts)
    assert not rejected
    return result


def test_a_report_line_alone_is_enough() -> None:
    (found,) = folded(REPORT).invocations
    assert found == invocation(log_stream=STREAM)


def test_the_start_of_an_invocation_has_its_tracing() -> None:
    (found,) = folded(START, replace(REPORT, is_text=False, tracing=None)).invocations
    assert found == telemetry(log_stream=STREAM)
    (alone,) = folded(replace(REPORT, is_text=False)).invocations
    assert alone.source == Source.JSON


def test_names_of_groups_and_streams_name_the_function() -> None:
    assert (LOGS.function, LOGS.version) == ("checkout", "42")
    custom = origin_of_logs("/team/logs", "2026/11/24/pay[$LATEST]38", "", "")
    assert (custom.function, custom.version) == ("pay", "$LATEST")
    assert origin_of_logs("/team/logs", "web-1", "", "").function == ""


def test_the_start_of_an_environment_names_what_its_delivery_does_not() -> None:
    facts = (InitStart("pay", "7"), REPORT)
    (found,) = folded(*facts, origin=Origin(account=ACCOUNT)).invocations
    assert (found.function, found.version, found.account) == ("pay", "7", ACCOUNT)


def test_why_a_finished_invocation_becomes_no_segment() -> None:
    assert folded(replace(REPORT, tracing=None)).skipped == [Skipped.NO_TRACE]
    unsampled = replace(REPORT, tracing=Tracing(TRACE_ID, sampled=False))
    assert folded(unsampled).skipped == [Skipped.NOT_SAMPLED]
    assert folded(REPORT, origin=Origin()).skipped == [Skipped.NO_FUNCTION]


def test_retries_under_one_request_are_attempts_of_their_own() -> None:
    again = replace(REPORT, end=END + 60 * SECOND, tracing=Tracing(TRACE_ID, 7))
    attempts = folded(REPORT, None, again).invocations
    assert [each.segment_id for each in attempts] == [FUNCTION_ID, 7]


def test_a_damaged_record_costs_itself_only() -> None:
    long = replace(REPORT, request_id="x" * 300)
    early = replace(REPORT, end=1)
    result, rejected = fold(LOGS, [long, REPORT, early])
    assert len(result.invocations) == 1
    assert len(rejected) == 2

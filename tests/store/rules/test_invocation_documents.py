"""Lambda's platform records → the segments that AWS writes to X-Ray."""

from __future__ import annotations

import msgspec
import pytest

from collector.decode.document import decode_document
from store.model import Document, NodeKey, State
from store.rules.invocation_documents import documents_of
from store.rules.invocations import Evidence, Invocation, read_record
from store.times import SECOND
from tests.lambda_samples import (
    ACCOUNT,
    END,
    FUNCTION_ID,
    REGION,
    REQUEST,
    SERVICE_ID,
    TRACE_ID,
    invocation,
    telemetry,
)

OTHER = 0xABC


def made(given: Invocation, evidence: Evidence | None = None) -> list[Document]:
    documents = documents_of(given, evidence) if evidence else documents_of(given)
    return [decode_document(msgspec.json.encode(each), 1) for each in documents]


def test_an_invocation_is_a_pair_of_segments_one_below_the_other() -> None:
    service, function, inside = made(telemetry())
    assert (inside.parent_id, inside.independent, inside.calls) == (FUNCTION_ID, True, ())
    assert service.node == NodeKey(ACCOUNT, "checkout", "AWS::Lambda", REGION)
    assert function.node == NodeKey(ACCOUNT, "checkout", "AWS::Lambda::Function", REGION)
    assert (service.id, function.id, function.parent_id) == (SERVICE_ID, FUNCTION_ID, SERVICE_ID)
    assert function.trace_id == service.trace_id == TRACE_ID
    assert (function.start, function.end) == (END - 100_000, END)
    assert function.state == service.state == State.OK


def test_a_cold_start_is_a_subsegment_before_the_function() -> None:
    cold = invocation(init=455_370)
    document = documents_of(cold)[1]
    (initialization,) = document["subsegments"]
    assert initialization["name"] == "Initialization"
    assert initialization["end_time"] == document["start_time"]
    assert initialization["start_time"] == (END - 100_000 - 455_370) / SECOND
    assert document["annotations"]["lambda_cold_start"] is True
    assert documents_of(invocation())[1]["annotations"]["lambda_cold_start"] is False
    assert "subsegments" not in documents_of(invocation())[1]


def test_a_restored_snapshot_is_a_cold_start() -> None:
    document = documents_of(invocation(restore=200_000))[1]
    assert document["subsegments"][0]["name"] == "Restore"
    assert document["annotations"]["lambda_cold_start"] is True


@pytest.mark.parametrize(
    ("status", "error", "label"),
    [
        ("timeout", "", "Lambda.Timeout"),
        ("error", "Runtime.ExitError", "Runtime.ExitError"),
        ("failure", "", "Lambda.Error"),
    ],
)
def test_what_the_platform_calls_a_failure_is_a_fault(status: str, error: str, label: str) -> None:
    for document in made(invocation(status=status, error_type=error)):
        assert document.state == State.FAULT
        assert document.exception == label


def test_a_documents_metadata_contains_the_record() -> None:
    known = telemetry(billed_ms=101.0, memory_mb=1024, max_memory_mb=90, init=1, status="error")
    for document in documents_of(known):
        record = document["metadata"]["raymap"]["platform_record"]
        assert record["billed_ms"] == 101.0
        assert read_record(TRACE_ID, msgspec.json.decode(msgspec.json.encode(record))) == known


def test_tracing_without_a_span_is_the_callers() -> None:
    passed = telemetry(span_id=0, parent_id=OTHER)
    service, function = made(passed)
    assert service.parent_id == OTHER
    assert function.parent_id == service.id


def test_a_caller_is_awaited_and_then_given_up() -> None:
    awaited, _ = made(invocation())
    found, _ = made(invocation(), Evidence(caller=OTHER))
    alone, _ = made(invocation(), Evidence(settled=True))
    assert awaited.parent_id not in (0, OTHER)
    assert (found.parent_id, alone.parent_id) == (OTHER, 0)


def test_a_function_that_reported_itself_is_not_made_again() -> None:
    """OpenTelemetry's layer names what is the function's segment as the parent of its own."""
    service, *inside = made(telemetry(), Evidence(parent=FUNCTION_ID, function=OTHER))
    assert service.node.type == "AWS::Lambda"
    assert FUNCTION_ID in {document.id for document in inside}
    for document in inside:
        assert (document.parent_id, document.independent) == (SERVICE_ID, True)
        assert not document.calls


def test_reported_segments_leave_nothing_to_derive() -> None:
    known = Evidence(function=FUNCTION_ID, service=SERVICE_ID)
    assumed = known._replace(derived=frozenset((FUNCTION_ID, 7, 8)))
    spare = made(telemetry(), assumed)
    assert {7, 8} < {document.id for document in spare}
    assert not {FUNCTION_ID, SERVICE_ID} & {document.id for document in spare}
    assert all(document.independent for document in spare)


def test_earlier_assumptions_count_nowhere_once_the_trace_is_known() -> None:
    first = made(invocation())
    derived = frozenset(document.id for document in first)
    later = made(invocation(), Evidence(parent=OTHER, derived=derived))
    assert derived < {document.id for document in later}
    assert sorted(d.node.type for d in later if not d.independent) == [
        "AWS::Lambda",
        "AWS::Lambda::Function",
    ]


def test_accounts_and_regions_that_are_not_known_are_left_out() -> None:
    service, function = made(invocation(account="", region="", log_group="", version=""))
    assert service.node == NodeKey("", "checkout", "AWS::Lambda")
    assert function.node == NodeKey("", "checkout", "AWS::Lambda::Function")
    assert REQUEST.encode() in function.raw
    service, function = made(invocation(account=""))
    assert service.node.region == function.node.region == REGION

"""What is derived of service logs: valid documents, which both decoders read alike, and from which they are derived again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.decode.document import decode_document
from collector.decode.lambda_records.access_logs import read_access_line
from collector.decode.lambda_records.execution_logs import read_event
from collector.decode.lambda_records.fold import Origin
from store.model import Independent, State
from store.rules import gateway_requests as gateway
from store.rules.execution_documents import elsewhere, segment_of
from store.rules.executions import Execution, execution_of, values_of
from store.rules.gateway_requests import GatewayEvidence, GatewayRequest
from tests.access_logs import ANSWERED, THROTTLED, TRACED, access_line
from tests.collector.second_decoder.agreement import differences
from tests.execution_logs import EXPRESS, FAILED, STANDARD, SUCCEEDED
from tests.lambda_samples import END

Json = dict[str, Any]
EVIDENCE = {
    "nothing": gateway.NOTHING,
    "reported": GatewayEvidence(reported=7),
    "moved": GatewayEvidence(moved=True),
    "joined": GatewayEvidence(caller=3, integration=5, answered=True, settled=True),
    "alone": GatewayEvidence(settled=True),
}


def request(api: str = "Rest", **change: Any) -> GatewayRequest:
    found = read_access_line(access_line(api, **change), END, Origin(log_group="g"))
    assert found is not None
    return found


def execution(lines: list[str], arn: str) -> Execution:
    events = [each for each in map(read_event, lines) if each]
    found = execution_of(arn, [event for _, event in events])
    assert found is not None
    return found


@pytest.mark.parametrize("evidence", EVIDENCE.values(), ids=EVIDENCE)
@pytest.mark.parametrize("api", ["Rest", "Http", "WebSocket"])
@pytest.mark.parametrize("change", [{**TRACED, **ANSWERED}, {**TRACED, **THROTTLED}, {}])
def test_a_requests_document_is_valid_and_read_alike(
    api: str, change: Json, evidence: GatewayEvidence
) -> None:
    given = request(api, **change)
    document = decode_document(msgspec.json.encode(gateway.document_of(given, evidence)), 1)
    assert not differences(document)
    counts = not (evidence.reported or evidence.moved)
    assert document.independent == (Independent.NO if counts else Independent.OF_PARENT)
    assert document.calls == ()
    if counts:
        assert document.state == (State.THROTTLE if given.status == 429 else State.OK)
    record = msgspec.json.decode(document.raw)["metadata"]["raymap"][gateway.RECORD]
    assert gateway.read_record(record) == given


def test_what_a_trace_says_has_a_greater_rank_than_a_line_that_comes_again() -> None:
    known = GatewayEvidence(settled=True)
    assert gateway.rank_of(known) > gateway.rank_of() >= 0


@pytest.mark.parametrize("values", [None, {}, {"request_id": 7}, [], {"status": "x"}])
def test_any_other_metadata_is_no_record(values: object) -> None:
    assert gateway.read_record(values) is None


@pytest.mark.parametrize(("lines", "arn"), [(SUCCEEDED, EXPRESS), (FAILED, STANDARD)])
def test_an_executions_document_is_valid_and_read_alike(lines: list[str], arn: str) -> None:
    given = execution(lines, arn)
    document = decode_document(msgspec.json.encode(segment_of(given)), 1)
    assert not differences(document)
    assert document.state == (State.OK if arn == EXPRESS else State.FAULT)
    other = decode_document(msgspec.json.encode(elsewhere(values_of(given))), 1)
    assert not differences(other)
    assert (other.id, other.trace_id, other.independent) == (document.id, document.trace_id, 1)

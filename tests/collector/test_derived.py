"""Derived segments on their way: what the journal returns is what was submitted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from collector.derived import submit_invocations
from collector.journal.format import Kind, encode, parse_header
from collector.payloads import Decoded, decode_again
from collector.pipeline import IngestPipeline
from collector.submission import MIN_COLUMNAR
from store.columnar import columns_of
from store.model import arrival_of, is_derived
from store.rules.invocations import NOTHING, Evidence
from tests.lambda_samples import FUNCTION_ID, invocation, telemetry


@pytest.fixture
def submitted(pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch) -> list[Decoded]:
    found: list[Decoded] = []
    submit = pipeline.submit

    def record(decoded: Decoded) -> object:
        found.append(decoded)
        return submit(decoded)

    monkeypatch.setattr(pipeline, "submit", record)
    return found


@pytest.mark.parametrize("count", [1, MIN_COLUMNAR])
def test_the_journal_returns_derived_documents_as_such(
    pipeline: IngestPipeline, submitted: list[Decoded], count: int
) -> None:
    """One by one and by column."""
    records = [
        (
            replace(telemetry(), request_id=f"request-{number}", span_id=FUNCTION_ID + number),
            NOTHING,
        )
        for number in range(count)
    ]
    for ack in submit_invocations(pipeline, records, "test"):
        ack.result(60)
    (decoded,) = submitted
    versions = [document.version for document in decoded.documents]
    assert all(map(is_derived, versions))
    assert len(set(versions)) == len(versions) >= 2 * count
    payload = decoded.payload
    record = encode(Kind.DOCUMENTS, payload.version, len(versions), payload.encoded)
    header = parse_header(record)
    assert header is not None
    again = decode_again(header.kind, header.version, payload.encoded)
    assert list(again) == list(decoded.documents)
    assert columns_of(list(again)).versions == versions


def test_each_rank_is_submitted_by_itself(
    pipeline: IngestPipeline, submitted: list[Decoded]
) -> None:
    known = Evidence(caller=7)
    records = [(invocation(), NOTHING), (telemetry(), NOTHING), (telemetry(), known)]
    for ack in submit_invocations(pipeline, records, "test"):
        ack.result(60)
    assert len(submitted) == 3
    firsts = [decoded.documents[0].version for decoded in submitted]
    assert firsts == sorted(firsts)
    arrivals = [arrival_of(version) for version in firsts]
    assert max(arrivals) - min(arrivals) < 60_000_000

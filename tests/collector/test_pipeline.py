"""From bytes to futures, with the counts and the log lines in between."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from collector.decode.rejected import Reason
from collector.journal.format import Kind
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.redaction.redactor import Redactor
from collector.redaction.rules import Action, Rule
from store.memory import MemoryStore
from tests.collector.otlp_samples import export, span
from tests.collector.samples import segment_bytes


def test_decode_and_submit(
    pipeline: IngestPipeline, memory: MemoryStore, metrics: IngestMetrics
) -> None:
    """Valid documents get growing versions; the rest keeps its place and its reason."""
    array = b"[" + segment_bytes("00000000000000a3") + b",{}]"
    raws = [segment_bytes("00000000000000a1"), b"{", segment_bytes("00000000000000a2"), array]
    decoded = pipeline.decode(raws, "http")
    assert [document.id for document in decoded.documents] == [0xA1, 0xA2, 0xA3]
    versions = [document.version for document in decoded.documents]
    assert versions == sorted(set(versions))
    assert [(index, r.reason) for index, r in decoded.rejected] == [
        (1, Reason.INVALID_SEGMENT_DOCUMENT),
        (3, Reason.MISSING_ID),
    ]
    pipeline.submit(decoded).result(60)
    (trace,) = memory._traces.values()
    assert len(trace.documents) == 3
    snapshot = metrics.snapshot()
    assert (snapshot["received"], snapshot["stored"], snapshot["rejected"]) == (5, 3, 2)


def test_rejections_are_logged_sparingly(pipeline: IngestPipeline) -> None:
    """One line per second and reason, and never a payload."""
    structlog.reset_defaults()
    with capture_logs() as lines:
        pipeline.decode([b'{"secret": 1}'] * 100 + [segment_bytes(name="")], "udp")
    said = [line["reason"] for line in lines if line["event"] == "document_rejected"]
    assert said == ["MissingId", "MissingName"]
    assert "secret" not in str(lines)


@pytest.mark.parametrize("raws", [[], [b""]])
def test_nothing_to_keep(pipeline: IngestPipeline, raws: list[bytes]) -> None:
    """Is acknowledged at once."""
    assert pipeline.submit(pipeline.decode(raws, "http")).result(60) is None


def test_secrets_reach_neither_journal_nor_store(
    memory: MemoryStore, metrics: IngestMetrics, tmp_path: Path
) -> None:
    """By every way in; what a rule removed is counted by its name."""
    pipeline = IngestPipeline(memory, tmp_path, metrics=metrics)
    secret = segment_bytes(annotations={"password": "hunter2"})
    body = export(span(attributes={"url.full": "/pay?token=hunter2"}))
    decoded = [
        pipeline.decode([secret], "udp"),
        pipeline.decode_request(Kind.OTLP, body, "otlp-http"),
        pipeline.decode_derived([secret], 1, "derived"),
    ]
    for each in decoded:
        assert b"hunter2" not in each.payload.encoded
        assert len(each.documents) == 1
        assert "hunter2" not in repr(each.documents)
    counts = {
        sample.labels["rule"]: sample.value
        for metric in metrics.redacted.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
    assert counts == {"password": 2, "token": 1}


def test_rules_of_ones_own(memory: MemoryStore, metrics: IngestMetrics, tmp_path: Path) -> None:
    rule = Rule("user", Action.HASH, keys=("user",))
    redactor = Redactor([rule], lambda: b"s" * 32)
    pipeline = IngestPipeline(memory, tmp_path, metrics=metrics, redactor=redactor)
    (document,) = pipeline.decode([segment_bytes(user="ana")], "http").documents
    assert document.user.startswith("hash:")

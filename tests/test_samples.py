"""The tool that tries payloads of others: it knows what it is given, and a crash is its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.samples import judge
from collector.decode.zipkin.wire import messages
from tests.collector.otlp_samples import SERVER, export, span
from tests.collector.receivers.test_otlp_http import JSON_SPAN, ZIPKIN_SPAN, json_export
from tests.collector.samples import datagram, segment_bytes, segment_json
from tests.conftest import ROOT

ZIPKIN_PROTOBUF = messages["ListOfSpans"](
    spans=[
        messages["Span"](trace_id=b"\1" * 16, id=b"\2" * 8, timestamp=1).SerializeToString(),
    ]
).SerializeToString()
WRAPPED = json.dumps({"result": json.loads(json_export(JSON_SPAN))}).encode()
TRACES = json.dumps({"Traces": [{"Segments": [{"Document": segment_bytes().decode()}]}]}).encode()


@pytest.mark.parametrize(
    ("content", "kind", "accepted", "rejected"),
    [
        (export(span(SERVER)), "OTLP protobuf?", 1, 0),
        (json_export(JSON_SPAN, {"spanId": "x"}), "OTLP JSON", 1, 1),
        (WRAPPED, "OTLP JSON in result", 1, 0),
        (json.dumps([ZIPKIN_SPAN]).encode(), "Zipkin JSON", 1, 0),
        (ZIPKIN_PROTOBUF, "Zipkin protobuf?", 1, 0),
        (segment_bytes(), "X-Ray traces?", 1, 0),
        (TRACES, "X-Ray traces?", 1, 0),
        (datagram(json.dumps(segment_json(), indent=1).encode()), "X-Ray datagram", 1, 0),
        (b"", "not a payload", 0, 0),
        (b'{"a": 1}', "not a payload", 0, 0),
        (b"\x89PNG", "not a payload", 0, 0),
    ],
)
def test_kinds(tmp_path: Path, content: bytes, kind: str, accepted: int, rejected: int) -> None:
    file = tmp_path / "sample"
    file.write_bytes(content)
    outcome = judge(file, "sample")
    assert outcome.crash == ""
    found = (outcome.kind, len(outcome.documents), len(outcome.rejected))
    assert found == (kind, accepted, rejected)


def test_a_crash_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("bench.samples.decode_frames", broken)
    file = tmp_path / "sample"
    file.write_bytes(json_export(JSON_SPAN))
    assert "RuntimeError: broken" in judge(file, "sample").crash


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(json_export(JSON_SPAN, {"spanId": "x"}))
    (tmp_path / "b.json").write_bytes(json.dumps([ZIPKIN_SPAN]).encode())
    command = [sys.executable, "-m", "bench.samples", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "2 files: 2 spans and documents accepted, 1 rejected, 0 crashes" in done.stdout

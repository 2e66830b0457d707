"""Log lines that leave a journal for another Raymap are the same there."""

from __future__ import annotations

from msgspec import structs

from collector.decode.lambda_records.otlp_logs import decode_logs
from raymap.commands.export_lines import export_request
from store.log_lines import LogLine
from tests.builders import T0, trace_id
from tests.lambda_samples import ACCOUNT, GROUP, REGION, REQUEST, STREAM

FUNCTION = ("checkout", "AWS::Lambda::Function", ACCOUNT, REGION)
LINES = [
    LogLine(T0, f"START RequestId: {REQUEST}", *FUNCTION, REQUEST, record="start"),
    LogLine(T0 + 1000, "hello", *FUNCTION, REQUEST, log_group=GROUP, log_stream=STREAM),
    LogLine(T0 + 2000, "hi", "web", trace_id=trace_id(1), span_id=7, severity="warn"),
]


def test_they_are_read_as_they_were() -> None:
    logs = decode_logs(export_request(LINES).SerializeToString())
    assert not logs.rejected
    assert [structs.replace(line, source="") for line in logs.lines.lines] == LINES

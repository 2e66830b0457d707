"""What is fuzzed: from bytes to an effect, with the one error that each documents."""

from __future__ import annotations

import gzip
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from google.protobuf.message import DecodeError
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from bench.fuzz.mutations import Mutate, mutate_bytes, mutate_json, mutate_protobuf
from collector._pb import segments_pb2
from collector.batches import Ack
from collector.decode.daemon import split_datagram
from collector.decode.lambda_records.cloudwatch import decode_delivery, read_delivery
from collector.decode.lambda_records.execution_logs import read_event
from collector.decode.lambda_records.otlp_logs import decode_json_logs, decode_logs
from collector.decode.lambda_records.upload import decode_upload
from collector.decode.limits import check_count, check_field_count
from collector.decode.metrics.otlp import decode_json_metrics, decode_metrics
from collector.decode.metrics.stream import decode_stream
from collector.decode.rejected import Rejected
from collector.decode.stored import decode_any
from collector.derived import submit_records
from collector.journal.format import Kind
from collector.log_records import submit_lines, submit_points
from collector.metrics import IngestMetrics
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.http import _HttpReceiver
from collector.receivers.relayed import decode_part
from collector.records import Records
from collector.settings import HttpLimits
from collector.tuning import collect_less_often
from raymap.auth import sigv4
from raymap.contrib.declare.templates.reader import Place, read_template
from raymap.errors import CommandError
from store.clickhouse.search.bounds import TRUE
from store.clickhouse.search.compile import compiled
from store.clickhouse.write import inserts
from store.columnar import columns_of
from store.filters.errors import FilterError
from store.filters.evaluate import matches
from store.filters.groups import expand_groups
from store.filters.parse import parse_with_positions
from store.memory import MemoryStore
from store.model import Document, Trace
from store.otel.from_xray import export_trace, to_json
from store.rules.execution_documents import RANK, segment_of
from store.rules.executions import Event, execution_of
from store.service_graph import build_service_graph
from store.summary import summarize
from store.trace_documents import processed_documents
from store.units import calls_of

CORPUS = Path(__file__).resolve().parents[2] / "tests" / "fuzz" / "corpus"


class Target(NamedTuple):
    """A decoder or parser. ``run`` raises nothing but one of ``documented``."""

    name: str
    mutate: Mutate
    run: Callable[[bytes], None]
    documented: tuple[type[Exception], ...] = (Rejected,)
    corpus: str = ""
    """The folder of samples, if not the name."""

    def samples(self) -> list[bytes]:
        """In the order of their names; of a list, its lines."""
        found: list[bytes] = []
        for path in sorted((CORPUS / (self.corpus or self.name)).iterdir()):
            content = path.read_bytes()
            found += content.splitlines() if path.suffix == ".list" else [content]
        return found


class _Fuzzed(IngestPipeline):
    """A pipeline that reads back what it is given, in place of storing it."""

    def __init__(self) -> None:
        folder = tempfile.gettempdir()
        super().__init__(MemoryStore(), folder, metrics=IngestMetrics(CollectorRegistry()))
        self._seen = 0

    def reject(self, rejections: Iterable[Rejected]) -> None:
        for rejected in rejections:
            str(rejected.as_value()).encode()

    def submit(self, decoded: Decoded) -> Ack:
        documents = list(decoded.documents)
        if documents:
            inserts.encode(columns_of(documents))
        self._seen += 1
        if self._seen % 8 == 0:
            _read_back(documents[:20])
        return _done()

    def submit_records(self, records: Records) -> Ack:
        msgspec.json.encode(records.decode())
        return _done()


def _done() -> Ack:
    ack = Ack()
    ack.set_result(None)
    return ack


def _read_back(documents: Sequence[Document]) -> None:
    """Everything that is read of a document can be."""
    for trace in _traces(documents):
        for document in trace.documents.values():
            assert decode_any(document.raw, document.version).node == document.node
        build_service_graph([trace])
        summarize(trace)
        processed_documents(trace)
        to_json(export_trace(trace.documents.values()))


def _traces(documents: Sequence[Document]) -> list[Trace]:
    traces: dict[bytes, Trace] = {}
    for document in documents:
        trace = traces.setdefault(document.trace_id, Trace(document.trace_id, {}, {}, 1, 1))
        assert isinstance(trace.documents, dict)
        assert isinstance(trace.calls, dict)
        trace.documents[document.id] = document
        trace.calls.update((owned.call.id, owned) for owned in calls_of(document))
    return list(traces.values())


@cache
def _pipeline() -> _Fuzzed:
    collect_less_often()
    return _Fuzzed()


@cache
def _receiver() -> Any:
    return _HttpReceiver(_pipeline(), HttpLimits())


def _documents(data: bytes) -> None:
    pipeline = _pipeline()
    pipeline.submit(pipeline.decode([data], "fuzz"))


def _many_documents(data: bytes) -> None:
    """Enough of them to be decoded by column."""
    pipeline = _pipeline()
    pipeline.submit(pipeline.decode([data] * 40, "fuzz"))


def _datagram(data: bytes) -> None:
    _documents(split_datagram(data))


def _put(data: bytes) -> None:
    _pipeline().submit(_receiver()._decode_put(data))


def _import(data: bytes) -> None:
    _pipeline().submit(_receiver()._decode_import(data)[0])


def _spans(kind: Kind, data: bytes) -> None:
    _pipeline().submit(_pipeline().decode_request(kind, data, "fuzz"))


def _logs(decode: Callable[[bytes], Any], data: bytes) -> None:
    logs = decode(data)
    _pipeline().reject(logs.rejected)
    submit_records(_pipeline(), logs.folded.invocations, logs.folded.skipped, "fuzz")
    submit_lines(_pipeline(), logs.lines)


def _metrics(decode: Callable[[bytes], Any], data: bytes) -> None:
    found = decode(data)
    _pipeline().reject(found.rejected)
    submit_points(_pipeline(), found.points, found.ignored)


def _firehose(data: bytes) -> None:
    decoded = decode_delivery(read_delivery(data), "eu-west-1")
    _pipeline().reject(decoded.rejected)
    submit_records(_pipeline(), decoded.invocations, decoded.skipped, "fuzz", decoded.requests)
    submit_lines(_pipeline(), decoded.logs)
    for part, relayed in ((decoded.spans.finished, True), (decoded.spans.running, False)):
        for spans in decode_part(_pipeline(), part, "fuzz", relayed=relayed):
            assert not (relayed and any(each.in_progress for each in spans.documents))
            _pipeline().submit(spans)


def _aws_span(data: bytes) -> None:
    """A record of ``aws/spans``, between others."""
    lines = [data.decode(errors="replace"), '{"traceId": "x"}']
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "aws/spans",
        "logStream": "default",
        "logEvents": [{"timestamp": 1_795_560_000_000, "message": line} for line in lines],
    }
    _firehose(_delivered(msgspec.json.encode(batch)))


def _service_log(data: bytes) -> None:
    """A line that API Gateway or Step Functions logs, between others; what becomes of it when it is joined."""
    lines = [line.decode(errors="replace") for line in data.split(b"\n")]
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "/aws/vendedlogs/states/fulfilment",
        "logStream": "default",
        "logEvents": [
            {"timestamp": 1_795_560_000_000 + at, "message": line} for at, line in enumerate(lines)
        ],
    }
    _firehose(_delivered(msgspec.json.encode(batch)))
    events: dict[str, list[Event]] = {}
    for arn, event in filter(None, map(read_event, lines)):
        events.setdefault(arn, []).append(event)
    executions = [execution_of(arn, found) for arn, found in events.items()]
    raws = [msgspec.json.encode(segment_of(each)) for each in executions if each]
    if raws:
        derived = _pipeline().decode_derived(raws, RANK, "fuzz")
        assert not derived.rejected, derived.rejected
        _pipeline().submit(derived)


def _delivered(record: bytes) -> bytes:
    content = gzip.compress(record, 1) if len(record) % 2 else record
    data = b64encode(content).decode()
    return msgspec.json.encode({"requestId": "r", "timestamp": 1, "records": [{"data": data}]})


def _log_line(data: bytes) -> None:
    """A line of a function's log, between others."""
    lines = [line.decode(errors="replace") for line in data.split(b"\n")]
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "/aws/lambda/checkout",
        "logStream": "2026/11/24/[42]3893aa",
        "logEvents": [
            {"timestamp": 1_795_560_000_000 + at, "message": line} for at, line in enumerate(lines)
        ],
    }
    _firehose(_delivered(msgspec.json.encode(batch)))


def _metric_stream(data: bytes) -> None:
    _metrics(lambda body: decode_stream(read_delivery(body)), data)


def _upload(data: bytes) -> None:
    pipeline, upload = _pipeline(), decode_upload(data)
    pipeline.reject(upload.rejected)
    pipeline.submit(pipeline.decode(upload.documents, "fuzz"))
    submit_records(pipeline, upload.folded.invocations, upload.folded.skipped, "fuzz")
    submit_lines(pipeline, upload.logs)


def _message(data: bytes) -> None:
    """PutSegments of raymap.v1, as its receiver reads it."""
    check_field_count(data)
    request = segments_pb2.PutSegmentsRequest.FromString(data)
    check_count(len(request.documents))
    _pipeline().submit(_pipeline().decode(list(request.documents), "fuzz"))


def _filter(data: bytes) -> None:
    parsed, positions = parse_with_positions(data.decode(errors="surrogateescape"))
    expression = expand_groups(parsed, {}, positions)
    for sure in (True, False):
        compiled(expression, TRUE, sure=sure)
    for trace in _known_traces():
        matches(trace, expression)


@cache
def _known_traces() -> list[Trace]:
    pipeline = _pipeline()
    raws = Target("document", mutate_json, _documents).samples()
    return _traces(list(pipeline.decode(raws, "fuzz").documents))


_SECRET, _NOW = "s" * 40, 1_795_560_000.0


def _signature(data: bytes) -> None:
    """A request as text: its line, its headers, an empty line, its body."""
    head, _, body = data.partition(b"\n\n")
    line, *lines = head.split(b"\n")
    method, path, query = [*line.split(b" "), b"", b"", b""][:3]
    headers = [
        (name.lower(), value.strip()) for name, _, value in (each.partition(b":") for each in lines)
    ]
    authorization = dict(headers).get(b"authorization", b"").decode("latin-1")
    credential = sigv4.parse(authorization, headers, _NOW)
    sigv4.verify(
        credential,
        _SECRET,
        method=method.decode("latin-1"),
        raw_path=path,
        query=query,
        headers=headers,
        body=body,
    )


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="raymap-fuzz-"))


def _template(data: bytes) -> None:
    path = _folder() / ("template.json" if data.lstrip()[:1] == b"{" else "template.yaml")
    path.write_bytes(data)
    read_template(path, Place("stack", "111122223333", "eu-west-1"), {})


_HTTP = (Rejected, HTTPException)
TARGETS: tuple[Target, ...] = (
    Target("document", mutate_json, _documents),
    Target("documents-by-column", mutate_json, _many_documents, corpus="document"),
    Target("datagram", mutate_json, _datagram),
    Target("put-trace-segments", mutate_json, _put, _HTTP),
    Target("import", mutate_json, _import, _HTTP),
    Target("otlp-traces", mutate_protobuf, partial(_spans, Kind.OTLP)),
    Target("otlp-traces-json", mutate_json, partial(_spans, Kind.OTLP_JSON)),
    Target("otlp-logs", mutate_protobuf, partial(_logs, decode_logs)),
    Target("otlp-logs-json", mutate_json, partial(_logs, decode_json_logs)),
    Target("otlp-metrics", mutate_protobuf, partial(_metrics, decode_metrics)),
    Target("otlp-metrics-json", mutate_json, partial(_metrics, decode_json_metrics)),
    Target("zipkin", mutate_protobuf, partial(_spans, Kind.ZIPKIN_PROTOBUF)),
    Target("zipkin-json", mutate_json, partial(_spans, Kind.ZIPKIN_JSON)),
    Target("firehose", mutate_json, _firehose),
    Target("firehose-record", mutate_json, lambda data: _firehose(_delivered(data))),
    Target("metric-stream", mutate_protobuf, lambda data: _metric_stream(_delivered(data))),
    Target("lambda-telemetry", mutate_json, _upload),
    Target("log-line", mutate_bytes, _log_line),
    Target("aws-span", mutate_json, _aws_span),
    Target("service-log", mutate_json, _service_log),
    Target("service-log-lines", mutate_bytes, _service_log),
    Target("raymap-v1", mutate_protobuf, _message, (Rejected, DecodeError)),
    Target("filter", mutate_bytes, _filter, (FilterError,)),
    Target("signature", mutate_bytes, _signature, (sigv4.InvalidSignature,)),
    Target("template", mutate_bytes, _template, (CommandError,)),
)

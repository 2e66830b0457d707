"""Fuzz every decoder, and the reading of what it let through, guided by coverage.

    pip install atheris
    python -m bench.fuzz --minutes 30 [--corpus FOLDER]

One input goes to the decoder that its first byte chooses. Nothing but `Document` and `Rejected`
may come out; a document must be text the store can take, and must enter a service graph, be summarized, read back and be
exported.
A crash ends the run, exits 1 and leaves the input in ``crash-*``; the closing line of libFuzzer
counts the runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["collector", "store"]):
    from collector.decode.daemon import split_datagram
    from collector.decode.document import decode_documents
    from collector.decode.otlp.datagram import decode_payload
    from collector.decode.otlp.json import read_json_frames
    from collector.decode.otlp.request import decode_frames, decode_otlp
    from collector.decode.rejected import Rejected
    from collector.decode.stored import decode_any
    from collector.decode.trace_document import read_traces
    from collector.decode.zipkin.spans import decode_zipkin, decode_zipkin_protobuf
    from store.clickhouse.write.rows import call_columns, segment_columns
    from store.columnar import columns_of
    from store.model import Document, Trace
    from store.otel.from_xray import export_trace, to_json
    from store.service_graph import build_service_graph
    from store.summary import summarize
    from store.trace_documents import processed_documents
    from store.units import calls_of

Decoder = Callable[[bytes], Iterable[object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--corpus", type=Path, help="keep and reuse interesting inputs here")
    options = parser.parse_args()
    corpus = options.corpus or Path(tempfile.mkdtemp(prefix="raymap-fuzz-"))
    corpus.mkdir(parents=True, exist_ok=True)
    _seed(corpus)
    arguments = [sys.argv[0], str(corpus), f"-max_total_time={int(options.minutes * 60)}"]
    atheris.Setup([*arguments, "-max_len=4096", "-rss_limit_mb=2000"], fuzz_one)
    atheris.Fuzz()


def fuzz_one(data: bytes) -> None:
    """One input."""
    if not data:
        return
    decode = DECODERS[data[0] % len(DECODERS)]
    try:
        results = list(decode(data[1:]))
    except Rejected:
        return
    documents = [result for result in results if isinstance(result, Document)]
    strangers = [result for result in results if not isinstance(result, Document | Rejected)]
    assert not strangers, strangers
    for document in documents:
        _encodable(segment_columns(columns_of([document])))
        _encodable(call_columns(columns_of([document])))
        assert decode_any(document.raw, document.version).node == document.node
    for trace in _traces(documents):
        build_service_graph([trace])
        summarize(trace)
        processed_documents(trace)
        exported = export_trace(trace.documents.values())
        to_json(exported)
        list(decode_otlp(exported.SerializeToString(), 1))


def _datagram(data: bytes) -> Iterable[object]:
    return decode_payload(split_datagram(data), 1)


def _import(data: bytes) -> Iterable[object]:
    read = read_traces(data)
    return [*read.rejected, *(result for raw in read.raws for result in decode_documents(raw, 1))]


DECODERS: tuple[Decoder, ...] = (
    lambda data: decode_documents(data, 1),
    lambda data: decode_otlp(data, 1),
    lambda data: decode_frames(read_json_frames(data), 1),
    lambda data: decode_zipkin(data, 1),
    lambda data: decode_zipkin_protobuf(data, 1),
    _datagram,
    _import,
)


def _encodable(values: Iterable[Any]) -> None:
    for value in values:
        if isinstance(value, str):
            value.encode()
        elif isinstance(value, list | tuple):
            _encodable(value)


def _traces(documents: Iterable[Document]) -> Iterable[Trace]:
    traces: dict[bytes, Trace] = {}
    for document in documents:
        trace = traces.setdefault(document.trace_id, Trace(document.trace_id, {}, {}, 1, 1))
        assert isinstance(trace.documents, dict)
        assert isinstance(trace.calls, dict)
        trace.documents[document.id] = document
        trace.calls.update((owned.call.id, owned) for owned in calls_of(document))
    return traces.values()


def _seed(corpus: Path) -> None:
    """Inputs to begin with: one of each form, and the samples of XRAY_VECTORS when it is set."""
    segment = (
        b'{"id":"00000000000000a1","trace_id":"1-6b061440-000000000000000000000001","name":"a",'
        b'"start_time":1795560000.5,"end_time":1795560001,"http":{"response":{"status":429}},'
        b'"cause":{"exceptions":[{"id":"0000000000000001","type":"E"}]},"annotations":{"k":1},'
        b'"subsegments":[{"id":"00000000000000c1","name":"dynamodb","namespace":"aws",'
        b'"start_time":1795560000.6,"end_time":1795560000.7,"aws":{"table_name":"t"}}]}'
    )
    span = (
        b'{"traceId":"6b061440000000000000000000000001","spanId":"00000000000000b1","kind":3,'
        b'"name":"GET","startTimeUnixNano":"1795560000000000000",'
        b'"endTimeUnixNano":"1795560000100000000","status":{"code":2},'
        b'"attributes":[{"key":"db.system","value":{"stringValue":"mysql"}}]}'
    )
    zipkin = (
        b'[{"traceId":"6b06144000000001","id":"00000000000000b1","kind":"CLIENT","name":"get",'
        b'"timestamp":1795560000000000,"duration":100,"localEndpoint":{"serviceName":"a"},'
        b'"remoteEndpoint":{"serviceName":"b"},"tags":{"http.status_code":"500"}}]'
    )
    scopes = b'{"resourceSpans":[{"resource":{},"scopeSpans":[{"spans":[' + span + b"]}]}]}"
    header = b'{"format":"json","version":1}\n'
    seeds = [b"\0" + segment, b"\2" + scopes, b"\3" + zipkin, b"\5" + header + segment]
    seeds.append(b"\6" + b'{"Id":"x","Segments":[{"Id":"y","Document":' + segment + b"}]}")
    if folder := os.environ.get("XRAY_VECTORS"):
        for kind, number in (("segments", 0), ("otlp", 1), ("datagrams", 5), ("traces", 6)):
            files = [path for path in sorted(Path(folder, kind).iterdir()) if path.is_file()]
            small = [path.read_bytes() for path in files if path.stat().st_size <= 4000]
            seeds += [bytes([number]) + content for content in small]
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)


if __name__ == "__main__":
    main()

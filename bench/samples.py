"""What Raymap makes of payloads that others wrote: every file of a folder through the real decoders.

    python -m bench.samples FOLDER

The kind of each file is seen from what is in it: OTLP in JSON or protobuf, Zipkin v2 in JSON or
protobuf, X-Ray's datagrams, segment documents and traces as BatchGetTraces returns them. Whatever
is accepted is also drawn, summed up, read back and exported. Exits 1 when anything raises, and
names the refused with their reasons: whether they should be refused is for the reader to judge.
"""

from __future__ import annotations

import argparse
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bench.server import WIDTH
from collector.decode.daemon import split_datagram
from collector.decode.otlp.columns import Spans
from collector.decode.otlp.datagram import decode_payload
from collector.decode.otlp.json import SPANS, read_json_frames
from collector.decode.otlp.request import decode_frames, decode_otlp
from collector.decode.rejected import Rejected
from collector.decode.trace_document import read_traces
from collector.decode.zipkin.spans import decode_zipkin, decode_zipkin_protobuf
from store.memory import MemoryStore
from store.model import Document
from store.otel.from_xray import export_trace, to_json
from store.service_graph import build_service_graph
from store.summary import summarize
from store.trace_documents import processed_documents

Decode = Callable[[], Iterable[Document | Rejected]]

_OTLP_KEYS = ("resourceSpans", "resource_spans")


class Outcome(NamedTuple):
    """What became of one file."""

    name: str
    kind: str
    documents: list[Document]
    rejected: list[Rejected]
    crash: str


def judge(path: Path, name: str) -> Outcome:
    """Decode a file, and use what comes out as the server does."""
    raw = path.read_bytes()
    try:
        for kind, decode in readings(raw):
            results: list[Document | Rejected]
            try:
                results = list(decode())
            except Rejected as whole:
                results = [whole]
            documents = [result for result in results if isinstance(result, Document)]
            rejected = [result for result in results if isinstance(result, Rejected)]
            if documents or not kind.endswith("?"):
                use(documents)
                return Outcome(name, kind, documents, rejected, "")
    except Exception:
        return Outcome(name, "", [], [], traceback.format_exc())
    return Outcome(name, "not a payload", [], [], "")


def readings(raw: bytes) -> Iterator[tuple[str, Decode]]:
    """What the bytes may be, likeliest first. With a question mark: only if something comes out."""
    if raw.lstrip()[:1] not in b"[{":
        yield "OTLP protobuf?", lambda: decode_otlp(raw, 1)
        yield "Zipkin protobuf?", lambda: _results(decode_zipkin_protobuf(raw, 1))
        return
    try:
        content = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        if b'"format"' in raw.partition(b"\n")[0]:
            yield "X-Ray datagram", lambda: decode_payload(split_datagram(raw), 1)
            return
        yield "X-Ray traces?", lambda: _traces(raw)
        return
    if isinstance(content, dict) and any(key in content for key in _OTLP_KEYS):
        yield "OTLP JSON", lambda: decode_frames(read_json_frames(raw, SPANS), 1)
    elif isinstance(content, dict) and any(key in _object(content, "result") for key in _OTLP_KEYS):
        inner = msgspec.json.encode(content["result"])  # as query services wrap it
        yield "OTLP JSON in result", lambda: decode_frames(read_json_frames(inner, SPANS), 1)
    elif isinstance(content, list) and any("traceId" in part for part in _objects(content)):
        yield "Zipkin JSON", lambda: _results(decode_zipkin(raw, 1))
    else:
        yield "X-Ray traces?", lambda: _traces(raw)


def _results(spans: Spans) -> list[Document | Rejected]:
    return [*spans.documents, *(bad for _, bad in spans.rejected)]


def _object(content: dict[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _objects(content: list[Any]) -> Iterator[dict[str, Any]]:
    return (part for part in content if isinstance(part, dict))


def _traces(raw: bytes) -> Iterator[Document | Rejected]:
    found = read_traces(raw)
    yield from found.rejected
    for document in found.raws:
        yield from decode_payload(document, 1)


def use(documents: list[Document]) -> None:
    """Draw, sum up, read back and export them. Raises whatever goes wrong."""
    store = MemoryStore()
    store.put(documents, "samples")
    traces = store.get_traces(list({document.trace_id for document in documents}), raw=True)
    build_service_graph(traces.values())
    for trace in traces.values():
        summarize(trace)
        msgspec.json.encode(processed_documents(trace))
        exported = export_trace(trace.documents.values())
        again = list(decode_otlp(exported.SerializeToString(), 1))
        refused = [result for result in again if isinstance(result, Rejected)]
        if refused:
            raise AssertionError(f"the export is refused: {refused[0]}")
        msgspec.json.encode(to_json(exported))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.samples", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    console = Console(width=WIDTH)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    outcomes = [judge(path, str(path.relative_to(folder))) for path in files]
    table = Table(Column("file", overflow="fold"), "kind", "accepted", "rejected", "why")
    for outcome in outcomes:
        why = "; ".join(f"{n}× {text}" for text, n in Counter(map(str, outcome.rejected)).items())
        why = outcome.crash.strip().rpartition("\n")[2] if outcome.crash else why
        style = "red" if outcome.crash else "yellow" if outcome.rejected else ""
        counts = (str(len(outcome.documents)), str(len(outcome.rejected)))
        table.add_row(outcome.name, outcome.kind, *counts, escape(why), style=style)
    console.print(table)
    for outcome in outcomes:
        if outcome.crash:
            console.print(escape(f"{outcome.name}:\n{outcome.crash}"), style="red")
    kinds = Counter(outcome.kind.rstrip("?") for outcome in outcomes if outcome.documents)
    accepted = sum(len(outcome.documents) for outcome in outcomes)
    rejected = sum(len(outcome.rejected) for outcome in outcomes)
    crashes = sum(bool(outcome.crash) for outcome in outcomes)
    console.print(
        f"{len(files)} files: {accepted:,} spans and documents accepted, {rejected:,} rejected, "
        f"{crashes} crashes; " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
    )
    raise SystemExit(crashes > 0)


if __name__ == "__main__":
    main()

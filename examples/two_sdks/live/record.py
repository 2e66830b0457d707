"""Records what SDKs send on its way to a Raymap, as samples for tests.

One JSON document per line. X-Ray: the segments. OpenTelemetry: OTLP's ``resourceSpans``, one span
each. Stack traces, and what describes the machine rather than the call, are left out.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from examples.two_sdks.live.fake_aws import read_body
from examples.two_sdks.live.programs import Run
from examples.two_sdks.live.servers import Addresses

_RESOURCE = ("service.name", "telemetry.", "cloud.", "faas.")
_STACK = "exception.stacktrace"


class Recorder:
    """Forwards datagrams and requests, and keeps a copy of each."""

    def __init__(self, to: Addresses) -> None:
        self._to = to
        self.datagrams: list[bytes] = []
        self.requests: list[tuple[str, bytes]] = []
        """Path and body, unpacked."""
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        port = self._http.server_address[1]
        udp = f"127.0.0.1:{self._udp.getsockname()[1]}"
        self.addresses = Addresses(f"http://127.0.0.1:{port}", udp)

    def __enter__(self) -> Recorder:
        threading.Thread(target=self._forward, daemon=True).start()
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def write(self, folder: Path, run: Run) -> None:
        """The recording, as one file."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = [segment(datagram) for datagram in self.datagrams]
        for _, body in self.requests:
            lines += spans(body)
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        (folder / file_name(run.name)).write_text(text)

    def _forward(self) -> None:
        host, _, port = self._to.udp.rpartition(":")
        while True:
            datagram = self._udp.recv(65_536)
            self.datagrams.append(datagram)
            self._udp.sendto(datagram, (host, int(port)))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # an exporter drops its connection
                    super().handle()

            def do_POST(self) -> None:
                body = read_body(self)
                packed = self.headers["Content-Encoding"] == "gzip"
                recorder.requests.append((self.path, gzip.decompress(body) if packed else body))
                forwarded = ("Content-Type", "Content-Encoding")
                headers = {name: self.headers[name] for name in forwarded if name in self.headers}
                url = recorder._to.http + self.path
                with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
                    reply = answer.read()
                self.send_response(200)
                self.send_header("Content-Type", self.headers["Content-Type"])
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def file_name(run: str) -> str:
    """The file of a run's recording."""
    return re.sub(r"[^a-z0-9.]+", "-", run.lower()) + ".jsonl"


def segment(datagram: bytes) -> dict[str, Any]:
    """The document of a datagram."""
    document: dict[str, Any] = json.loads(datagram.partition(b"\n")[2])
    trim(document)
    return document


def trim(value: Any) -> None:
    """Remove stacks and the machine's paths from a segment, wherever they are."""
    if isinstance(value, dict):
        for key in ("stack", "working_directory", "paths"):
            value.pop(key, None)
        for member in value.values():
            trim(member)
    elif isinstance(value, list):
        for item in value:
            trim(item)


def spans(body: bytes) -> list[dict[str, Any]]:
    """OTLP's JSON of each span with its resource and scope."""
    lines = []
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        own = MessageToDict(resource.resource)
        own["attributes"] = [a for a in own["attributes"] if a["key"].startswith(_RESOURCE)]
        for scope in resource.scope_spans:
            named = MessageToDict(scope.scope)
            for span in scope.spans:
                scope_spans = {"scope": named, "spans": [_span(span)]}
                lines.append({"resourceSpans": [{"resource": own, "scopeSpans": [scope_spans]}]})
    return lines


def _span(span: Span) -> dict[str, Any]:
    for event in span.events:
        others = [a for a in event.attributes if a.key != _STACK]
        del event.attributes[:]
        event.attributes.extend(others)
    found: dict[str, Any] = MessageToDict(span, use_integers_for_enums=True)
    found["traceId"], found["spanId"] = span.trace_id.hex(), span.span_id.hex()
    if span.parent_span_id:
        found["parentSpanId"] = span.parent_span_id.hex()
    return found

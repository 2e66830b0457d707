"""One trace, log line or point to every receiver, with the credential of a tenant."""

from __future__ import annotations

import base64
import json
import socket
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import grpc
from botocore.config import Config
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from collector._pb import segments_pb2
from store.times import SECOND
from tests.collector.decode.metrics.test_points import cloudwatch, delimited
from tests.collector.decode.metrics.test_points import export as export_points
from tests.collector.otlp_samples import SERVER, span
from tests.collector.otlp_samples import request as export_spans
from tests.collector.receivers.test_otlp_logs import request as export_lines
from tests.collector.samples import datagram, segment_service
from tests.conftest import Server
from tests.lambda_samples import ACCOUNT, REGION, REQUEST, delivery, event, log_batch, record

PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Sender:
    """A program of a tenant. ``mark`` is in everything it sends; names and ids are those of all others."""

    server: Server
    otlp: str
    """The collector's OTLP port, as a URL."""
    key: Mapping[str, str]
    """As `raymap key add --json` prints it."""
    mark: str
    udp: str
    """host:port of the tenant's datagrams; empty: it sends none."""
    now: float

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("x-api-key", self.key["token"]),)

    def post(self, path: str, body: bytes, media: str = "application/json", at: str = "") -> None:
        headers = {"Authorization": f"Bearer {self.key['token']}", "Content-Type": media}
        request = urllib.request.Request((at or self.server.http) + path, body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
            assert answer.status in (200, 202), answer.status

    def trace(self, name: str) -> str:
        """The id of the trace that every tenant sends to the receiver of a name."""
        number = sum(map(ord, name))
        return f"1-{int(self.now):08x}-{number:024x}"

    def segment(self, name: str) -> bytes:
        """The document of that trace."""
        document = {
            "trace_id": self.trace(name),
            "id": f"{sum(map(ord, name)):016x}",
            "name": name,
            "start_time": self.now,
            "end_time": self.now + 0.1,
            "fault": True,
            "annotations": {"mark": self.mark},
            "metadata": {"default": {"note": self.mark}},
            "service": {"version": self.mark},
            "http": {"request": {"method": "GET", "url": f"http://shop/{self.mark}"}},
            "cause": {"exceptions": [{"id": "1" * 16, "type": "E", "message": self.mark}]},
        }
        return json.dumps(document).encode()

    def spans(self, name: str) -> Any:
        """An export of that trace."""
        start = round(self.now * 1e9)
        one = span(
            SERVER,
            {"mark": self.mark, "http.url": f"http://shop/{self.mark}"},
            trace_id=bytes.fromhex(self.trace(name)[2:].replace("-", "")),
            parent=b"",
            name=self.mark,
            start_time_unix_nano=start,
            end_time_unix_nano=start + 10_000_000,
        )
        return export_spans(one, resource={"service.name": name, "service.version": self.mark})

    def lines(self) -> Any:
        """Log lines of a function."""
        return export_lines(f"line {self.mark}")

    def points(self) -> Any:
        """Points of a function's metric."""
        return export_points(cloudwatch(FunctionName=self.mark))

    def export(self, stub: Callable[[Any], Any], message: Message) -> None:
        """A call of one of OTLP's services."""
        with grpc.insecure_channel(self.server.grpc) as channel:
            stub(channel).Export(message, metadata=self.metadata, timeout=60)

    def put_segments(self, method: str, message: Any) -> None:
        """A call of Raymap's service."""
        with grpc.insecure_channel(self.server.grpc) as channel:
            answer = getattr(segment_service(channel), method)(
                message, metadata=self.metadata, timeout=60
            )
        assert answer.stored == 1


def _xray(sender: Sender) -> None:
    put = {"TraceSegmentDocuments": [sender.segment("xray").decode()]}
    sender.post("/TraceSegments", json.dumps(put).encode())


def _signed(sender: Sender) -> None:
    client = boto3.client(
        "xray",
        region_name="eu-west-1",
        endpoint_url=sender.server.http,
        aws_access_key_id=sender.key["access_key_id"],
        aws_secret_access_key=sender.key["secret_access_key"],
        config=Config(retries={"max_attempts": 0}),
    )
    client.put_trace_segments(TraceSegmentDocuments=[sender.segment("signed").decode()])


def _import(sender: Sender) -> None:
    segment = {"Id": "0" * 16, "Document": sender.segment("import").decode()}
    trace = {"Id": sender.trace("import"), "Segments": [segment]}
    sender.post("/api/traces", json.dumps({"Traces": [trace]}).encode())


def _zipkin(sender: Sender) -> None:
    one = {
        "traceId": sender.trace("zipkin")[2:].replace("-", ""),
        "id": "00000000000000aa",
        "kind": "SERVER",
        "name": "get",
        "timestamp": round(sender.now * 1e6),
        "duration": 1000,
        "localEndpoint": {"serviceName": "zipkin"},
        "tags": {"mark": sender.mark},
    }
    sender.post("/api/v2/spans", json.dumps([one]).encode())


def _lambda(sender: Sender) -> None:
    at = round(sender.now * SECOND)
    line = event("function", at) | {"record": f"line {sender.mark}", "requestId": REQUEST}
    function = {"name": "checkout", "account": ACCOUNT, "region": REGION}
    documents = [sender.segment("lambda").decode()]
    body = {"function": function, "events": [line], "documents": documents}
    sender.post("/lambda/telemetry", json.dumps(body).encode())


def _firehose(sender: Sender) -> None:
    batch = log_batch(f"line {sender.mark}", at=round(sender.now * SECOND))
    sender.post("/firehose/logs", json.dumps(delivery(record(batch))).encode())


def _firehose_metrics(sender: Sender) -> None:
    content = delimited(sender.points())
    body = delivery({"data": base64.b64encode(content).decode()})
    sender.post("/firehose/metrics", json.dumps(body).encode())


def _datagram(sender: Sender) -> None:
    host, _, port = sender.udp.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.sendto(datagram(sender.segment("datagram")), (host, int(port)))


def _spans_at(name: str, port: str) -> Callable[[Sender], None]:
    def send(sender: Sender) -> None:
        at = sender.otlp if port == "otlp" else ""
        sender.post("/v1/traces", sender.spans(name).SerializeToString(), PROTOBUF, at)

    return send


def _lines_at(port: str) -> Callable[[Sender], None]:
    def send(sender: Sender) -> None:
        at = sender.otlp if port == "otlp" else ""
        sender.post("/v1/logs", sender.lines().SerializeToString(), PROTOBUF, at)

    return send


def _points_at(port: str) -> Callable[[Sender], None]:
    def send(sender: Sender) -> None:
        at = sender.otlp if port == "otlp" else ""
        sender.post("/v1/metrics", sender.points().SerializeToString(), PROTOBUF, at)

    return send


TRACES: Mapping[str, Callable[[Sender], None]] = {
    "xray": _xray,
    "signed": _signed,
    "import": _import,
    "otlp": _spans_at("otlp", "http"),
    "otlp-port": _spans_at("otlp-port", "otlp"),
    "zipkin": _zipkin,
    "lambda": _lambda,
    "datagram": _datagram,
    "otlp-grpc": lambda s: s.export(TraceServiceStub, s.spans("otlp-grpc")),
    "put": lambda s: s.put_segments(
        "PutSegments", segments_pb2.PutSegmentsRequest(documents=[s.segment("put")])
    ),
    "stream": lambda s: s.put_segments(
        "StreamSegments", iter([segments_pb2.PutSegmentsRequest(documents=[s.segment("stream")])])
    ),
    "traces": lambda s: s.put_segments(
        "PutTraces",
        segments_pb2.PutTracesRequest(
            traces=[
                json.dumps(
                    {
                        "Id": s.trace("traces"),
                        "Segments": [{"Id": "0" * 16, "Document": s.segment("traces").decode()}],
                    }
                ).encode()
            ]
        ),
    ),
}
"""Senders by the name of the service that they report."""
RECORDS: Mapping[str, Callable[[Sender], None]] = {
    "logs": _lines_at("http"),
    "logs-port": _lines_at("otlp"),
    "logs-grpc": lambda s: s.export(LogsServiceStub, s.lines()),
    "metrics": _points_at("http"),
    "metrics-port": _points_at("otlp"),
    "metrics-grpc": lambda s: s.export(MetricsServiceStub, s.points()),
    "firehose": _firehose,
    "firehose-metrics": _firehose_metrics,
}
"""Senders of log lines and of points of metrics."""


def wait_a_moment() -> float:
    """A time that lies within the windows of every test, whole seconds ago."""
    return float(int(time.time()) - 2)

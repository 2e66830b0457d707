"""The Python SDK's own exporters, with spoilt spans among good ones."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import httpx
import pytest
import requests
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as GrpcExporter,
)
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as HttpExporter,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanKind

from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from store.memory import MemoryStore
from tests.collector.receivers import test_otlp_grpc, test_otlp_http
from tests.collector.receivers.test_otlp_http import PROTOBUF, ack

BATCH = 5


class Careless(RandomIdGenerator):
    """Generates invalid ids on request."""

    spoilt = ""

    def generate_span_id(self) -> int:
        return 0 if self.spoilt == "span" else super().generate_span_id()

    def generate_trace_id(self) -> int:
        return 0 if self.spoilt == "trace" else super().generate_trace_id()


class Sdk:
    """A provider whose exporter sends five spans at a time, names counted up."""

    def __init__(self, exporter: SpanExporter, answers: list[bytes] | None = None) -> None:
        self.answers = answers  # None: gRPC's exporter does not expose them
        self.ids = Careless()
        resource = Resource.create({"service.name": "cart"})
        self._provider = TracerProvider(resource=resource, id_generator=self.ids)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_export_batch_size=BATCH, schedule_delay_millis=60_000)
        )
        self._tracer = self._provider.get_tracer("tests")
        self._count = 0

    def span(self, spoilt: str = "") -> None:
        self.ids.spoilt = spoilt
        attributes = {"number": self._count}
        self._tracer.start_span("GET", kind=SpanKind.SERVER, attributes=attributes).end()
        self._count += 1

    def flush(self) -> None:
        assert self._provider.force_flush()

    def shutdown(self) -> None:
        self._provider.shutdown()


def numbers(memory: MemoryStore) -> list[int]:
    """The stored spans."""
    items = [item for document in ack(memory) for item in document.annotations]
    return sorted(int(item.removeprefix("number=")) for item in items)


@pytest.fixture(params=["grpc", "http", "http gzip"])
def sdk(request: pytest.FixtureRequest, pipeline: IngestPipeline) -> Iterator[Sdk]:
    if request.param == "grpc":
        for address in test_otlp_grpc.serve(pipeline):
            yield Sdk(GrpcExporter(endpoint=f"http://{address}", insecure=True))
        return
    answers: list[bytes] = []
    session = requests.Session()
    session.hooks["response"].append(lambda response, **_: answers.append(response.content))
    packing = Compression.Gzip if "gzip" in request.param else None
    with test_otlp_http.serve_receivers(pipeline) as url:
        exporter = HttpExporter(f"{url}/v1/traces", compression=packing, session=session)
        yield Sdk(exporter, answers)


@pytest.mark.parametrize(("spoilt", "reason"), [("span", "InvalidId"), ("trace", "InvalidTraceId")])
def test_spoilt_spans_in_the_middle(
    sdk: Sdk, spoilt: str, reason: str, memory: MemoryStore, metrics: IngestMetrics
) -> None:
    """Three batches; of the middle one two spans are refused, and all the others are stored."""
    bad = (6, 8)
    for number in range(3 * BATCH):
        sdk.span(spoilt if number in bad else "")
        if number % BATCH == BATCH - 1:
            sdk.flush()
    sdk.shutdown()
    assert numbers(memory) == [number for number in range(3 * BATCH) if number not in bad]
    assert metrics.rejected.labels(reason)._value.get() == len(bad)
    if sdk.answers is not None:
        first, middle, last = map(ExportTraceServiceResponse.FromString, sdk.answers)
        assert (first.ByteSize(), last.ByteSize()) == (0, 0)
        assert middle.partial_success.rejected_spans == len(bad)
        assert middle.partial_success.error_message.count(reason) == len(bad)


def test_a_request_of_noise_between_two_exporters(
    memory: MemoryStore, pipeline: IngestPipeline
) -> None:
    """What is no OTLP at all is refused as a whole, and costs no other request."""
    noise = b"\x0a\xff\xff\xff\xff\x0fnoise"
    for address in test_otlp_grpc.serve(pipeline):
        with test_otlp_http.serve_receivers(pipeline) as url:
            over_grpc = Sdk(GrpcExporter(endpoint=f"http://{address}", insecure=True))
            over_http = Sdk(HttpExporter(endpoint=f"{url}/v1/traces"))
            over_grpc.span()
            over_grpc.flush()
            with pytest.raises(grpc.RpcError) as caught:
                test_otlp_grpc.ask(address, noise)
            assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            answer = httpx.post(f"{url}/v1/traces", content=noise, headers=PROTOBUF)
            assert answer.status_code == 400
            for sdk in (over_grpc, over_http):
                sdk.span()
                sdk.shutdown()
    assert numbers(memory) == [0, 0, 1]

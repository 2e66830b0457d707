"""The settings of a collector process and the limits of its HTTP requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from msgspec import Struct
from starlette.types import ASGIApp

from collector.allowed_senders import AllowedSenders
from collector.batches import Limits
from collector.budget import MAX_BODY, PROCESS, Budget
from collector.ingest import JOURNAL_BYTES
from collector.kafka.target import KafkaInput
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.redaction.redactor import Redactor
from collector.tls import Tls
from store.protocol import SegmentWriter

READ_TIMEOUT = 30.0


class HttpLimits(Struct, frozen=True):
    """What one request may cost. X-Ray's own limit of 50 documents is not applied."""

    max_body: int = MAX_BODY
    """Bytes, decompressed."""
    read_timeout: float = READ_TIMEOUT
    """Seconds for the body to arrive."""
    budget: Budget = PROCESS
    """Of all requests being received or processed; beyond it, they are answered 503."""


@dataclass(frozen=True)
class CollectorSettings:
    """Everything a collector process is configured with. A port of 0 lets the system choose, None
    leaves it closed."""

    writer: Callable[[], SegmentWriter]
    """Called once, in the collector's process, before the receivers open."""
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 2000
    """UDP, and the same number for HTTP."""
    grpc_port: int | None = 4317
    otlp_port: int | None = None
    """OTLP over HTTP only, customarily 4318; the HTTP port accepts OTLP as well."""
    http: bool = False
    """Whether to open an HTTP port; under `raymap serve` the API has it."""
    guard: Callable[[ASGIApp], ASGIApp] | None = None
    """Middleware around every HTTP app, such as a check of Host and Origin."""
    interceptors: Sequence[grpc.aio.ServerInterceptor] = ()
    """Around every gRPC call, such as authentication."""
    per_request: Callable[[IngestPipeline], IngestPipeline] = lambda pipeline: pipeline
    """From the process's pipeline to what receivers use, where there are several and it depends on the
    request which one."""
    udp_ports: Mapping[int, Callable[[IngestPipeline], IngestPipeline]] = field(
        default_factory=dict
    )
    """Further ports for datagrams, with the pipeline of each."""
    kafka: Sequence[KafkaInput] = ()
    """Topics that are read; needs confluent-kafka."""
    tls: Tls | None = None
    """For HTTP and gRPC."""
    udp_allowed: AllowedSenders | None = None
    """Who may send datagrams; everyone if None."""
    redactor: Redactor | None = None
    """What removes secrets from everything that is received; the default rules if there is none."""
    role: str = "collector"
    reuse_port: bool = False
    """Several collectors share the ports, and the kernel distributes the senders."""
    journal_bytes: int = JOURNAL_BYTES
    """Bytes of compressed documents that may wait for the store."""
    limits: Limits = field(default_factory=Limits)
    http_limits: HttpLimits = field(default_factory=HttpLimits)
    shutdown_delay: float = 0.0
    """Seconds between a signal and closing the receivers, in which /readyz and gRPC's health service
    report that the process is going: load balancers need time to notice."""
    drain_seconds: float = 10.0
    """Seconds to store what was received, once the receivers are closed."""
    metrics: IngestMetrics | None = None
    on_ready: Callable[[Mapping[str, str]], None] | None = None
    """Called with the address of each receiver once all of them are open."""

"""A collector process: opens the receivers, and drains the pipeline on SIGTERM.

Objects are built by hand; the caller decides which store is behind the pipeline.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import structlog
import uvloop

from collector.net import PortInUseError, format_address, listen, naming_port
from collector.pipeline import IngestPipeline
from collector.receivers.grpc import GrpcReceiver
from collector.receivers.udp import UdpReceiver
from collector.settings import CollectorSettings
from collector.tuning import limit_malloc_arenas, tune_gc

if TYPE_CHECKING:
    from collector.http_ports import HttpServer
    from collector.kafka.source import KafkaSource

log = structlog.get_logger(__name__)

PORT_ATTEMPTS = 20
"""Port numbers to try when the system chooses one that UDP and HTTP are to share."""


def run_collector(settings: CollectorSettings, stop: threading.Event | None = None) -> int:
    """Collect until SIGTERM, SIGINT or ``stop``. Raises PortInUseError before any receiver is open."""
    limit_malloc_arenas()
    writer = settings.writer()
    pipeline = IngestPipeline(
        writer,
        settings.data_dir,
        role=settings.role,
        journal_bytes=settings.journal_bytes,
        limits=settings.limits,
        metrics=settings.metrics,
        redactor=settings.redactor,
    )
    pipeline.start()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, settings.per_request(pipeline), stop))
    finally:
        pipeline.stop(settings.drain_seconds)
        writer.close()
    log.info("collector_stopped", **pipeline.metrics.snapshot())
    return 0


async def _serve(
    settings: CollectorSettings, pipeline: IngestPipeline, stop: threading.Event | None
) -> None:
    """Open the receivers, wait, close them: nothing is received once batches are being drained."""
    receivers = _Receivers(settings, pipeline)
    signalled = _catch_signals()  # before anyone knows of this process, who could stop it
    try:
        addresses = await receivers.open()
        tune_gc()
        if settings.tls is not None:
            settings.tls.reload_on_hangup()
        log.info("collector_ready", **addresses)
        if settings.on_ready is not None:
            settings.on_ready(addresses)
        await _wait_for_shutdown(signalled, stop)
        await receivers.announce_stop()
    finally:
        await receivers.close()


class _Receivers:
    def __init__(self, settings: CollectorSettings, pipeline: IngestPipeline) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._udp: list[UdpReceiver] = []
        self._grpc: GrpcReceiver | None = None
        self._http: list[tuple[HttpServer, asyncio.Task[None]]] = []
        self._kafka: list[KafkaSource] = []

    async def open(self) -> dict[str, str]:
        """Bind all ports, then start receiving; addresses by kind."""
        settings = self._settings
        addresses = self._open_udp()
        for port, pipeline in settings.udp_ports.items():
            with naming_port(port, "UDP"):
                self._udp.append(self._bind_udp(port, pipeline(self._pipeline)))
        if settings.otlp_port is not None:
            addresses["otlp"] = self._open_http(settings.otlp_port, "OTLP")
        if settings.grpc_port is not None:
            receiver = GrpcReceiver(
                self._pipeline,
                settings.host,
                settings.grpc_port,
                reuse_port=settings.reuse_port,
                interceptors=settings.interceptors,
                tls=settings.tls,
            )
            with naming_port(settings.grpc_port, "gRPC"):
                addresses["grpc"] = await receiver.start()
            self._grpc = receiver
        while not all(server.started for server, _ in self._http):
            await asyncio.sleep(0.01)
        for each in self._udp:
            each.start()
        self._start_kafka()
        return addresses

    def _start_kafka(self) -> None:
        if not self._settings.kafka:
            return
        from collector.kafka.source import KafkaSource  # an optional library

        for each in self._settings.kafka:
            self._kafka.append(KafkaSource(each.settings, each.target(self._pipeline)))
            self._kafka[-1].start()

    def _open_udp(self) -> dict[str, str]:
        """UDP, and HTTP on the same number: one chosen by the system may be in use for TCP."""
        settings = self._settings
        attempts = 1 if settings.port else PORT_ATTEMPTS
        while True:
            attempts -= 1
            with naming_port(settings.port, "UDP"):
                udp = self._bind_udp(settings.port, self._pipeline)
                self._udp = [udp]
            host, port = udp.address
            addresses = {"udp": format_address(host, port)}
            try:
                if settings.http:
                    addresses["http"] = self._open_http(port, "HTTP")
                return addresses
            except PortInUseError:
                if not attempts:
                    raise
                udp.stop()

    def _bind_udp(self, port: int, pipeline: IngestPipeline) -> UdpReceiver:
        settings = self._settings
        return UdpReceiver(
            pipeline,
            settings.host,
            port,
            reuse_port=settings.reuse_port,
            allowed=settings.udp_allowed,
        )

    def _open_http(self, port: int, kind: Literal["HTTP", "OTLP"]) -> str:
        from collector import http_ports  # with FastAPI, a sixth of the CPU time of a start

        settings = self._settings
        with naming_port(port, kind):
            listener = listen(settings.host, port, reuse_port=settings.reuse_port)
        create = http_ports.create_collector_app if kind == "HTTP" else http_ports.create_otlp_app
        app = create(self._pipeline, settings.http_limits)
        guarded = app if settings.guard is None else settings.guard(app)
        server = http_ports.HttpServer(guarded, settings.tls)
        self._http.append((server, asyncio.create_task(server.serve(sockets=[listener]))))
        return format_address(*listener.getsockname()[:2])

    async def announce_stop(self) -> None:
        """Report unreadiness, and go on receiving for `shutdown_delay` seconds."""
        self._pipeline.announce_stop()
        if self._settings.shutdown_delay:
            if self._grpc is not None:
                await self._grpc.announce_stop()
            await asyncio.sleep(self._settings.shutdown_delay)

    async def close(self) -> None:
        """Close every open receiver; calls in progress are answered."""
        grace = self._settings.drain_seconds / 2
        for server, _ in self._http:
            server.should_exit = True
        if self._grpc is not None:
            await self._grpc.stop(grace)
        for _, task in self._http:
            with suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(task, grace)
        for each in self._udp:
            await asyncio.to_thread(each.stop)
        for source in self._kafka:
            await asyncio.to_thread(source.stop)


def _catch_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set; only in the main thread."""
    signalled = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, signalled.set)
    return signalled


async def _wait_for_shutdown(signalled: asyncio.Event, stop: threading.Event | None) -> None:
    while not signalled.is_set() and not (stop is not None and stop.is_set()):
        with suppress(TimeoutError):
            await asyncio.wait_for(signalled.wait(), 0.1 if stop is not None else None)

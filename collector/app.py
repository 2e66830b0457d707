"""A collector process: settings in, doors open, batches drained on SIGTERM.

Builds everything by hand; whoever starts it decides which store is behind it.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import gc
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response

from collector.metrics import IngestMetrics
from collector.pipeline import SPOOL_BYTES, IngestPipeline
from collector.queue import Limits
from collector.receivers.grpc import GrpcReceiver
from collector.receivers.http import HttpLimits, create_router
from collector.receivers.otlp_http import create_otlp_router
from collector.receivers.udp import UdpReceiver
from collector.receivers.zipkin import create_zipkin_router
from store.protocol import SegmentWriter

log = structlog.get_logger(__name__)

TRIES = 20
"""Numbers to try when any will do and UDP and HTTP share it."""


_ARENA_MAX = -8
"""M_ARENA_MAX of mallopt(3)."""


class PortInUseError(Exception):
    """A port that another process listens on."""

    def __init__(self, port: int, kind: str) -> None:
        super().__init__(f"{kind} port {port} is taken")
        self.port = port
        self.kind = kind


@dataclass(frozen=True)
class CollectorSettings:
    """What a collector needs to know. A port of 0 lets the system choose, None leaves it shut."""

    writer: Callable[[], SegmentWriter]
    """Called once, in the collector's process, before the doors open."""
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 2000
    """UDP, and the same number for HTTP."""
    grpc_port: int | None = 4317
    otlp_port: int | None = None
    """OTLP over HTTP alone, by custom 4318; the HTTP door takes it as well."""
    http: bool = False
    """Whether to open an HTTP door of its own; under `raymap serve` the API has it."""
    role: str = "collector"
    reuse_port: bool = False
    """Several collectors share the ports, and the kernel spreads the senders over them."""
    spool_bytes: int = SPOOL_BYTES
    limits: Limits = field(default_factory=Limits)
    http_limits: HttpLimits = field(default_factory=HttpLimits)
    drain_seconds: float = 10.0
    counters: IngestMetrics | None = None
    on_ready: Callable[[Mapping[str, str]], None] | None = None
    """Told the address of each door once all of them are open."""


def run_collector(settings: CollectorSettings, stop: threading.Event | None = None) -> int:
    """Collect until SIGTERM or SIGINT (or ``stop``). Raises DoorTaken before anything is open."""
    limit_malloc_arenas()
    writer = settings.writer()
    pipeline = IngestPipeline(
        writer,
        settings.data_dir,
        role=settings.role,
        spool_bytes=settings.spool_bytes,
        limits=settings.limits,
        counters=settings.counters,
    )
    pipeline.start()
    try:
        asyncio.run(_serve(settings, pipeline, stop))
    finally:
        pipeline.stop(settings.drain_seconds)
        close = getattr(writer, "close", None)
        if close is not None:
            close()
    log.info("collector_stopped", **pipeline.counters.snapshot())
    return 0


async def _serve(
    settings: CollectorSettings, pipeline: IngestPipeline, stop: threading.Event | None
) -> None:
    """Open the doors, wait for the end, close them: no new bytes before the queue is drained."""
    doors = _Receivers(settings, pipeline)
    try:
        addresses = await doors.open()
        tune_gc()
        log.info("collector_ready", **addresses)
        if settings.on_ready is not None:
            settings.on_ready(addresses)
        await _wait_for_shutdown(stop)
    finally:
        await doors.close()


def limit_malloc_arenas() -> None:
    """All threads allocate from two arenas. One makes what another frees here, and in arenas of their
    own much stays with the process: 70 MB more at the end of an outage (measured)."""
    with suppress(AttributeError, OSError, TypeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


def tune_gc() -> None:
    """What is there stays, and need not be looked at again; what comes hardly ever forms cycles, and
    most of it is gone before it has been looked at once. A tenth of the CPU time (measured)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


class _Receivers:
    def __init__(self, settings: CollectorSettings, pipeline: IngestPipeline) -> None:
        self._settings = settings
        self._intake = pipeline
        self._udp: UdpReceiver | None = None
        self._grpc: GrpcReceiver | None = None
        self._http: list[tuple[_HttpServer, asyncio.Task[None]]] = []

    async def open(self) -> dict[str, str]:
        """Bind everything, then listen; the addresses by kind."""
        settings = self._settings
        udp, addresses = self._open_udp()
        if settings.otlp_port is not None:
            addresses["otlp"] = self._open_http(settings.otlp_port, "OTLP", _create_otlp_app)
        if settings.grpc_port is not None:
            receiver = GrpcReceiver(
                self._intake, settings.host, settings.grpc_port, reuse_port=settings.reuse_port
            )
            with _taken(settings.grpc_port, "gRPC"):
                addresses["grpc"] = await receiver.start()
            self._grpc = receiver
        while not all(server.started for server, _ in self._http):
            await asyncio.sleep(0.01)
        udp.start()
        return addresses

    def _open_udp(self) -> tuple[UdpReceiver, dict[str, str]]:
        """UDP, and HTTP of its number. A number the system chose may be taken for TCP: another."""
        settings = self._settings
        tries = 1 if settings.port else TRIES
        while True:
            tries -= 1
            with _taken(settings.port, "UDP"):
                udp = self._udp = UdpReceiver(
                    self._intake, settings.host, settings.port, reuse_port=settings.reuse_port
                )
            host, port = udp.address
            addresses = {"udp": f"{host}:{port}"}
            try:
                if settings.http:
                    addresses["http"] = self._open_http(port, "HTTP", _create_app)
                return udp, addresses
            except PortInUseError:
                if not tries:
                    raise
                udp.stop()

    def _open_http(
        self, port: int, kind: str, create: Callable[[IngestPipeline, HttpLimits], FastAPI]
    ) -> str:
        settings = self._settings
        with _taken(port, kind):
            listener = _listen(settings.host, port, settings.reuse_port)
        server = _HttpServer(create(self._intake, settings.http_limits))
        self._http.append((server, asyncio.create_task(server.serve(sockets=[listener]))))
        host, bound = listener.getsockname()[:2]
        return f"{host}:{bound}"

    async def close(self) -> None:
        """Close every door that was opened; running calls get their answers."""
        grace = self._settings.drain_seconds / 2
        for server, _ in self._http:
            server.should_exit = True
        if self._grpc is not None:
            await self._grpc.stop(grace)
        for _, task in self._http:
            with suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(task, grace)
        if self._udp is not None:
            await asyncio.to_thread(self._udp.stop)


class _HttpServer(uvicorn.Server):
    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The collector minds the signals."""
        yield


def _create_app(pipeline: IngestPipeline, limits: HttpLimits) -> FastAPI:
    """The collector's own HTTP door: the routes, its metrics, and a sign of life."""
    app = FastAPI(title="Raymap collector", docs_url=None, redoc_url=None, openapi_url=None)
    for create in (create_router, create_otlp_router, create_zipkin_router):
        app.include_router(create(pipeline, limits))

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(pipeline.counters.render(), media_type="text/plain; version=0.0.4")

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def readyz() -> Response:
        """Ready while documents can be kept; with the store away they go to the spool."""
        now = pipeline.health()
        body = msgspec.json.encode(now.report())
        return Response(body, 200 if now.possible else 503, media_type="application/json")

    return app


def _create_otlp_app(pipeline: IngestPipeline, limits: HttpLimits) -> FastAPI:
    """OpenTelemetry's own port: its route, and nothing else."""
    app = FastAPI(title="Raymap OTLP", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(create_otlp_router(pipeline, limits))
    return app


@contextmanager
def _taken(port: int, kind: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # gRPC says what went wrong in words only.
        if error.errno in (errno.EADDRINUSE, None):
            raise PortInUseError(port, kind) from error
        raise


def _listen(host: str, port: int, reuse_port: bool) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


async def _wait_for_shutdown(stop: threading.Event | None) -> None:
    told = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, told.set)
    while not told.is_set() and not (stop is not None and stop.is_set()):
        with suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), 0.1 if stop is not None else None)

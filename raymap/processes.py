"""What a collector process and an API process are made of. Both block until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib.util
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from raymap.supervisor import CommandError, print_status

if TYPE_CHECKING:
    from store.clickhouse.connection.address import Address

ROOT = Path(__file__).resolve().parents[1]
OnReady = Callable[[Mapping[str, str]], None]


@dataclass(frozen=True, slots=True)
class Door:
    host: str
    port: int
    grpc_port: int
    otlp_port: int | None
    http: bool
    shared: bool
    linger: float
    """Seconds, as `collector.queue.Limits` has it."""


def collect(door: Door, data_dir: Path, clickhouse: Address, on_ready: OnReady) -> int:
    """A collector, until SIGTERM."""
    from collector.app import CollectorSettings, PortInUseError, run_collector
    from collector.queue import Limits
    from store.clickhouse.store import ClickHouseStore

    settings = CollectorSettings(
        writer=lambda: ClickHouseStore(clickhouse, connections=4),
        data_dir=data_dir,
        host=door.host,
        port=door.port,
        grpc_port=door.grpc_port,
        otlp_port=door.otlp_port,
        http=door.http,
        reuse_port=door.shared,
        limits=Limits(linger=door.linger),
        on_ready=on_ready,
    )
    try:
        return run_collector(settings)
    except PortInUseError as taken:
        flag = {"gRPC": "--grpc-port", "OTLP": "--otlp-port"}.get(taken.kind, "--port")
        raise CommandError(port_taken(taken.kind, door.host, taken.port, flag)) from None


def api(
    at: tuple[str, int],
    data_dir: Path,
    clickhouse: Address,
    sampling_rate: float,
    version: str,
    on_ready: OnReady,
) -> int:
    """The API, the console and the collector's HTTP doors, until SIGTERM."""
    import uvicorn

    from api.app import create_app
    from collector.pipeline import IngestPipeline
    from collector.receivers.http import create_router
    from collector.receivers.otlp_http import create_otlp_router
    from collector.receivers.zipkin import create_zipkin_router
    from store.clickhouse.store import ClickHouseStore

    listener = listen_tcp(*at)
    store = ClickHouseStore(clickhouse, connections=8)
    writer = ClickHouseStore(clickhouse, connections=4)  # ingest never waits for a question
    pipeline = IngestPipeline(writer, data_dir, role="api")

    stopping = threading.Event()
    counting = threading.Thread(target=store.keep_counted, args=[stopping], name="count")
    counting.daemon = True

    async def start_intake() -> None:
        pipeline.start()
        counting.start()

    async def stop_intake() -> None:
        stopping.set()
        await asyncio.to_thread(pipeline.stop)
        await asyncio.to_thread(counting.join, 5.0)

    console = ROOT / "ui" / "dist"
    app = create_app(
        store,
        version=version,
        sampling_rate=sampling_rate,
        extra_routers=[
            create_router(pipeline),
            create_otlp_router(pipeline),
            create_zipkin_router(pipeline),
        ],
        metrics=pipeline.counters.render,
        ingest_status=pipeline.counters.snapshot,
        keeping=lambda: pipeline.health().report(),
        static_dir=console if (console / "index.html").exists() else None,
        on_start=[start_intake],
        on_stop=[stop_intake],
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                host, port = listener.getsockname()[:2]
                on_ready({"http": f"http://{_bracketed(host)}:{port}"})

    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=2048,
        # Longer than clients keep an idle connection (SDKs: up to a minute), so that they and not we
        # close it: of a request on its way to a closed connection nobody knows what became.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    # uvicorn raises the signal again once it has stopped, for whoever handled it before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    Server(config).run(sockets=[listener])
    store.close()
    writer.close()
    return 0


def address_of(url: str, data_dir: Path) -> Address:
    """The ClickHouse of a URL; without one, the embedded one that runs in the data directory."""
    from store.clickhouse.connection.address import parse_url
    from store.clickhouse.embedded import EmbeddedError, address

    if url:
        return parse_url(url)
    try:
        return address(data_dir)
    except EmbeddedError as error:
        raise CommandError(f"Which ClickHouse? Name one with --clickhouse; {error}.") from None


def require_schema(clickhouse: Address) -> None:
    """GaveUp when ClickHouse answers, but not as one that `raymap migrate` has prepared."""
    from store.clickhouse.store import ClickHouseStore
    from store.errors import StoreError, StoreUnavailable

    store = ClickHouseStore(replace(clickhouse, connect_timeout=2.0, timeout=10.0), connections=1)
    try:
        store.check()
    except StoreUnavailable as away:  # it may come; until then segments are kept on disk
        print_status(f"{clickhouse.name}: {away}; going on without it")
    except StoreError as refused:
        raise CommandError(
            f"{clickhouse.name}/{clickhouse.database}: {refused} "
            "If the database is new, run  raymap migrate  first."
        ) from None
    finally:
        store.close()


def require_demo() -> None:
    package = "aws_xray_sdk"
    if importlib.util.find_spec(package) is None:
        raise CommandError(f'The demo needs the package {package}: run  pip install "raymap[demo]"')


def otlp_port_of(given: int | None, grpc_port: int) -> int | None:
    """OTLP's second usual port goes with the first: who moved 4317 is not in 4318's way either."""
    return 4318 if given is None and grpc_port == 4317 else given


def listen_tcp(host: str, port: int) -> socket.socket:
    try:
        return bind(socket.SOCK_STREAM, host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(port_taken("TCP", host, port, "--port")) from None
        raise CommandError(cannot_listen("TCP", host, port, error)) from None


def bind(kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
    made = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def port_taken(kind: str, host: str, port: int, flag: str) -> str:
    return (
        f"{kind} port {port} on {host} is taken by another program: stop it, "
        f"or choose another port with {flag} (0 picks a free one)."
    )


def cannot_listen(kind: str, host: str, port: int, error: OSError) -> str:
    return f"Cannot listen on {kind} port {port} of {host}: {error.strerror or error}."


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _Stderr:
    """Standard error that nobody may be reading any more: a log line is not worth dying for."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def set_up_logging(level: str, form: str) -> None:
    """Our events and the libraries' messages, in one form, to standard error."""
    number = logging.getLevelName(level.upper())
    shared: Sequence[structlog.typing.Processor] = (
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    )
    last: structlog.typing.Processor
    if form == "json":
        last = structlog.processors.JSONRenderer()
    else:
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=_Stderr()),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Stderr())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,  # else rich's: local variables, passwords
                last,
            ],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    # It logs a traceback for every refused connection; the error itself is raised to us.
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)

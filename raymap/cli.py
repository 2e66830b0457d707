"""The composition root: command line in, objects built by hand, processes started.

The only file that knows everything. Each command imports what it needs, so that
`raymap --help` is quick. Settings are frozen values, handed on; there are no globals.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from raymap.supervisor import CommandError, ReadyPipe, print_status

if TYPE_CHECKING:
    from store.clickhouse.connection.address import Address


def option(name: str, **more: Any) -> Any:
    """A flag that is an environment variable as well."""
    variable = "RAYMAP_" + name.lstrip("-").replace("-", "_").upper()
    return typer.Option(name, envvar=variable, **more)


def port_option(name: str, help: str) -> Any:
    return option(name, metavar="PORT", min=0, max=65535, help=help)


def kept_option(name: str, what: str) -> Any:
    """How long a kind of data is kept. No environment variable: it is said once."""
    return typer.Option(name, metavar="DAYS", show_default=False, help=what)


DataDir = Annotated[
    Path, option("--data-dir", metavar="FOLDER", file_okay=False, help="Where everything is kept.")
]
Host = Annotated[str, option("--host", metavar="ADDRESS", help="Address to listen on.")]
Port = Annotated[int, port_option("--port", "UDP and HTTP; 0: any free one.")]
GrpcPort = Annotated[int, port_option("--grpc-port", "gRPC; 0: any free one.")]
OtlpPort = Annotated[
    int | None,
    port_option("--otlp-port", "OTLP over HTTP; without it 4318, and that only beside gRPC 4317."),
]
ClickHouseUrl = Annotated[
    str,
    option(
        "--clickhouse",
        metavar="URL",
        show_default="the embedded one",
        help="Like clickhouse://user:password@host:9000/raymap.",
    ),
]
Memory = Annotated[
    str,
    option(
        "--clickhouse-memory",
        metavar="SIZE",
        callback=lambda text: text if parse_size(text) else "",
        show_default="40 % of RAM, at most 8G",
        help="What the embedded ClickHouse may use, like 2G.",
    ),
]
SamplingRate = Annotated[
    float,
    option("--sampling-rate", metavar="0…1", min=0, max=1, help="What SDKs are told to record."),
]
RetentionDays = Annotated[
    int | None,  # at most what store.clickhouse.schema.retention allows
    option(
        "--retention-days",
        metavar="DAYS",
        min=1,
        max=10_000,
        show_default="as set by raymap retention, else 30",
        help="How long traces are kept, from now on.",
    ),
]
Level = Annotated[
    Literal["debug", "info", "warning", "error"],
    option("--log-level", help="The least that is logged, on standard error."),
]
Format = Annotated[
    Literal["console", "json"], option("--log-format", help="For people, or for programs.")
]
TraceId = Annotated[str, typer.Argument(metavar="TRACE_ID", help="X-Ray's or W3C's form.")]
To = Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Where the server listens.")]
Workers = Annotated[
    int | None,
    option(
        "--workers",
        metavar="N",
        min=1,
        show_default="by the cores",
        help="Collector processes that share the ports.",
    ),
]
BatchAge = Annotated[
    float,
    option(
        "--batch-age",
        metavar="SECONDS",
        min=0.01,
        max=60,
        help="How long a datagram waits for others before it is stored, and may be lost.",
    ),
]
# The name that --workers had.
Collectors = Annotated[int | None, option("--collectors", min=1, hidden=True)]
# Said by the supervisor to its children, not by people.
Supervised = Annotated[int | None, typer.Option("--supervised", hidden=True)]

LEAST_MEMORY = 256 << 20

app = typer.Typer(
    name="raymap",
    help="Self-hosted, X-Ray-compatible tracing with a service map.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut off the names of variables
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def serve(
    data_dir: DataDir = Path("raymap-data"),
    host: Host = "127.0.0.1",
    port: Port = 2000,
    grpc_port: GrpcPort = 4317,
    otlp_port: OtlpPort = None,
    clickhouse: ClickHouseUrl = "",
    clickhouse_memory: Memory = "",
    sampling_rate: SamplingRate = 1.0,
    retention_days: RetentionDays = None,
    log_level: Level = "info",
    log_format: Format = "console",
    workers: Workers = None,
    linger: BatchAge = 1.0,
    collectors: Collectors = None,
    demo: Annotated[bool, option("--demo", help="Send demo traffic as well.")] = False,
) -> None:
    """Run everything: ClickHouse, collector, API and console."""
    from raymap import serve as serving

    settings = serving.Settings(
        data_dir=data_dir,
        host=host,
        port=port,
        grpc_port=grpc_port,
        otlp_port=otlp_port,
        clickhouse=clickhouse,
        memory_bytes=parse_size(clickhouse_memory),
        workers=workers or collectors or serving.default_workers(),
        linger=linger,
        sampling_rate=sampling_rate,
        retention_days=retention_days,
        log_level=log_level,
        log_format=log_format,
        demo=demo,
    )
    with exit_on_error(None, ""):
        code = serving.serve(settings)
    raise typer.Exit(code)


@app.command()
def collect(
    data_dir: DataDir = Path("raymap-data"),
    host: Host = "127.0.0.1",
    port: Port = 2000,
    grpc_port: GrpcPort = 4317,
    otlp_port: OtlpPort = None,
    clickhouse: ClickHouseUrl = "",
    linger: BatchAge = 1.0,
    log_level: Level = "info",
    log_format: Format = "console",
    http: Annotated[bool, typer.Option(help="Open the HTTP door as well, on --port.")] = True,
    shared: Annotated[
        bool, typer.Option("--shared", help="Other collectors use the ports too.")
    ] = False,
    supervised: Supervised = None,
) -> None:
    """Run a collector alone: UDP, gRPC and HTTP in, ClickHouse out."""
    with exit_on_error(supervised, "collecting") as report:
        from raymap import processes

        processes.set_up_logging(log_level, log_format)
        otlp = processes.otlp_port_of(otlp_port, grpc_port)
        door = processes.Door(host, port, grpc_port, otlp, http, shared, linger)
        address = processes.address_of(clickhouse, data_dir)
        if supervised is None:
            processes.require_schema(address)
        code = processes.collect(door, data_dir, address, report.ready)
    raise typer.Exit(code)


@app.command()
def api(
    data_dir: DataDir = Path("raymap-data"),
    host: Host = "127.0.0.1",
    port: Port = 2000,
    clickhouse: ClickHouseUrl = "",
    sampling_rate: SamplingRate = 1.0,
    log_level: Level = "info",
    log_format: Format = "console",
    supervised: Supervised = None,
) -> None:
    """Run the API and the console alone.

    Segments are taken on the same port.
    """
    with exit_on_error(supervised, "answering") as report:
        from raymap import processes

        processes.set_up_logging(log_level, log_format)
        address = processes.address_of(clickhouse, data_dir)
        if supervised is None:
            processes.require_schema(address)
        code = processes.api(
            (host, port), data_dir, address, sampling_rate, version_of_raymap(), report.ready
        )
    raise typer.Exit(code)


@app.command("clickhouse")
def clickhouse_command(
    data_dir: DataDir = Path("raymap-data"),
    clickhouse_memory: Memory = "",
    clickhouse_port: Annotated[int, port_option("--clickhouse-port", "0: any free one.")] = 0,
    supervised: Supervised = None,
) -> None:
    """Run the embedded ClickHouse alone."""
    from store.clickhouse.embedded import EmbeddedSettings, run

    with exit_on_error(supervised, "ClickHouse listens") as report:
        settings = EmbeddedSettings(
            data_dir=data_dir,
            memory_bytes=parse_size(clickhouse_memory),
            port=clickhouse_port,
            patience=0.0 if supervised is None else 10.0,
        )
        code = run(settings, on_ready=lambda address: report.ready({"clickhouse": address.name}))
    sys.stderr.flush()
    os._exit(code)  # skip the teardown of an interpreter with a 500 MB library in it


@app.command()
def migrate(
    data_dir: DataDir = Path("raymap-data"),
    clickhouse: ClickHouseUrl = "",
    retention_days: RetentionDays = None,
) -> None:
    """Bring a ClickHouse database to this version's schema."""
    from raymap import processes
    from store.clickhouse.schema.retention import prepare_database

    with exit_on_error(None, ""):
        processes.set_up_logging("info", "console")
        address = processes.address_of(clickhouse, data_dir)
        applied = prepare_database(address, {"traces": retention_days} if retention_days else {})
        did = f"applied {', '.join(applied)}" if applied else "nothing to apply"
        print_status(f"{address.name}/{address.database}: {did}")


@app.command()
def retention(
    data_dir: DataDir = Path("raymap-data"),
    clickhouse: ClickHouseUrl = "",
    traces: Annotated[str, kept_option("--traces", "Traces and documents.")] = "",
    map_minutes: Annotated[str, kept_option("--map-minutes", "The map by minutes.")] = "",
    map_hours: Annotated[str, kept_option("--map-hours", "The map by hours.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Delete what is older.")] = False,
) -> None:
    """Show how long everything is kept, or set it.

    A time is a number of days (14d), weeks (2w) or years (1y). It holds for this database until it
    is set again. What is pinned is kept for ever.
    """
    from raymap.commands import storage

    with exit_on_error(None, ""):
        wanted = {"traces": traces, "map-minutes": map_minutes, "map-hours": map_hours}
        storage.show_retention(resolve_clickhouse(clickhouse, data_dir), wanted, yes=yes)


@app.command()
def pin(
    trace_id: TraceId,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why.")] = "",
    data_dir: DataDir = Path("raymap-data"),
    clickhouse: ClickHouseUrl = "",
) -> None:
    """Keep a trace for ever, and what arrives of it later."""
    from raymap.commands import storage

    with exit_on_error(None, ""):
        storage.pin(resolve_clickhouse(clickhouse, data_dir), trace_id, note)


@app.command()
def unpin(
    trace_id: TraceId,
    data_dir: DataDir = Path("raymap-data"),
    clickhouse: ClickHouseUrl = "",
) -> None:
    """Keep a trace no longer than any other."""
    from raymap.commands import storage

    with exit_on_error(None, ""):
        storage.unpin(resolve_clickhouse(clickhouse, data_dir), trace_id)


@app.command()
def pins(data_dir: DataDir = Path("raymap-data"), clickhouse: ClickHouseUrl = "") -> None:
    """List the pinned traces."""
    from raymap.commands import storage

    with exit_on_error(None, ""):
        storage.pins(resolve_clickhouse(clickhouse, data_dir))


@app.command()
def verify(
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Like 2026-11-25T10:00 (UTC), -90m.")
    ] = "-1h",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="The same, or now.")] = "-2m",
    data_dir: DataDir = Path("raymap-data"),
    clickhouse: ClickHouseUrl = "",
) -> None:
    """Count a window of the map once more from the rows, and report any difference."""
    from raymap.commands import verify as verification

    with exit_on_error(None, ""):
        same = verification.verify(resolve_clickhouse(clickhouse, data_dir), start, end)
    raise typer.Exit(0 if same else 1)


@app.command()
def demo(
    to: To = "127.0.0.1:2000",
    rate: Annotated[float, typer.Option(metavar="N", min=0.01, help="Traces per second.")] = 8.0,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Without it, forever.")
    ] = None,
    supervised: Supervised = None,
) -> None:
    """Send the traffic of a make-believe shop."""
    with exit_on_error(supervised, "sending demo traffic") as report:
        from raymap.processes import require_demo

        require_demo()
        from examples.serverless.main import run

        daemon = udp_address(to)
        report.ready({"to": daemon})
        run(daemon, rate, duration)


@app.command("import")
def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="As aws xray prints it."),
    ],
    to: To = "http://127.0.0.1:2000",
) -> None:
    """Send traces in files to a running server.

    A file holds {"Traces": [..]}, a list of traces, one trace, or one trace a line.
    """
    from raymap.commands import import_traces

    with exit_on_error(None, ""):
        complete = import_traces.import_files(files, to)
    raise typer.Exit(0 if complete else 1)


@app.command()
def version() -> None:
    """Print the version."""
    print(version_of_raymap())


def resolve_clickhouse(clickhouse: str, data_dir: Path) -> Address:
    """The ClickHouse of a command that ends by itself."""
    from raymap.processes import address_of, set_up_logging

    set_up_logging("warning", "console")
    return address_of(clickhouse, data_dir)


@contextlib.contextmanager
def exit_on_error(supervised: int | None, doing: str) -> Iterator[ReadyPipe]:
    """Failures become one sentence, said to the supervisor if there is one, and exit code 1."""

    def alone(doors: Mapping[str, str]) -> None:
        print_status(f"{doing}: " + " · ".join(f"{name} {at}" for name, at in doors.items()))

    report = ReadyPipe(supervised, alone)
    try:
        yield report
    except typer.Exit:
        raise
    except Exception as error:
        if os.environ.get("RAYMAP_LOG_LEVEL") == "debug":
            raise
        report.refused(sentence(error))
        raise typer.Exit(1) from None


def sentence(error: Exception) -> str:
    """What went wrong, in the words of whoever raised it, or of the driver."""
    spoken_by = type(error).__module__
    if spoken_by.startswith("clickhouse_driver"):
        from store.clickhouse.connection.errors import first_line

        return f"ClickHouse says: {first_line(error)}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"Cannot use {os.fsdecode(error.filename)}: {error.strerror}."
    text = str(error) or type(error).__name__
    ours = spoken_by.startswith(("__main__", "raymap", "store."))
    return text if ours else f"{type(error).__name__}: {text}"


def parse_size(text: str) -> int:
    """`2G`, `512M` or bytes; 0 for nothing said."""
    number, unit = text.strip().upper().removesuffix("B").removesuffix("I"), 1
    for letter, factor in (("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40)):
        if number.endswith(letter):
            number, unit = number[:-1], factor
    try:
        size = int(float(number or 0) * unit)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no size; expected one like 2G or 512M") from None
    if size and size < LEAST_MEMORY:
        raise typer.BadParameter(f"{text!r} is too little for ClickHouse, give it 256M or more")
    return size


def udp_address(text: str) -> str:
    """host:port, also of http://host:port: a server's UDP port is the number of its HTTP port."""
    import socket

    host, _, port = text.removeprefix("http://").rstrip("/").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise CommandError(f"{text} is no address; expected one like 127.0.0.1:2000.")
    try:
        socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such name"
        raise CommandError(f"There is no host {host} to send to: {reason}.") from None
    return f"{host}:{port}"


def version_of_raymap() -> str:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("raymap")
    except PackageNotFoundError:
        return "0+source"


def main() -> None:
    """The console script."""
    app(prog_name="raymap")


if __name__ == "__main__":
    main()

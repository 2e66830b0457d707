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
from typing import Annotated, Any, Literal

import typer

from raymap_supervisor import GaveUp, Report, say


def option(name: str, **more: Any) -> Any:
    """A flag that is an environment variable as well."""
    variable = "RAYMAP_" + name.lstrip("-").replace("-", "_").upper()
    return typer.Option(name, envvar=variable, **more)


def port_option(name: str, help: str) -> Any:
    return option(name, min=0, max=65535, help=help)


DataDir = Annotated[Path, option("--data-dir", help="Everything Raymap keeps.")]
Host = Annotated[str, option("--host", help="Address to listen on.")]
Port = Annotated[int, port_option("--port", "UDP and TCP; 0: any free one.")]
GrpcPort = Annotated[int, port_option("--grpc-port", "gRPC; 0: any free one.")]
OtlpPort = Annotated[int | None, port_option("--otlp-port", "OTLP over HTTP: 4318 beside 4317.")]
ClickHouseUrl = Annotated[
    str,
    option(
        "--clickhouse",
        metavar="URL",
        show_default="the embedded one",
        help="clickhouse://user:password@host:9000/raymap",
    ),
]
Memory = Annotated[
    str,
    option(
        "--clickhouse-memory",
        metavar="SIZE",
        show_default="40 % of RAM, at most 8G",
        help="Of the embedded ClickHouse, like 2G.",
    ),
]
SamplingRate = Annotated[
    float, option("--sampling-rate", min=0, max=1, help="What SDKs are told to record.")
]
RetentionDays = Annotated[int, option("--retention-days", min=1, help="Days that traces are kept.")]
Level = Annotated[Literal["debug", "info", "warning", "error"], option("--log-level")]
Format = Annotated[Literal["console", "json"], option("--log-format")]
To = Annotated[str, typer.Option("--to", help="Where the server listens.")]
# Said by the supervisor to its children, not by people.
Supervised = Annotated[int | None, typer.Option("--supervised", hidden=True)]

app = typer.Typer(
    name="raymap",
    help="Self-hosted, X-Ray-compatible tracing with a service map.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
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
    retention_days: RetentionDays = 30,
    log_level: Level = "info",
    log_format: Format = "console",
    collectors: Annotated[int, option("--collectors", min=1, help="Processes.")] = 1,
    demo: Annotated[bool, option("--demo", help="Send demo traffic as well.")] = False,
) -> None:
    """Run everything: ClickHouse, the collector, the API and the console."""
    import raymap_serve

    settings = raymap_serve.Settings(
        data_dir=data_dir,
        host=host,
        port=port,
        grpc_port=grpc_port,
        otlp_port=otlp_port,
        clickhouse=clickhouse,
        memory_bytes=parse_size(clickhouse_memory),
        collectors=collectors,
        sampling_rate=sampling_rate,
        retention_days=retention_days,
        log_level=log_level,
        log_format=log_format,
        demo=demo,
    )
    with reporting(None, ""):
        code = raymap_serve.serve(settings)
    raise typer.Exit(code)


@app.command()
def collect(
    data_dir: DataDir = Path("raymap-data"),
    host: Host = "127.0.0.1",
    port: Port = 2000,
    grpc_port: GrpcPort = 4317,
    otlp_port: OtlpPort = None,
    clickhouse: ClickHouseUrl = "",
    log_level: Level = "info",
    log_format: Format = "console",
    http: Annotated[bool, typer.Option(help="Open the HTTP door as well, on --port.")] = True,
    shared: Annotated[bool, typer.Option("--shared", help="With other collectors.")] = False,
    supervised: Supervised = None,
) -> None:
    """Run a collector alone: UDP, gRPC and HTTP in, ClickHouse out."""
    with reporting(supervised, "collecting") as report:
        import raymap_roles

        raymap_roles.set_up_logging(log_level, log_format)
        otlp = raymap_roles.otlp_port_of(otlp_port, grpc_port)
        door = raymap_roles.Door(host, port, grpc_port, otlp, http, shared)
        address = raymap_roles.address_of(clickhouse, data_dir)
        code = raymap_roles.collect(door, data_dir, address, report.ready)
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
    """Run the API and the console alone; segments are taken on the same port."""
    with reporting(supervised, "answering") as report:
        import raymap_roles

        raymap_roles.set_up_logging(log_level, log_format)
        address = raymap_roles.address_of(clickhouse, data_dir)
        code = raymap_roles.api(
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

    with reporting(supervised, "ClickHouse listens") as report:
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
    retention_days: RetentionDays = 30,
) -> None:
    """Bring a ClickHouse database to this version's schema."""
    import raymap_roles
    from store.clickhouse.migrate import migrate as apply

    with reporting(None, ""):
        raymap_roles.set_up_logging("info", "console")
        address = raymap_roles.address_of(clickhouse, data_dir)
        applied = apply(address, {"retention_days": retention_days})
        say(f"{address.name}/{address.database}: {', '.join(applied) or 'nothing to apply'}")


@app.command()
def demo(
    to: To = "127.0.0.1:2000",
    rate: Annotated[float, typer.Option(min=0.01, help="Traces per second.")] = 8.0,
    duration: Annotated[float | None, typer.Option(help="Seconds; without it, forever.")] = None,
    supervised: Supervised = None,
) -> None:
    """Send the traffic of a make-believe shop."""
    with reporting(supervised, "sending demo traffic") as report:
        try:
            from examples.serverless.main import run
        except ModuleNotFoundError as error:
            raise GaveUp(
                f'The demo needs the package {error.name}: run  pip install "raymap[demo]"'
            ) from None
        report.ready({"to": to})
        run(to, rate, duration)


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    to: To = "http://127.0.0.1:2000",
) -> None:
    """Send trace documents to a running server: {"Traces": [..]}, a list, one trace, or JSON lines."""
    import raymap_import

    with reporting(None, ""):
        complete = raymap_import.import_files(files, to)
    raise typer.Exit(0 if complete else 1)


@app.command()
def version() -> None:
    """Print the version."""
    print(version_of_raymap())


@contextlib.contextmanager
def reporting(supervised: int | None, doing: str) -> Iterator[Report]:
    """Failures become one sentence, said to the supervisor if there is one, and exit code 1."""

    def alone(doors: Mapping[str, str]) -> None:
        say(f"{doing}: " + " · ".join(f"{name} {at}" for name, at in doors.items()))

    report = Report(supervised, alone)
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
        from store.clickhouse.client import first_line

        return f"ClickHouse says: {first_line(error)}"
    text = str(error) or type(error).__name__
    ours = spoken_by.startswith(("__main__", "raymap", "store."))
    return text if ours else f"{type(error).__name__}: {text}"


def parse_size(text: str) -> int:
    """`2G`, `512M` or bytes; 0 for nothing said."""
    number, unit = text.strip().upper().removesuffix("B").removesuffix("I"), 1
    for letter, size in (("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40)):
        if number.endswith(letter):
            number, unit = number[:-1], size
    try:
        return int(float(number or 0) * unit)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no size; expected one like 2G or 512M") from None


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

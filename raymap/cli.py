"""The command line: typer commands and nothing else.

Each command imports what it needs, so that `raymap --help` is quick.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import store.clickhouse  # noqa: F401 - before its driver, whose dates it makes cheap
from api.plugins import PluginError, installed
from collector.tuning import collect_less_often
from raymap.access_cli import key_app, share_app, tenant_app, user_app
from raymap.aws_cli import aws_app
from raymap.config_cli import config_app
from raymap.context_cli import context_app
from raymap.data_cli import data_app, problems_app
from raymap.flags import with_settings
from raymap.import_cli import import_app
from raymap.journal_cli import journal_app
from raymap.logs_cli import logs_app
from raymap.options import RetentionDays, Supervised
from raymap.read_cli import read_app
from raymap.ready_pipe import exit_on_error
from raymap.settings import (
    ApiSettings,
    ClickHouseSettings,
    CollectSettings,
    DemoSettings,
    DoctorSettings,
    ServeSettings,
    StoreSettings,
)
from raymap.topology_cli import topology_app

app = typer.Typer(
    name="raymap",
    help="Self-hosted, X-Ray-compatible tracing with a service map.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut off the names of variables
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
@with_settings
def serve(context: typer.Context, settings: ServeSettings) -> None:
    """Run everything: ClickHouse, collector, API and console."""
    from raymap.serve import serve
    from raymap.shown_settings import shown_settings

    with exit_on_error():
        code = serve(settings, shown_settings(context))
    raise typer.Exit(code)


@app.command()
@with_settings
def collect(settings: CollectSettings, supervised: Supervised = None) -> None:
    """Run a collector alone: UDP, gRPC and HTTP in, ClickHouse out."""
    with exit_on_error(supervised, "collecting") as pipe:
        from raymap import processes

        cells = processes.prepare_process(settings, supervised=supervised is not None)
        code = processes.run_collector_process(settings, cells, pipe.ready)
    raise typer.Exit(code)


@app.command()
@with_settings
def api(context: typer.Context, settings: ApiSettings, supervised: Supervised = None) -> None:
    """Run the API and the console alone.

    The same port accepts segments.
    """
    with exit_on_error(supervised, "API listens") as pipe:
        from raymap import processes
        from raymap.shown_settings import inherited, shown_settings

        cells = processes.prepare_process(settings, supervised=supervised is not None)
        shown = inherited() if supervised is not None else None
        code = processes.run_api_process(
            settings, cells, pipe.ready, shown or shown_settings(context)
        )
    raise typer.Exit(code)


@app.command("clickhouse")
@with_settings
def clickhouse_command(settings: ClickHouseSettings, supervised: Supervised = None) -> None:
    """Run the embedded ClickHouse alone."""
    from raymap.data_dir import prepare_data_dir
    from store.clickhouse.embedded import EmbeddedSettings, run

    with exit_on_error(supervised, "ClickHouse listens") as pipe:
        prepare_data_dir(settings.data_dir)
        embedded = EmbeddedSettings(
            data_dir=settings.data_dir,
            memory_bytes=settings.clickhouse_memory,
            port=settings.clickhouse_port,
            lock_timeout=settings.lock_wait,
        )
        code = run(embedded, on_ready=lambda address: pipe.ready({"clickhouse": address.name}))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # skip the teardown of an interpreter with a 500 MB library in it


@app.command()
@with_settings
def migrate(settings: StoreSettings, retention_days: RetentionDays = None) -> None:
    """Bring a ClickHouse database, and those of its tenants, to this version's schema."""
    with exit_on_error():
        from raymap.cells import prepare_cells, resolve_cells
        from raymap.errors import print_status
        from raymap.logging import set_up_logging

        set_up_logging("info")
        given = {"traces": retention_days} if retention_days else {}
        for database, applied in prepare_cells(resolve_cells(settings), given).items():
            done = f"applied {', '.join(applied)}" if applied else "nothing to apply"
            print_status(f"{database}: {done}")


@app.command()
@with_settings
def doctor(
    settings: DoctorSettings,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
    detach_damaged: Annotated[
        bool, typer.Option("--detach-damaged", help="Set damaged parts of tables aside.")
    ] = False,
    drop_broken: Annotated[
        bool, typer.Option("--drop-broken", help="Delete parts that ClickHouse could not read.")
    ] = False,
) -> None:
    """Check this machine and ClickHouse; each problem with the command that helps.

    Exits with 1 if a check fails.
    """
    with exit_on_error():
        from raymap.commands import doctor
        from raymap.logging import set_up_logging

        set_up_logging()
        repairs = doctor.Repairs(detach_damaged, drop_broken)
        healthy = doctor.doctor(settings, repairs, as_json=as_json)
    raise typer.Exit(0 if healthy else 1)


@app.command()
@with_settings
def demo(settings: DemoSettings, supervised: Supervised = None) -> None:
    """Send the traffic of a make-believe shop."""
    with exit_on_error(supervised, "sending demo traffic") as pipe:
        from raymap.processes import require_demo, udp_address

        require_demo()
        from raymap.demo.main import run

        daemon = udp_address(settings.url)
        pipe.ready({"to": daemon})
        run(daemon, settings.rate, settings.duration, settings.seed)


app.add_typer(read_app)
app.add_typer(context_app, name="context")
app.add_typer(data_app)
app.add_typer(aws_app)
app.add_typer(import_app)
app.add_typer(config_app)
app.add_typer(logs_app)
app.add_typer(problems_app, name="problems")
app.add_typer(journal_app)
app.add_typer(key_app)
app.add_typer(user_app)
app.add_typer(share_app)
app.add_typer(tenant_app)
app.add_typer(topology_app, name="topology")


@app.command()
def version() -> None:
    """Print the version."""
    from raymap.processes import raymap_version

    print(raymap_version())


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def root(
    wanted: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """What comes before the name of a command."""


def _add_plugins() -> None:
    try:
        plugins = installed()
    except PluginError as error:
        sys.exit(f"raymap: {error}")
    for plugin in plugins:
        if plugin.commands:
            plugin.commands(app)


_add_plugins()


def main() -> None:
    """Run a command; `raymap.__main__` has arranged what is imported."""
    collect_less_often()
    try:
        app(prog_name="raymap")
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # else the interpreter reports it when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

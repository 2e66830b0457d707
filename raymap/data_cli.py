"""Commands about what is stored: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from raymap.flags import with_settings
from raymap.options import WindowEnd, WindowStart
from raymap.ready_pipe import exit_on_error
from raymap.settings import TenantSettings

data_app = typer.Typer()
TraceId = Annotated[str, typer.Argument(metavar="TRACE_ID", help="X-Ray's or W3C's form.")]


def duration_option(name: str, help: str) -> Any:
    """A retention time. Not from the environment: the database stores it."""
    return typer.Option(name, metavar="DAYS", show_default=False, help=help)


@data_app.command()
@with_settings
def retention(
    settings: TenantSettings,
    traces: Annotated[str, duration_option("--traces", "Traces and documents.")] = "",
    map_minutes: Annotated[str, duration_option("--map-minutes", "The map by minutes.")] = "",
    map_hours: Annotated[str, duration_option("--map-hours", "The map by hours.")] = "",
    logs: Annotated[str, duration_option("--logs", "Log lines.")] = "",
    metrics: Annotated[str, duration_option("--metrics", "Metrics of the platform.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Delete what is older.")] = False,
) -> None:
    """Show how long data is retained, or change it.

    A duration is a number of days (14d), weeks (2w) or years (1y). It is stored in the database
    until it is changed again. Pinned traces never expire.
    """
    with exit_on_error():
        from raymap.commands.retention import show_retention
        from raymap.processes import prepare_command_cells

        wanted = {
            "traces": traces,
            "map-minutes": map_minutes,
            "map-hours": map_hours,
            "logs": logs,
            "metrics": metrics,
        }
        show_retention(prepare_command_cells(settings), wanted, yes=yes)


@data_app.command()
@with_settings
def backup(
    target: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")],
    settings: TenantSettings,
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="FOLDER", help="An earlier backup: only what is new since."),
    ] = None,
) -> None:
    """Back up the embedded ClickHouse, the journals and the server's secret, while it runs.

    Contains every document that was acknowledged before it began.
    """
    with exit_on_error():
        from raymap.commands.backup import back_up

        back_up(settings, target, base)


@data_app.command()
@with_settings
def restore(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="A backup.")],
    settings: TenantSettings,
) -> None:
    """Make a new data directory of a backup; with --tenant, add that tenant of it to a running server.

    An incremental one needs its base where it was.
    """
    with exit_on_error():
        from raymap.commands import backup

        backup.restore(settings, source)


@data_app.command()
@with_settings
def audit(
    settings: TenantSettings,
    end: WindowEnd = "now",
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list.")] = False,
) -> None:
    """Show who did what, from where: sign-ins, keys, users, changes, backups, what was forgotten."""
    with exit_on_error():
        from raymap.commands import audit as command

        command.show(settings, end, limit, as_json=as_json)


@data_app.command()
@with_settings
def pin(
    trace_id: TraceId,
    settings: TenantSettings,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why.")] = "",
) -> None:
    """Retain a trace for ever, with documents that arrive later."""
    with exit_on_error():
        from raymap.commands import pins
        from raymap.processes import prepare_command_cells

        pins.pin(prepare_command_cells(settings), trace_id, note)


@data_app.command()
@with_settings
def unpin(trace_id: TraceId, settings: TenantSettings) -> None:
    """Let a pinned trace expire like any other."""
    with exit_on_error():
        from raymap.commands import pins
        from raymap.processes import prepare_command_cells

        pins.unpin(prepare_command_cells(settings), trace_id)


@data_app.command()
@with_settings
def forget(
    settings: TenantSettings,
    user: Annotated[str, typer.Option("--user", metavar="USER", help="Of this user.")] = "",
    annotation: Annotated[
        str, typer.Option("--annotation", metavar="KEY=VALUE", help="With this annotation.")
    ] = "",
    trace: Annotated[str, typer.Option("--trace", metavar="TRACE_ID", help="This one.")] = "",
    text: Annotated[
        str,
        typer.Option("--text", metavar="TEXT", help="With this text anywhere; reads everything."),
    ] = "",
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="For the journals.")
    ] = 60.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many, remove none.")] = False,
) -> None:
    """Remove traces for good: from every table, the journals and the quarantine.

    The map is counted again without them. Backups made before still contain them.
    """
    with exit_on_error():
        from raymap.commands import forget as command

        subject = command.subject_of(user, annotation, trace, text)
        command.forget(settings, subject, wait=wait, dry_run=dry_run)


@data_app.command("pins")
@with_settings
def list_pins(settings: TenantSettings) -> None:
    """List the pinned traces."""
    with exit_on_error():
        from raymap.commands import pins
        from raymap.processes import prepare_command_cells

        pins.list_pins(prepare_command_cells(settings))


@data_app.command()
@with_settings
def verify(
    settings: TenantSettings,
    start: WindowStart = "-1h",
    end: WindowEnd = "-2m",
    decode: Annotated[
        bool, typer.Option("--decode", help="Compare with its documents, decoded a second time.")
    ] = False,
) -> None:
    """Recount a window of the map from the rows and report any difference."""
    with exit_on_error():
        from raymap.commands import verify as command
        from raymap.processes import prepare_command_cells

        same = command.verify(prepare_command_cells(settings), start, end, decode=decode)
    raise typer.Exit(0 if same else 1)


problems_app = typer.Typer(
    help="What fails more, is slower or is called less than usual, and since when."
)


@problems_app.callback()
def problems() -> None:
    """What fails more, is slower or is called less than usual, and since when."""


@problems_app.command()
@with_settings
def replay(
    settings: TenantSettings,
    start: WindowStart = "-24h",
    end: WindowEnd = "now",
    every: Annotated[
        bool, typer.Option("--events", help="Print what happened in between, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Find the problems of a time in the past, minute by minute, as if it were now.

    Learns what is usual from the seven days before. Changes nothing.
    """
    with exit_on_error():
        from raymap.commands.problems import replay
        from raymap.processes import prepare_command_cells

        replay(prepare_command_cells(settings), start, end, every=every, as_json=as_json)

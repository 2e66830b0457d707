"""`raymap journal …`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raymap.options import DataDir, ServerUrl
from raymap.ready_pipe import exit_on_error

journal_app = typer.Typer(
    name="journal",
    help="Documents that wait on the disk: list, inspect, wait for, send elsewhere, try again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
JournalName = Annotated[
    str, typer.Argument(metavar="JOURNAL", help="As raymap journal list names it.")
]


@journal_app.command("list")
def list_journals(data_dir: DataDir = Path("raymap-data")) -> None:
    """List journals, their documents that wait for ClickHouse, and the quarantine."""
    with exit_on_error():
        from raymap.commands import journal

        journal.list_journals(data_dir)


@journal_app.command("inspect")
def inspect_journal(name: JournalName, data_dir: DataDir = Path("raymap-data")) -> None:
    """Print the waiting records of a journal, or of the quarantine with the reasons."""
    with exit_on_error():
        from raymap.commands import journal

        journal.inspect(data_dir, name)


@journal_app.command("send")
def send_journal(
    name: JournalName,
    url: ServerUrl,
    data_dir: DataDir = Path("raymap-data"),
) -> None:
    """Send the documents of a journal that no process uses to another host, and delete it."""
    with exit_on_error():
        from raymap.commands import journal

        journal.send(data_dir, name, url)


@journal_app.command("wait")
def wait_for_journals(
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.0, help="Time after which it fails.")
    ] = 300.0,
    data_dir: DataDir = Path("raymap-data"),
) -> None:
    """Wait until no documents wait for ClickHouse, before a host or a volume goes."""
    with exit_on_error():
        from raymap.commands import journal

        journal.wait(data_dir, seconds)


@journal_app.command("retry")
def retry_quarantine(data_dir: DataDir = Path("raymap-data")) -> None:
    """Try to store again what is in quarantine."""
    with exit_on_error():
        from raymap.commands import journal

        journal.retry(data_dir)

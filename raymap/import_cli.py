"""The command `raymap import`: a typer command and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raymap.errors import CommandError
from raymap.options import LOCAL, ServerUrl
from raymap.ready_pipe import exit_on_error

import_app = typer.Typer()
RATE = 5.0
"""Requests a second: X-Ray throttles by account, and the account's own readers need some, too."""


@import_app.command("import")
def import_traces(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="As aws xray prints it."),
    ] = None,
    url: ServerUrl = LOCAL,
    from_xray: Annotated[
        bool, typer.Option("--from-xray", help="From AWS X-Ray, instead of files.")
    ] = False,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="TIME",
            show_default="-30d",
            help="Like 2026-11-25T10:00 (UTC), -90m.",
        ),
    ] = "",
    end: Annotated[
        str,
        typer.Option("--to", metavar="TIME", show_default="now", help="The same, or now."),
    ] = "",
    filter: Annotated[
        str, typer.Option("--filter", metavar="EXPR", help="Only traces that match.")
    ] = "",
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="Of AWS's configuration.")
    ] = "",
    region: Annotated[str, typer.Option("--region", metavar="NAME", help="Of X-Ray.")] = "",
    endpoint_url: Annotated[
        str, typer.Option("--endpoint-url", metavar="URL", help="Another server with X-Ray's API.")
    ] = "",
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="N", min=0.1, show_default="5", help="Requests a second to X-Ray."
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            dir_okay=False,
            show_default="in ~/.local/state/raymap",
            help="Remembers what is done.",
        ),
    ] = None,
    settings: Annotated[
        bool | None,
        typer.Option(
            "--settings/--no-settings",
            show_default="--settings",
            help="Sampling rules and groups as well.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace rules and groups of the same name.")
    ] = False,
) -> None:
    """Send traces to a running server: from files, or from AWS X-Ray.

    A file contains {"Traces": [..]}, a list of traces, one trace, or one trace a line. From X-Ray an
    import continues where the last one ended. RAYMAP_TOKEN is sent as a bearer token. Exits with 1
    if something could not be imported.
    """
    given = {
        "--from": start,
        "--to": end,
        "--filter": filter,
        "--profile": profile,
        "--region": region,
        "--endpoint-url": endpoint_url,
        "--rate": rate,
        "--checkpoint": checkpoint,
        "--settings": settings is not None,
        "--overwrite": overwrite,
    }
    with exit_on_error():
        if bool(files) == from_xray:
            raise CommandError("Name either files, or X-Ray with --from-xray.")
        if not from_xray:
            if alone := next((flag for flag, value in given.items() if value), None):
                raise CommandError(f"{alone} belongs to --from-xray.")
            from raymap.commands.import_traces import import_files

            code = 0 if import_files(files or [], url) else 1
        else:
            from raymap.commands.import_source import SourceOptions
            from raymap.commands.import_xray import Job, import_xray
            from raymap.processes import require_boto3
            from raymap.units import parse_instant

            require_boto3()
            job = Job(
                url,
                parse_instant(start or "-30d", "--from"),
                parse_instant(end or "now", "--to"),
                SourceOptions(profile, region, endpoint_url, rate or RATE),
                filter,
                checkpoint,
                settings is not False,
                overwrite,
            )
            code = import_xray(job)
    raise typer.Exit(code)

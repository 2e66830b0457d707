"""The command `raymap logs`: a typer command and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.errors import CommandError
from raymap.options import LOCAL, ServerUrl
from raymap.ready_pipe import exit_on_error

logs_app = typer.Typer()


@logs_app.command()
def logs(
    trace_id: Annotated[
        str, typer.Argument(metavar="[TRACE_ID]", help="X-Ray's or W3C's form.", show_default=False)
    ] = "",
    function: Annotated[
        str,
        typer.Option(
            "--function", metavar="NAME", help="A Lambda function or a service.", show_default=False
        ),
    ] = "",
    follow: Annotated[bool, typer.Option("--tail", help="Print what arrives, too.")] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="DURATION", help="Of a function's lines, like 15m.")
    ] = "15m",
    account: Annotated[
        str, typer.Option("--account", metavar="ID", help="Of a function: only lines of this one.")
    ] = "",
    region: Annotated[str, typer.Option("--region", metavar="NAME", help="Likewise.")] = "",
    environment: Annotated[
        str,
        typer.Option(
            "--environment", metavar="NAME", help="Likewise: only lines of its traced requests."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    url: ServerUrl = LOCAL,
) -> None:
    """Print the log lines of a trace, or the last ones of a function.

    RAYMAP_TOKEN is sent as a bearer token.
    """
    with exit_on_error():
        from raymap.commands import logs as command

        if bool(trace_id) == bool(function):
            raise CommandError("Name either a trace, by its id, or a function, with --function.")
        if trace_id and follow:
            raise CommandError("--tail follows a function: name one with --function.")
        scope = {"account": account, "region": region, "environment": environment}
        wanted = command.Wanted(
            url, function, {name: value for name, value in scope.items() if value}
        )
        if trace_id and wanted.scope:
            raise CommandError(f"--{next(iter(wanted.scope))} narrows the lines of a function.")
        if trace_id:
            command.trace_logs(url, trace_id, as_json=as_json)
        elif follow:
            command.tail(wanted, since, as_json=as_json)
        else:
            command.function_logs(wanted, since, as_json=as_json)

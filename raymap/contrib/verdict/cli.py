"""`raymap verdict`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.errors import CommandError, print_status
from raymap.options import LOCAL, ServerUrl, WindowEnd, WindowStart

verdict_app = typer.Typer()


@verdict_app.command()
def verdict(
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="As the map names it.")],
    candidate: Annotated[str, typer.Option("--candidate", metavar="VERSION", help="The new one.")],
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline",
            metavar="VERSION",
            show_default="the other one with the most requests",
            help="The one to compare with.",
        ),
    ] = "",
    type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="Like AWS::Lambda::Function.")
    ] = "",
    account: Annotated[str, typer.Option("--account", metavar="ID")] = "",
    region: Annotated[str, typer.Option("--region", metavar="NAME")] = "",
    environment: Annotated[
        str, typer.Option("--environment", metavar="NAME", help="Only its traces, like prod.")
    ] = "",
    start: WindowStart = "-1h",
    end: WindowEnd = "now",
    min_requests: Annotated[
        int, typer.Option("--min-requests", min=1, help="Finished requests each version needs.")
    ] = 50,
    vanished_fails: Annotated[
        bool,
        typer.Option("--vanished-fails", help="A node that is no longer called is a failure, too."),
    ] = False,
    wait: Annotated[
        str,
        typer.Option("--wait", metavar="DURATION", help="Wait so long for enough requests: 10m."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    url: ServerUrl = LOCAL,
) -> None:
    """Judge a new version of a service by its traffic.

    Exits with 0 for pass, 1 for fail, 2 for too little traffic, 3 if there is no answer.
    RAYMAP_TOKEN is sent as a bearer token.
    """
    from raymap.contrib.verdict import command
    from store.times import parse_duration

    query = {
        "service": service,
        "candidate": candidate,
        "baseline": baseline,
        "type": type,
        "account": account,
        "region": region,
        "environment": environment,
        "from": start,
        "to": end,
        "min_requests": min_requests,
        "vanished_fails": "true" if vanished_fails else "",
    }
    try:
        seconds = parse_duration(wait, default_unit="s") if wait else 0
        answer = command.wait_for_verdict(url, query, seconds)
    except (CommandError, ValueError) as error:
        print_status(str(error))
        raise typer.Exit(command.NO_VERDICT) from None
    raise typer.Exit(command.print_verdict(answer, as_json=as_json))

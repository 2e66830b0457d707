"""`raymap declare`: a typer command and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raymap.errors import CommandError, print_status
from raymap.options import LOCAL, ServerUrl, WindowEnd, WindowStart

declare_app = typer.Typer()


@declare_app.command()
def declare(
    template: Annotated[
        Path | None,
        typer.Argument(
            metavar="[TEMPLATE]",
            exists=True,
            dir_okay=False,
            show_default=False,
            help="SAM, CloudFormation or a state machine's definition; YAML or JSON.",
        ),
    ] = None,
    stack: Annotated[
        str,
        typer.Option(
            "--stack",
            metavar="NAME",
            show_default="stack_name in samconfig.toml, else the folder's name",
            help="The deployed stack, which names what the template does not.",
        ),
    ] = "",
    account: Annotated[str, typer.Option("--account", metavar="ID")] = "",
    region: Annotated[str, typer.Option("--region", metavar="NAME")] = "",
    environment: Annotated[str, typer.Option("--environment", metavar="NAME")] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=VALUE", help="Of the template; repeatable."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what the template declares, and store nothing.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare it with what was observed --from, --to.")
    ] = False,
    start: WindowStart = "-24h",
    end: WindowEnd = "now",
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="NAME",
            help="A logical ID or a node's name that is no difference for --check; repeatable.",
        ),
    ] = None,
    list_stacks: Annotated[bool, typer.Option("--list", help="List the declared stacks.")] = False,
    remove: Annotated[
        str, typer.Option("--remove", metavar="STACK", help="Remove what a stack declared.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print answers as JSON.")] = False,
    url: ServerUrl = LOCAL,
) -> None:
    """Declare what a stack has and may call, and compare it with what was observed.

    --check exits with 0 if there is no difference, 1 if something was never seen or is undeclared, 2 if nothing
    is declared or there was no traffic, 3 if there is no answer. RAYMAP_TOKEN is sent as a bearer token.
    """
    from raymap.contrib.declare import command

    place = {"stack": stack, "account": account, "region": region, "environment": environment}
    try:
        if not (template or check or list_stacks or remove):
            raise CommandError("Name a template, or one of --check, --list and --remove.")
        if remove:
            command.remove(url, remove, account, region)
        if template:
            place["stack"] = command.declare(
                url, template, place, parameter or [], dry_run=dry_run, as_json=as_json
            )
        if list_stacks:
            command.list_stacks(url, place, as_json=as_json)
        if check and not dry_run:
            window = {"from": start, "to": end}
            code = command.check(url, window | place, ignore or [], as_json=as_json)
            raise typer.Exit(code)
    except CommandError as error:
        print_status(str(error))
        raise typer.Exit(command.NO_ANSWER if check else 1) from None

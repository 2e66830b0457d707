"""`raymap aws …`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from raymap.commands.aws_sources import Source
from raymap.options import LOCAL, ServerUrl, WindowEnd, WindowStart
from raymap.ready_pipe import exit_on_error

aws_app = typer.Typer(
    name="aws", help="What an AWS account sends.", no_args_is_help=True, rich_markup_mode=None
)


@aws_app.callback()
def aws() -> None:
    """What comes before the name of a command."""


@aws_app.command()
def template() -> None:
    """Print the CloudFormation template that sends what AWS records of an account (docs/aws.md)."""
    folder = Path(__file__).resolve().parent
    installed, in_sources = folder / "aws_template.yaml", folder.parent / "deploy/aws/raymap.yaml"
    typer.echo((installed if installed.exists() else in_sources).read_text("utf-8"), nl=False)


@aws_app.command()
def doctor(
    start: WindowStart = "-3h",
    end: WindowEnd = "now",
    account: Annotated[str, typer.Option("--account", metavar="ID", help="Only of this one.")] = "",
    region: Annotated[str, typer.Option("--region", metavar="NAME", help="Likewise.")] = "",
    without: Annotated[
        list[Source] | None,
        typer.Option("--without", help="A source that the account does not send."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    url: ServerUrl = LOCAL,
) -> None:
    """Say what of an AWS account arrives, by source and function, and what to do for what does not.

    Exits with 1 if a source never arrived. RAYMAP_TOKEN is sent as a bearer token, of role viewer.
    """
    with exit_on_error():
        from raymap.commands import aws_doctor

        window = {"from": start, "to": end}
        window |= {"account": account} if account else {}
        window |= {"region": region} if region else {}
        healthy = aws_doctor.doctor(url, window, without or (), as_json=as_json)
    raise typer.Exit(0 if healthy else 1)

"""The command `raymap sam`: a typer command and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.options import LOCAL, ServerUrl
from raymap.ready_pipe import exit_on_error

sam_app = typer.Typer()


@sam_app.command()
def sam(
    words: Annotated[
        list[str], typer.Argument(metavar="-- local COMMAND ...", help="Arguments of SAM CLI.")
    ],
    url: ServerUrl = LOCAL,
    daemon: Annotated[
        str,
        typer.Option(
            "--daemon",
            metavar="HOST:PORT",
            show_default="a relay on this machine",
            help="Where functions send their segments.",
        ),
    ] = "",
    listen: Annotated[
        str,
        typer.Option(
            "--listen",
            metavar="ADDRESS",
            show_default="Docker's bridge, else 127.0.0.1",
            help="Of the relay.",
        ),
    ] = "",
    function: Annotated[
        str,
        typer.Option(
            "--function",
            metavar="NAME",
            show_default="as SAM prints it",
            help="Of all invocations.",
        ),
    ] = "",
    program: Annotated[str, typer.Option("--sam", metavar="PROGRAM", help="SAM CLI.")] = "sam",
) -> None:
    """Run sam local start-api, start-lambda or invoke; functions, logs and segments arrive here.

    SAM's output, exit code and signals pass through. RAYMAP_TOKEN is sent as a bearer token.
    """
    with exit_on_error():
        from raymap.contrib.sam.run import SamJob, run_sam

        code = run_sam(SamJob(words, url, daemon, listen, function, program))
    raise typer.Exit(code)

"""The command `raymap mcp`: a typer command and nothing else, as in `raymap.cli`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from raymap.errors import require_package
from raymap.options import LOCAL, ServerUrl
from raymap.ready_pipe import exit_on_error

mcp_app = typer.Typer()


@mcp_app.command()
def mcp(
    url: ServerUrl = LOCAL,
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Answer over HTTP at /mcp of [HOST:]PORT: each caller reads with its own key.",
        ),
    ] = "",
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="A host name by which callers reach --listen."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen for other machines without keys.")
    ] = False,
) -> None:
    """Answer a language model's questions over stdio or HTTP (MCP), read-only.

    Needs raymap[mcp]. Over stdio RAYMAP_TOKEN is sent as a bearer token.
    """
    with exit_on_error():
        from raymap.processes import raymap_version

        require_package("mcp", "raymap mcp", "mcp")
        if listen:
            from raymap.contrib.mcp.http import serve_http

            serve_http(url, raymap_version(), listen, allowed_host or [], insecure=insecure)
            return
        from raymap.contrib.mcp.server import serve

        serve(url, os.environ.get("RAYMAP_TOKEN", ""), raymap_version())

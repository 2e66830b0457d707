"""`raymap mcp`: read-only tools for language models, over stdio or HTTP (docs/mcp.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    import typer


def _commands(app: typer.Typer) -> None:
    from raymap.contrib.mcp.cli import mcp_app

    app.add_typer(mcp_app)


plugin = Plugin("mcp", commands=_commands)

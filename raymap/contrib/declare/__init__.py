"""`raymap declare`: what a stack has and may call, read from its template (docs/declared.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    import typer


def _commands(app: typer.Typer) -> None:
    from raymap.contrib.declare.cli import declare_app

    app.add_typer(declare_app)


plugin = Plugin("declare", commands=_commands)

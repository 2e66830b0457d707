"""`raymap sam`: runs SAM CLI with Raymap beside it (docs/lambda.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    import typer


def _commands(app: typer.Typer) -> None:
    from raymap.contrib.sam.cli import sam_app

    app.add_typer(sam_app)


plugin = Plugin("sam", commands=_commands)

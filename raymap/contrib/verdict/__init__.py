"""`raymap verdict`: a new version of a service, judged by its traffic (docs/deployments.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    import typer


def _commands(app: typer.Typer) -> None:
    from raymap.contrib.verdict.cli import verdict_app

    app.add_typer(verdict_app)


plugin = Plugin("verdict", commands=_commands)

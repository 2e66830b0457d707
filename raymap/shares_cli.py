"""`raymap share …`: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.flags import with_settings
from raymap.ready_pipe import exit_on_error
from raymap.settings import StoreSettings

share_app = typer.Typer(
    name="share",
    help="Links by which others read one trace or one map: list, revoke, rotate.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@share_app.command("list")
@with_settings
def list_shares(
    settings: StoreSettings,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the links that are valid: what each shows, who made it, until when."""
    with exit_on_error():
        from raymap.commands import shares

        shares.list_shares(settings, as_json=as_json)


@share_app.command("revoke")
@with_settings
def revoke_share(
    id: Annotated[str, typer.Argument(metavar="ID", help="As raymap share list shows it.")],
    settings: StoreSettings,
) -> None:
    """Stop accepting a link; every process knows after two seconds."""
    with exit_on_error():
        from raymap.commands import shares

        shares.revoke(settings, id)


@share_app.command("rotate")
@with_settings
def rotate_shares(settings: StoreSettings) -> None:
    """Change the key that signs links: all that have been made stop working."""
    with exit_on_error():
        from raymap.commands import shares

        shares.rotate_key(settings)

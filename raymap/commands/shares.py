"""`raymap share`: the links that are valid, and the ends of one or all of them."""

from __future__ import annotations

import time

from msgspec.structs import replace

from raymap.auth.audit import record_command
from raymap.auth.share_routes import render_share
from raymap.auth.shares import StoredShare, put_share, rotate, stored_shares
from raymap.commands.open_store import change_configuration, open_home
from raymap.commands.tables import print_list
from raymap.errors import CommandError, print_status
from raymap.processes import prepare_command
from raymap.settings import StoreSettings
from raymap.units import format_minute
from store.config.change import Decide, Result
from store.config.protocol import Change, Configuration

MAX_SHOWN = 80


def list_shares(settings: StoreSettings, *, as_json: bool) -> None:
    """Print the valid links, oldest first; their tokens are stored nowhere."""
    with open_home(prepare_command(settings)) as store:
        stored = stored_shares(store.read_configuration()).values()
    now = time.time()
    valid = [each for each in stored if not each.revoked and each.share.expires > now]
    valid.sort(key=lambda each: each.created)
    print_list(
        valid,
        as_json=as_json,
        public=render_share,
        head=("id", "by", "until (UTC)", "shows"),
        row=_row,
        empty="no link is valid",
    )


def revoke(settings: StoreSettings, id: str) -> None:
    """Refuse a link from now on."""

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        stored = stored_shares(configuration).get(id.lower())
        if stored is None:
            raise CommandError(f"There is no link {id}: raymap share list shows them.")
        return None, [put_share(replace(stored, revoked=int(time.time())))]

    _change(settings, decide, f"share revoke {id.lower()}")
    print_status(f"the link {id.lower()} is revoked")


def rotate_key(settings: StoreSettings) -> None:
    """Refuse every link that has been made."""

    def decide(configuration: Configuration, _: int) -> tuple[int, list[Change]]:
        return len(stored_shares(configuration)), rotate(configuration)

    count = _change(settings, decide, "share rotate")
    print_status(f"the key is another one; {count} {'link' if count == 1 else 'links'} ended")


def _change(settings: StoreSettings, decide: Decide[Result], done: str) -> Result:
    with open_home(prepare_command(settings)) as store:
        result = change_configuration(store, decide)
        record_command(store, done)
    return result


def _row(stored: StoredShare) -> tuple[str, str, str, str]:
    share = stored.share
    return (share.id, stored.name, format_minute(share.expires), str(share.grant)[:MAX_SHOWN])

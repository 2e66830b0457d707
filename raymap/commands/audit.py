"""`raymap audit`: the newest events of the audit log."""

from __future__ import annotations

import msgspec

from raymap.commands.open_store import open_home
from raymap.commands.tables import print_table
from raymap.errors import print_status
from raymap.processes import prepare_command
from raymap.settings import StoreSettings
from raymap.units import parse_instant
from store.times import SECOND, format_utc


def show(settings: StoreSettings, end: str, limit: int, *, as_json: bool) -> None:
    """Print events before an instant, the newest first."""
    instant = parse_instant(end, "--to")
    with open_home(prepare_command(settings)) as store:
        found = store.read_audit(before=instant, limit=limit)
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    if not found:
        print_status("nothing is recorded before that")
        return
    rows = [("time (UTC)", "who", "via", "from", "what", "to", "outcome")]
    rows += [
        (format_utc(e.at // SECOND), e.actor, e.via, e.address, e.action, e.target, e.outcome)
        for e in found
    ]
    print_table(rows)

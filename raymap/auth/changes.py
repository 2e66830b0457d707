"""Changes of the stored configuration by several writers at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from store.config.protocol import Change, ConfigStore, Configuration

ATTEMPTS = 20
"""Other writers that may be faster, one after the other."""


class Contended(Exception):
    """Others changed the configuration every time."""


def change_configuration(
    store: ConfigStore, edit: Callable[[Configuration], Sequence[Change]], now: float
) -> None:
    """Store what ``edit`` makes of the newest configuration; it is called again when another writer
    was faster. Raises Contended, and whatever ``edit`` raises."""
    for _ in range(ATTEMPTS):
        configuration = store.read_configuration()
        changes = edit(configuration)
        if store.change_configuration(changes, after=configuration.revision, at=round(now * 1e6)):
            return
    raise Contended("others change the configuration all the time; try again")

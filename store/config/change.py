"""Changing the configuration: read it, decide, write; decide again if another writer was faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from store.config.protocol import Change, ConfigStore, Configuration

Result = TypeVar("Result")
Decide = Callable[[Configuration, int], tuple[Result, Sequence[Change]]]
"""(configuration, now in microseconds) → what to return and what to change."""

TRIES = 20


class Contended(Exception):
    """Other writers were faster every time."""

    def __init__(self) -> None:
        super().__init__("the configuration is being changed by others; try again")


def change(
    store: ConfigStore,
    decide: Decide[Result],
    clock: Callable[[], float],
    *,
    large: bool = False,
) -> Result:
    """Apply what ``decide`` makes of the newest configuration, read with ``large``. Raises Contended, and what it
    raises."""
    for _ in range(TRIES):
        configuration = store.read_configuration(large=large)
        now = round(clock() * 1_000_000)
        result, changes = decide(configuration, now)
        if not changes or store.change_configuration(changes, after=configuration.revision, at=now):
            return result
    raise Contended

"""Which versions of a function log each failed handler, by the lines with which their environments began.

Of the others nothing but a failure itself says how an invocation ended (`store.rules.handler_failures`).
"""

from __future__ import annotations

from collections.abc import Collection

from store.log_lines import LogStore, WrittenIn
from store.model import TimeRange
from store.rules.handler_failures import is_telling, version_in
from store.times import DAY

MOST = 1_000
"""Environments that are looked at, the newest."""
ENVIRONMENT = WrittenIn(record="init")


def telling_versions(store: LogStore, names: Collection[str], window: TimeRange) -> frozenset[str]:
    """Versions of one function, by its names, of which every environment does. An environment may have begun a day
    before the window."""
    earlier = TimeRange(window.start - DAY, window.end)
    telling: set[str] = set()
    silent: set[str] = set()
    for name in set(names):
        page = store.node_lines([name], earlier, limit=MOST, within=ENVIRONMENT)
        for line in page.lines:
            version = version_in(line.body, line.log_stream)
            (telling if is_telling(line.body) else silent).add(version)
    return frozenset(telling - silent)

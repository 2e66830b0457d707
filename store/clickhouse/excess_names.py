"""Services that make up names of nodes, as problems of the server (`store.rules.other_names`)."""

from __future__ import annotations

import time

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.rules.other_names import MOST_NAMES, OTHER_NAMES, RECENT_MINUTES, describe_excess


def problems(run: RunQuery) -> list[str]:
    """A sentence for each node that stands for names in excess in the last minutes."""
    first = int(time.time()) // 60 - RECENT_MINUTES
    callers: dict[tuple[str, ...], dict[str, int]] = {}
    examples: dict[tuple[str, ...], str] = {}
    for *node, source, times, example in run(
        queries.RECENT_EXCESS_NAMES.render(first=first, other=OTHER_NAMES)
    ):
        calls = callers.setdefault(tuple(node), {})
        if source:
            calls[source] = times
        else:
            examples[tuple(node)] = example
    limit = f"{MOST_NAMES:,} names a minute"
    found = [describe_excess(callers[node], examples.get(node, ""), limit) for node in callers]
    return list(dict.fromkeys(found))

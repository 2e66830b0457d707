"""Groups by the beginnings of names: `payments-api` and `payments-worker` belong together. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from store.model import NodeKey

NO_PREFIX = "\0"
"""Begins the prefix of a node that reports nothing itself: it counts only if a service has it, too."""
MOST_WORDS = 4
LARGEST_SHARE = 0.9
"""Of all services: a prefix that more of them have, such as the house's own, tells nothing."""
MOST_CACHED = 40_000
"""Prefixes that are retained, some 10 MB: a map has the names of the one before."""
_WORD = re.compile(r"[^-_./:\s]+[-_./:\s]*")


def prefixes(nodes: Mapping[NodeKey, bool]) -> dict[NodeKey, str]:
    """The prefix of each node; '' of clients. ``nodes``: whether each reports itself.

    Prefixes are of as few words as make two groups of services or more, none of which has almost all of them.
    """
    services = [key.name for key, active in nodes.items() if active and not key.is_client]
    words = next((n for n in range(1, MOST_WORDS) if _divides(services, n)), 1)
    found = {}
    for key, active in nodes.items():
        own = "" if key.is_client else prefix(key.name, words)
        found[key] = own if active or not own else f"{NO_PREFIX}{own}"
    return found


@lru_cache(MOST_CACHED)
def prefix(name: str, words: int) -> str:
    """The first words of a name, without what separates them from the rest."""
    first = "".join(_WORD.findall(name)[:words])
    return first.rstrip("-_./: ") or name


def _divides(names: Iterable[str], words: int) -> bool:
    sizes = Counter(prefix(name, words) for name in names)
    large = sum(size > 1 for size in sizes.values())
    return large > 1 and max(sizes.values()) <= LARGEST_SHARE * sizes.total()

"""Notebooks as stored: a title, and entries in order of the time that they are about. Pure."""

from __future__ import annotations

from msgspec import Struct

MAX_NOTEBOOKS, MAX_ENTRIES, MAX_REMOVED = 50, 100, 5
MAX_TOTAL = 2_000_000
"""Bytes of all notebooks together, which reading or changing one reads."""


class Figures(Struct, frozen=True, omit_defaults=True):
    """What an entry showed when it was added, in words and numbers that outlive the rows they were counted from.

    ``rows`` are a table below ``columns``, with a state each; ``edges`` lead from row to row of a map, with their
    requests; ``bars`` are where the rows of a trace begin and how long they take, as shares of the trace, and
    ``depths`` how deep they are. ``left_out``: rows that there were besides. ``is_empty``: nothing was counted.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    states: tuple[str, ...] = ()
    edges: tuple[tuple[int, int, str], ...] = ()
    bars: tuple[tuple[float, float], ...] = ()
    depths: tuple[int, ...] = ()
    left_out: int = 0
    is_empty: bool = False


class NotebookEntry(Struct, frozen=True, omit_defaults=True):
    """Words, or what they are about: a ``page`` of the console with its ``query``, a ``trace`` or a ``problem`` by its id.

    ``at``: the time that it is about. ``by``: who wrote it last, "" where no one signs in. ``removed``: since when it
    is no entry any more, 0 of one that is. Microseconds.
    """

    id: str
    at: int
    added: int
    modified: int
    by: str = ""
    text: str = ""
    page: str = ""
    query: str = ""
    trace: str = ""
    problem: str = ""
    figures: Figures | None = None
    removed: int = 0


class Notebook(Struct, frozen=True, omit_defaults=True):
    """A notebook without its entries, which are records of their own; ``entries``: how many. ``revision`` counts from 1; microseconds."""

    id: str
    title: str
    revision: int
    created: int
    modified: int
    by: str = ""
    entries: int = 0

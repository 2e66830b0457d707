"""A saved view as stored: a name for an address of the console. Pure."""

from __future__ import annotations

from msgspec import Struct

MAX_VIEWS = 200


class SavedView(Struct, frozen=True, omit_defaults=True):
    """``query`` is what follows the ``?`` of a page's address: time, filter, grouping, viewport and the like, as the console
    writes them. ``revision`` counts from 1. ``by``: who saved it last, "" where no one signs in. Microseconds."""

    name: str
    page: str
    query: str
    revision: int
    created: int
    modified: int
    by: str = ""

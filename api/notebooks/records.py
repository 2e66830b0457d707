"""Notebooks among the records of the configuration: each entry is one, so that a change writes what it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from api.context import Context
from api.errors import ApiError
from api.saved import fields_of
from store.config import records
from store.config.protocol import Change, Configuration
from store.model import TimeRange
from store.notebooks import MAX_REMOVED, MAX_TOTAL, Notebook, NotebookEntry
from store.query import TraceQuery
from store.times import SECOND
from store.trace_id import parse_trace_id

_KINDS = frozenset(records.KINDS[each] for each in (Notebook, NotebookEntry))


class Whole(NamedTuple):
    """A notebook with its entries by id, removed ones among them."""

    notebook: Notebook
    every: Mapping[str, NotebookEntry]

    @property
    def entries(self) -> list[NotebookEntry]:
        """In order of the time that they are about."""
        found = (each for each in self.every.values() if not each.removed)
        return sorted(found, key=lambda each: (each.at, each.added, each.id))


def find(configuration: Configuration, id: str) -> Whole | None:
    """A notebook by its id."""
    notebook = records.read(configuration, Notebook, id).get(id)
    if notebook is None:
        return None
    found = records.read(configuration, NotebookEntry, f"{id}/")
    return Whole(notebook, {each.id: each for each in found.values()})


def require(configuration: Configuration, id: str) -> Whole:
    """A notebook by its id; ApiError (404)."""
    found = find(configuration, id)
    if found is None:
        raise ApiError(f"there is no notebook {id[:60]!r}", code="NoSuchNotebook", status=404)
    return found


def replaced(
    configuration: Configuration,
    notebook: Notebook,
    old: Mapping[str, NotebookEntry],
    entries: Iterable[NotebookEntry],
) -> list[Change]:
    """What changes when a notebook has these entries; the last of those that it no longer has can be brought back
    by their ids. ApiError (400) when all notebooks would be too large."""
    new = {each.id: each for each in entries}
    gone = [
        each if each.removed else replace(each, removed=notebook.modified)
        for id, each in old.items()
        if id not in new
    ]
    gone.sort(key=lambda each: (each.removed, each.id), reverse=True)
    stored = new | {each.id: each for each in gone[:MAX_REMOVED]}
    changes = [
        records.put(notebook.id, replace(notebook, entries=len(new))),
        *(
            records.put(f"{notebook.id}/{id}", each)
            for id, each in stored.items()
            if old.get(id) != each
        ),
        *(records.remove(f"{notebook.id}/{each.id}", NotebookEntry) for each in gone[MAX_REMOVED:]),
    ]
    _refuse_too_large(configuration, changes)
    return changes


def removed(whole: Whole) -> list[Change]:
    """What removes a notebook."""
    id = whole.notebook.id
    entries = (records.remove(f"{id}/{each}", NotebookEntry) for each in whole.every)
    return [records.remove(id, Notebook), *entries]


def _refuse_too_large(configuration: Configuration, changes: list[Change]) -> None:
    sizes = {key: len(value) for key, value in configuration.values.items() if key[0] in _KINDS}
    before = sum(sizes.values())
    sizes |= {(each.kind, each.name): len(each.value or b"") for each in changes}
    after = sum(sizes.values())
    if after > MAX_TOTAL and after > before:
        raise ApiError(
            f"all notebooks together may have {MAX_TOTAL:,} bytes and would have {after:,}: "
            "delete one, or entries"
        )


def expired(context: Context, entries: Iterable[NotebookEntry]) -> frozenset[str]:
    """Ids of entries whose traces are not stored any more, although they had some when they were added."""
    counted = [each for each in entries if each.figures and not each.figures.is_empty]
    traces = {each.id: parse_trace_id(each.trace) for each in counted if each.trace}
    stored = context.store.get_traces(sorted(set(traces.values())), raw=False) if traces else {}
    gone = {id for id, trace in traces.items() if trace not in stored}
    windows = {
        each.id: window
        for each in counted
        if not each.trace and (window := _window(each)) is not None
    }
    empty = {each for each in set(windows.values()) if _is_empty(context, each)}
    return frozenset(gone | {id for id, window in windows.items() if window in empty})


def _window(entry: NotebookEntry) -> TimeRange | None:
    if entry.page == "compare":
        return None
    fields = fields_of(entry.query)
    start, end = (round(float(fields[name]) * SECOND) for name in ("from", "to"))
    return TimeRange(start, end)


def _is_empty(context: Context, window: TimeRange) -> bool:
    return not context.store.find_traces(TraceQuery(window), limit=1).found

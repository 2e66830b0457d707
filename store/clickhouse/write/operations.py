"""Which operations are in a batch, and which of them the dictionary `operations` lacks.

Every process remembers what it wrote, and when: a row is written for what is new to it, or was last written an hour
ago. So a batch mostly writes none, and two processes write a few twice, which merges make one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import NamedTuple

from clickhouse_driver import Client

from store.clickhouse.connection.native_format import Columns
from store.column_types import Coded
from store.columnar import DocumentColumns
from store.model import Independent, Kind
from store.rules.operations import MOST_OPERATIONS, OTHER_OPERATIONS

MOST_KNOWN = 200_000
"""Operations that a process remembers, before it forgets all."""
HOUR, DAY = 3600.0, 86_400.0
_OF_PARENT = Independent.OF_PARENT


class Operation(NamedTuple):
    """A row of the dictionary."""

    service: str
    name: str
    kind: Kind


def operations_in(documents: DocumentColumns) -> frozenset[Operation]:
    """The operations of some documents, but for parts of others, whose service these know, and inferred segments. A
    segment of X-Ray's that names none is called like its service."""
    services, names, kinds = documents.services, documents.operations, documents.kinds
    senders, inferred = documents.independent, documents.inferred
    if (
        isinstance(services, Coded)
        and isinstance(names, Coded)
        and isinstance(kinds, Coded)
        and isinstance(senders, Coded)
        and services.codes is kinds.codes is senders.codes
        and not any(inferred)
    ):  # of many rows few pairs, found in C
        pairs = set(zip(services.codes, names.codes, strict=True))
        of_codes = services.values, names.values, kinds.values, senders.values
        rows: Iterable[tuple[str, str, Kind, Independent | bool]] = (
            (of_codes[0][code], of_codes[1][name], of_codes[2][code], of_codes[3][code])
            for code, name in pairs
        )
    else:
        columns = zip(services, names, kinds, senders, inferred, strict=True)
        rows = {row[:4] for row in columns if not row[4]}
    return frozenset(
        Operation(service, name or service, kind)
        for service, name, kind, sender in rows
        if sender != _OF_PARENT and service and (name or not sender)
    )


class KnownOperations:
    """What a process has written to the dictionary, by service, and when (monotonic seconds)."""

    def __init__(self) -> None:
        self._written: dict[str, dict[Operation, float]] = {}
        self._count = 0
        self._lock = Lock()

    def due(self, found: Iterable[Operation]) -> list[Operation]:
        """Of the operations of a batch the rows to write; those of a service that has too many are `OTHER_OPERATIONS`."""
        now = time.monotonic()
        by_service: dict[str, list[Operation]] = {}
        for each in found:
            by_service.setdefault(each.service, []).append(each)
        with self._lock:
            return [
                row for service, some in by_service.items() for row in self._due(service, some, now)
            ]

    def _due(self, service: str, found: list[Operation], now: float) -> Iterator[Operation]:
        written = self._written.get(service, {})
        new = [each for each in found if each not in written]
        if len(new) > MOST_OPERATIONS - len(written):
            self._forget_old(written, now)
        room = max(0, MOST_OPERATIONS - len(written))
        others = {each._replace(name=OTHER_OPERATIONS): None for each in new[room:]}
        for each in (*new[:room], *(each for each in found if each in written), *others):
            if now - written.get(each, -HOUR) >= HOUR:
                yield each

    def _forget_old(self, written: dict[Operation, float], now: float) -> None:
        for each in [each for each, at in written.items() if now - at > DAY]:
            del written[each]
            self._count -= 1

    def note(self, rows: Iterable[Operation]) -> None:
        """Remember that rows are written."""
        now = time.monotonic()
        with self._lock:
            if self._count > MOST_KNOWN:
                self._written, self._count = {}, 0
            for each in rows:
                written = self._written.setdefault(each.service, {})
                self._count += each not in written
                written[each] = now


def insert_operations(client: Client, known: KnownOperations, found: Iterable[Operation]) -> None:
    """Write the operations of a batch that are due."""
    rows = known.due(found)
    if not rows:
        return
    client.execute(
        "INSERT INTO operations (service, operation, kind) VALUES",
        Columns(
            (
                [each.service for each in rows],
                [each.name for each in rows],
                [each.kind for each in rows],
            )
        ),
        columnar=True,
        types_check=False,
        settings={"insert_deduplicate": 0, "async_insert": 0},
    )
    known.note(rows)

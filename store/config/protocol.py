"""What a store does for X-Ray's configuration, central sampling and trace retrieval.

Part of `store.protocol.Store`. Times are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from store.model import TimeRange


class Change(NamedTuple):
    """A record to store, as JSON, or to remove (None)."""

    kind: str
    name: str
    value: bytes | None


class Configuration(Struct, frozen=True):
    """Records by kind and name at one revision, and when each kind was last changed.

    A removal is a change, too.
    """

    revision: int
    values: Mapping[tuple[str, str], bytes]
    changed: Mapping[str, int]


class ConfigStore(Protocol):
    """Stores a few records that change rarely; every change is a new revision of all of them."""

    def read_configuration(self, *, large: bool = False) -> Configuration:
        """The newest revision. ``large``: with records of kinds that may be large (`store.config.records.LARGE`)."""
        ...

    def change_configuration(self, changes: Sequence[Change], *, after: int, at: int) -> bool:
        """Apply changes atomically to revision ``after``, making it the next one.

        False, and nothing is changed, if another writer already has: read again and decide anew.
        """
        ...


class SamplingReport(NamedTuple):
    """What a client counted for a rule since its last report, and when it reported."""

    rule: str
    client: str
    at: int
    requests: int
    sampled: int
    borrowed: int


class AnomalyReport(NamedTuple):
    """Requests of a service with anomalies since its last report, and how many were recorded."""

    rule: str
    service: str
    at: int
    anomalies: int
    sampled: int


class SamplingSum(NamedTuple):
    """Counts of all clients for a rule in a step that begins at ``start``."""

    rule: str
    start: int
    requests: int
    sampled: int
    borrowed: int


MAX_CLIENTS = 10_000
"""Clients of a rule that take part in sampling; further ones get no quota."""


class SamplingStore(Protocol):
    """Stores what SDKs report about sampling. Reports expire after an hour, those on
    anomalies after two days."""

    def add_sampling_reports(
        self, reports: Sequence[SamplingReport], anomalies: Sequence[AnomalyReport]
    ) -> None:
        """Store reports soon: they are visible within a second, and a crash may lose them."""
        ...

    def last_sampling_reports(self, window: TimeRange) -> list[SamplingReport]:
        """The last report of each client for each rule in a window, by rule and client.

        At most `MAX_CLIENTS` clients of a rule, the first by id.
        """
        ...

    def sampling_sums(self, window: TimeRange, step: int) -> list[SamplingSum]:
        """Counts by rule and step (a multiple of it since the epoch), by start and rule."""
        ...

    def first_anomalies(self, rule: str, window: TimeRange) -> list[AnomalyReport]:
        """The first report of each service in a window on anomalies that were not all recorded."""
        ...


class Retrieval(Struct, frozen=True):
    """A request to retrieve traces: those of ``trace_ids`` with a document in the window."""

    token: str
    trace_ids: tuple[bytes, ...]
    window: TimeRange
    started: int
    cancelled: bool = False


RETRIEVAL_SECONDS = 3600
"""How long a retrieval's token is valid."""


class RetrievalStore(Protocol):
    """Stores retrievals until they expire."""

    def put_retrieval(self, retrieval: Retrieval) -> None:
        """Store a retrieval, or its new state."""
        ...

    def get_retrieval(self, token: str, now: int) -> Retrieval | None:
        """The retrieval with a token that is valid ``now``."""
        ...

    def count_retrievals(self, now: int) -> int:
        """Retrievals that are valid ``now`` and not cancelled."""
        ...


class StoredLayout(NamedTuple):
    """The layout of a map, in the form of its writer, and how often it was written."""

    revision: int
    value: bytes


class LayoutStore(Protocol):
    """Stores the layouts of maps, so that all API processes draw one picture."""

    def read_layout(self, name: str) -> StoredLayout | None:
        """The newest layout of a name."""
        ...

    def write_layout(self, name: str, value: bytes, *, after: int) -> bool:
        """Store a layout as the revision after ``after``, 0 for the first.

        False, and nothing is changed, if another writer already has: read again and decide anew.
        """
        ...

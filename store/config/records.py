"""What X-Ray's API configures, alarms, objectives, mutes of problems, saved views and notebooks, as stored. Times are microseconds since the epoch."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct

from store.alarms import Alarm
from store.config.protocol import Change, Configuration
from store.notebooks import Notebook, NotebookEntry
from store.objectives import Objective
from store.problems import Mute
from store.views import SavedView

Record = TypeVar("Record", bound=Struct)

MAX_VERSIONS = 1_000
"""Changes of a group's expression that are remembered."""


class Group(Struct, frozen=True, omit_defaults=True):
    """A named filter expression; without one every trace belongs to the group.

    ``versions``: when the expression was changed after the creation, ascending.
    """

    name: str
    arn: str
    expression: str = ""
    insights: bool = False
    notifications: bool = False
    versions: tuple[int, ...] = ()


class RateBoost(Struct, frozen=True):
    """How far a rule's rate may be raised while anomalies are missed (docs/xray-format.md §8.6)."""

    max_rate: float
    cooldown_minutes: int


class SamplingRule(Struct, frozen=True, omit_defaults=True):
    """Which requests SDKs record (docs/xray-format.md §8.1). ``reservoir``: requests per second."""

    name: str
    priority: int
    rate: float
    reservoir: int
    resource_arn: str = "*"
    service_name: str = "*"
    service_type: str = "*"
    host: str = "*"
    method: str = "*"
    path: str = "*"
    attributes: dict[str, str] = {}
    boost: RateBoost | None = None
    created: int = 0
    modified: int = 0


class ResourcePolicy(Struct, frozen=True):
    """A policy document; ``revision`` counts from 1."""

    name: str
    document: str
    revision: int
    updated: int


class IndexingRule(Struct, frozen=True):
    """The desired percentage of traces to index."""

    name: str
    desired: float
    modified: int


class Tags(Struct, frozen=True):
    """Tags of the resource with an ARN."""

    arn: str
    values: dict[str, str]


KINDS: dict[type[Struct], str] = {
    Group: "group",
    SamplingRule: "sampling rule",
    ResourcePolicy: "resource policy",
    IndexingRule: "indexing rule",
    Tags: "tags",
    Alarm: "alarm",
    Objective: "objective",
    Mute: "mute",
    SavedView: "view",
    Notebook: "notebook",
    NotebookEntry: "notebook entry",
}
"""The kind under which each record is stored."""
LARGE = frozenset({KINDS[NotebookEntry]})
"""Kinds that are read only where they are wanted: samplers, alarms and filters read the configuration all the time."""


def read(configuration: Configuration, record: type[Record], prefix: str = "") -> dict[str, Record]:
    """All records of a type by name, in order of name; with a prefix those whose names begin with it."""
    kind = KINDS[record]
    return {
        name: msgspec.json.decode(value, type=record)
        for (of_kind, name), value in sorted(configuration.values.items())
        if of_kind == kind and name.startswith(prefix)
    }


def put(name: str, record: Struct) -> Change:
    """The change that stores a record."""
    return Change(KINDS[type(record)], name, msgspec.json.encode(record))


def remove(name: str, record: type[Struct]) -> Change:
    """The change that removes a record."""
    return Change(KINDS[record], name, None)

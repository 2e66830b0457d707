"""The scripts: a map, and incidents on it, as two files declare them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CLIENTS = "clients"
"""`Incident.source` of the calls of clients."""


class Kind(StrEnum):
    """What a node of the map is."""

    SERVICE = "services"
    DATABASE = "databases"
    TABLE = "tables"
    CACHE = "caches"
    HOST = "hosts"
    QUEUE = "queues"


@dataclass(frozen=True)
class Call:
    """``times`` a request; the caller tolerates it failing if it is ``optional``."""

    target: str
    times: float
    optional: bool


@dataclass(frozen=True)
class Node:
    """``ms``: the median of its own time, of a queue of the time that a message waits in it."""

    name: str
    kind: Kind
    ms: float
    calls: tuple[Call, ...] = ()
    consumers: tuple[str, ...] = ()

    @property
    def operations(self) -> tuple[str, ...]:
        """Routes, the first ones the more frequent."""
        return f"GET /{self.name}", f"POST /{self.name}/items", f"GET /{self.name}/{{id}}"


@dataclass(frozen=True)
class Shop:
    """``entries``: requests of clients a minute."""

    entries: dict[str, float]
    nodes: dict[str, Node]

    def callers(self, name: str, *, optional: bool = True) -> set[str]:
        """The nodes from which one is reached by calls that are answered."""
        found: set[str] = set()
        todo = [name]
        while todo:
            target = todo.pop()
            for node in self.nodes.values():
                calls = [each for each in node.calls if each.target == target]
                if any(optional or not each.optional for each in calls) and node.name not in found:
                    found.add(node.name)
                    todo.append(node.name)
        return found


@dataclass(frozen=True)
class Incident:
    """See scripts.toml. ``source``: its ``from``."""

    name: str
    at: str
    source: str = ""
    fault: float = 0.0
    error: float = 0.0
    throttle: float = 0.0
    exception: str = ""
    slower: float = 1.0
    slow: float = 1.0
    down: bool = False
    version: float = 0.0
    operation: str = ""
    users: float = 0.0
    calls: float = 1.0
    lag: float = 0.0
    timeout: float = 0.0
    retries: int = 0
    history: int = 120
    load: float = 1.0

    @property
    def what(self) -> str:
        """What it does, in short."""
        names = "fault error throttle slower slow down version operation users calls lag timeout retries"
        usual = Incident("", "")
        found = {each: getattr(self, each) for each in names.split()}
        return ", ".join(f"{k} {v}" for k, v in found.items() if v != getattr(usual, k))


def read_shop() -> Shop:
    """The map."""
    declared = tomllib.loads((HERE / "shop.toml").read_text())
    nodes = [_node(name, kind, value) for kind in Kind for name, value in declared[kind].items()]
    return Shop(declared["entries"], {each.name: each for each in nodes})


def read_incidents() -> list[Incident]:
    """In the order of the file."""
    declared = tomllib.loads((HERE / "scripts.toml").read_text())["incident"]
    return [Incident(source=each.pop("from", ""), **each) for each in declared]


def _node(name: str, kind: Kind, value: Any) -> Node:
    if isinstance(value, int | float):
        return Node(name, kind, value)
    calls = value.get("calls", {}).items()
    return Node(
        name,
        kind,
        value["ms"],
        tuple(Call(target.rstrip("?"), times, target.endswith("?")) for target, times in calls),
        tuple(value.get("consumers", ())),
    )

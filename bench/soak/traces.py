"""Traces over several services, cheaply, and what the map has to count of them.

Templates are rendered once a second; then only the trace id is patched. Ids of segments repeat
between traces; they need to be unique within one only.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, TypeAlias

from bench.documents import segment

TEMPLATES = 40
PROBE = "probe"
"""What the names of nodes begin with by which readers measure, and their trace ids behind the epoch."""
FUNCTION = "price"
Node: TypeAlias = tuple[str, str]
"""Name and type; the type of what has none is empty."""
_CALLS = {
    "shop": ("orders", "search"),
    "orders": ("stock", "payment", FUNCTION),
    "search": ("stock",),
    "stock": ("audit",),
    "payment": ("audit",),
}


class Forms(NamedTuple):
    """One document: as it is for a datagram, and as a JSON string for PutTraceSegments."""

    plain: bytes
    quoted: bytes


@dataclass(slots=True)
class Count:
    """Units that the map has to show; both add up over traces."""

    nodes: Counter[Node] = field(default_factory=Counter)
    edges: Counter[tuple[Node, Node]] = field(default_factory=Counter)


class Traces:
    """A source of traces; ``used`` says how often each template was."""

    def __init__(self) -> None:
        self._second = 0
        self._templates: list[tuple[bytes, list[Forms]]] = []
        self._count = 0

    @property
    def used(self) -> list[int]:
        """Traces made, by template."""
        rounds, more = divmod(self._count, TEMPLATES)
        return [rounds + (number < more) for number in range(TEMPLATES)]

    def next(self) -> list[Forms]:
        """The documents of a new trace."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._templates = [_render(number, now) for number in range(TEMPLATES)]
        place, documents = self._templates[self._count % TEMPLATES]
        self._count += 1
        trace_id = b"1-%08x-%s" % (now, os.urandom(12).hex().encode())
        return [
            Forms(plain.replace(place, trace_id), quoted.replace(place, trace_id))
            for plain, quoted in documents
        ]


def expected(used: list[int]) -> Count:
    """What the map has to count of so many traces of each template."""
    total = Count()
    for number, times in enumerate(used):
        one = _count(_trace(number, 0))
        for node, units in one.nodes.items():
            total.nodes[node] += units * times
        for edge, units in one.edges.items():
            total.edges[edge] += units * times
    return total


def count(services: list[dict[str, Any]]) -> Count:
    """What a GetServiceGraph counts, without the readers' own nodes."""
    total = Count()
    nodes: dict[int, Node] = {s["ReferenceId"]: (s["Name"], s.get("Type", "")) for s in services}
    for service in services:
        node = nodes[service["ReferenceId"]]
        if node[0].startswith(PROBE):
            continue
        if node[1] != "client":
            total.nodes[node] += service["SummaryStatistics"]["TotalCount"]
        for edge in service["Edges"]:
            units = edge["SummaryStatistics"]["TotalCount"]
            total.edges[node, nodes[edge["ReferenceId"]]] += units
    return total


def _render(number: int, now: int) -> tuple[bytes, list[Forms]]:
    documents = _trace(number, now)
    texts = [json.dumps(document) for document in documents]
    forms = [Forms(text.encode(), json.dumps(text).encode()) for text in texts]
    return documents[0]["trace_id"].encode(), forms


def _trace(number: int, now: int) -> list[dict[str, Any]]:
    """The documents of a template: the callee before its caller, as they finish."""
    return list(reversed(_visit(Random(number), "shop", None, now)))


def _visit(random: Random, name: str, parent_id: str | None, now: int) -> list[dict[str, Any]]:
    document = segment(name, random, now)
    if parent_id is not None:
        document["parent_id"] = parent_id
    documents = [document]
    callees = _CALLS.get(name, ())
    for callee in random.sample(callees, min(len(callees), random.randint(1, 2))):
        call = _call(random, document, callee)
        document["subsegments"].append(call)
        if callee == FUNCTION:
            documents += _invoked(random, call["id"], now)
        else:
            documents += _visit(random, callee, call["id"], now)
    return documents


def _call(random: Random, caller: dict[str, Any], callee: str) -> dict[str, Any]:
    common = {
        "id": f"{random.getrandbits(64):016x}",
        "start_time": caller["start_time"] + 0.001,
        "end_time": caller["end_time"] - 0.0005,
        "in_progress": False,
    }
    if callee == FUNCTION:
        block = {"operation": "Invoke", "region": "eu-west-1", "function_name": callee}
        return common | {"name": "lambda", "namespace": "aws", "aws": block}
    http = {"request": {"method": "GET", "url": f"http://{callee}.example.com/"}}
    return common | {
        "name": f"{callee}.example.com",
        "namespace": "remote",
        "http": http | {"response": {"status": 200}},
    }


def _invoked(random: Random, parent_id: str, now: int) -> list[dict[str, Any]]:
    """The Lambda pair."""
    front, function = segment(FUNCTION, random, now), segment(FUNCTION, random, now)
    front |= {"parent_id": parent_id, "origin": "AWS::Lambda", "subsegments": []}
    function |= {"parent_id": front["id"], "origin": "AWS::Lambda::Function"}
    return [front, function]


def _count(documents: list[dict[str, Any]]) -> Count:
    """The map of one trace in which every call to a service is answered."""
    count = Count()
    by_call = {d["parent_id"]: _node(d) for d in documents if "parent_id" in d}
    for document in documents:
        own = _node(document)
        count.nodes[own] += 1
        if "parent_id" not in document:
            count.edges[(own[0], "client"), own] += 1
        if document["id"] in by_call:
            count.edges[own, by_call[document["id"]]] += 1  # the function of the Lambda pair
        for call in document["subsegments"]:
            if call.get("namespace") not in ("aws", "remote"):
                continue
            target = by_call.get(call["id"])
            if target is None:
                target = _resource(call)
                count.nodes[target] += 1
            count.edges[own, target] += 1
    return count


def _node(document: dict[str, Any]) -> Node:
    return document["name"], document.get("origin", "")


def _resource(call: dict[str, Any]) -> Node:
    if "sql" in call:
        return call["name"], "Database::SQL"
    return call["aws"]["table_name"], "AWS::DynamoDB::Table"

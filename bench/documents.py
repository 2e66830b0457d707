"""Realistic segment documents, cheaply: rendered once a second, then only the trace id is patched.

Forty templates in the Python SDK's form, one to five subsegments each, about 1.6 kB on average.
Segment and subsegment ids repeat between traces; they need to be unique within one only.
"""

from __future__ import annotations

import json
import os
import time
from random import Random
from typing import Any

TEMPLATES = 40
_PLACE = b"1-00000000-" + b"X" * 24
_TABLES = ("orders", "products", "carts", "sessions")
_PATHS = ("/orders", "/orders/7", "/products", "/cart", "/checkout", "/search")


class Documents:
    """A source of documents of one root service; every one belongs to a trace of its own."""

    def __init__(self, service: str = "checkout", *, escaped: bool = False) -> None:
        self._service = service
        self._escaped = escaped
        self._second = 0
        self._templates: list[list[bytes]] = []
        self._count = 0
        self._random = int.from_bytes(os.urandom(12)) >> 1  # then counted up: never one twice

    def next(self) -> tuple[bytes, bytes]:
        """A new trace id and its document; `escaped` documents are JSON strings with quotes."""
        ((trace_id, document),) = self.take(1)
        return trace_id, document

    def take(self, count: int) -> list[tuple[bytes, bytes]]:
        """So many of them, for less than a microsecond each: a sender must not be the limit."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._templates = [
                self._render(number, now).split(_PLACE) for number in range(TEMPLATES)
            ]
        first, self._count = self._count, self._count + count
        templates, base = self._templates, self._random
        ids = [b"1-%08x-%024x" % (now, base + number) for number in range(first, first + count)]
        return [(id, id.join(templates[n % TEMPLATES])) for n, id in enumerate(ids, first)]

    def _render(self, number: int, now: int) -> bytes:
        text = json.dumps(segment(self._service, Random(number), now))
        return (json.dumps(text) if self._escaped else text).encode()


def mean_size() -> float:
    source = Documents()
    return sum(len(source.next()[1]) for _ in range(TEMPLATES)) / TEMPLATES


def segment(service: str, random: Random, now: int) -> dict[str, Any]:
    """One request to a web service that calls databases and other services."""
    start = now - 1 + random.random() / 2
    identifier = _id(random)
    status = random.choices((200, 201, 404, 429, 500), (80, 10, 5, 2, 3))[0]
    document: dict[str, Any] = {
        "id": identifier,
        "name": service,
        "start_time": start,
        "in_progress": False,
        "http": {
            "request": {
                "url": "https://shop.example.com" + random.choice(_PATHS),
                "method": random.choice(("GET", "POST")),
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145",
                "client_ip": f"192.0.2.{random.randint(1, 254)}",
            },
            "response": {"status": status, "content_length": random.randint(20, 9000)},
        },
        "aws": {"xray": {"sdk": "X-Ray for Python", "sdk_version": "2.15.0"}},
        "user": f"user-{random.randint(1, 500)}",
        "annotations": {"customer_tier": random.choice(("free", "plus")), "stage": "prod"},
        "metadata": {"default": {"cart": [random.randint(1, 99) for _ in range(6)]}},
        "subsegments": [],
        "trace_id": _PLACE.decode(),
        "service": {"runtime": "CPython", "runtime_version": "3.13.1"},
    }
    _flag(document, status)
    at = start + 0.002
    for number in range(random.choices((1, 2, 3, 4, 5), (34, 28, 20, 11, 7))[0]):
        took = random.lognormvariate(-4.5, 0.6)
        document["subsegments"].append(_subsegment(random, identifier, number, at, at + took))
        at += took + 0.001
    document["end_time"] = at + 0.002
    return document


def _subsegment(
    random: Random, parent: str, number: int, start: float, end: float
) -> dict[str, Any]:
    common = {
        "id": _id(random),
        "start_time": start,
        "end_time": end,
        "parent_id": parent,
        "in_progress": False,
        "trace_id": _PLACE.decode(),
        "type": "subsegment",
    }
    kind = (number + random.randint(0, 2)) % 4
    if kind == 0:
        return common | {"name": f"step {number}", "namespace": "local"}
    if kind == 1:
        sql = {"url": "postgresql://db.example.com:5432/orders", "database_type": "PostgreSQL"}
        query = {"sanitized_query": "SELECT id, state FROM orders WHERE customer = ? LIMIT 20"}
        return common | {
            "name": "orders@db.example.com",
            "namespace": "remote",
            "sql": {**sql, **query, "user": "shop", "database_version": "17.2"},
        }
    aws = {
        "operation": random.choice(("GetItem", "PutItem", "Query")),
        "region": "eu-west-1",
        "request_id": f"{random.getrandbits(208):052X}",
        "table_name": random.choice(_TABLES),
    }
    return common | {
        "name": "dynamodb",
        "namespace": "aws",
        "http": {"response": {"status": 200}},
        "aws": aws,
    }


def _flag(document: dict[str, Any], status: int) -> None:
    if status >= 500:
        document["fault"] = True
    elif status >= 400:
        document["error"] = True
        document["throttle"] = status == 429


def _id(random: Random) -> str:
    return f"{random.getrandbits(64):016x}"

"""Requests from a client to ``shop``, which calls ``checkout``, which calls ``payments``, as X-Ray's SDKs report them."""

from __future__ import annotations

import json
import random
from typing import Any

from collector.decode.document import decode_document
from store.model import Document, NodeKey
from store.protocol import Store
from store.times import MINUTE, SECOND
from tests.builders import T0

CHAIN = ("shop", "checkout", "payments")
SHOP, CHECKOUT, PAYMENTS = (NodeKey("", name, "") for name in CHAIN)
RATE = 20
"""Requests a minute."""


def send(store: Store, minute: int, faults: float = 0.0, rate: int = RATE) -> None:
    """A minute after `T0` in which this share of the requests fails in ``payments``; one in a hundred fails in any."""
    store.put(minute_of(minute, faults, rate), f"{minute} {faults}")


def minute_of(minute: int, faults: float = 0.0, rate: int = RATE) -> list[Document]:
    """Its documents."""
    chance = random.Random(minute)
    return [
        document
        for each in range(rate)
        for document in _request(
            minute * 1000 + each,
            T0 + minute * MINUTE + each * MINUTE // rate,
            fault=each < round(faults * rate) or chance.random() < 0.01,
        )
    ]


def _request(number: int, at: int, *, fault: bool) -> list[Document]:
    trace = f"1-{at // SECOND:08x}-{number:024x}"
    found, parent = [], None
    for depth, name in enumerate(CHAIN):
        start, end = (at + depth * 10_000) / SECOND, (at + 100_000 - depth * 10_000) / SECOND
        call = f"{number * 8 + depth + 0xCA0000000:016x}"
        content: dict[str, Any] = {
            "id": f"{number * 8 + depth + 0x5E0000000:016x}",
            "trace_id": trace,
            "name": name,
            "start_time": start,
            "end_time": end,
        }
        if fault:
            content["fault"] = True
        if parent:
            content["parent_id"] = parent
        if depth < 2:
            content["subsegments"] = [
                {
                    "id": call,
                    "name": CHAIN[depth + 1],
                    "namespace": "remote",
                    "start_time": start + 0.001,
                    "end_time": end - 0.001,
                    **({"fault": True} if fault else {}),
                }
            ]
        elif fault:
            content["cause"] = {
                "exceptions": [{"id": "e" * 16, "type": "CardDeclined", "message": "no"}]
            }
        parent = call
        found.append(decode_document(json.dumps(content).encode(), at))
    return found

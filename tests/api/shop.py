"""A small shop's traces: entry, a called service, a table, a Lambda pair, and failures."""

from __future__ import annotations

from store.model import Document, NodeKey, State
from store.times import SECOND
from tests.builders import T0, call, http, segment, subsegment, trace_id

START, END = T0 // SECOND, T0 // SECOND + 600
TABLE = NodeKey("", "orders", "AWS::DynamoDB::Table")
FRONT = NodeKey("", "front", "AWS::ECS::Container")


def order(number: int, state: State = State.OK, status: int = 200, **more: object) -> Document:
    """One request to ``front``, which calls ``stock`` (answered by `stock`) and a table."""
    at = T0 + number * SECOND
    calls = (
        call(0xC1 + number * 16, start=at + 1000, end=at + 41_000),
        call(
            0xC2 + number * 16,
            start=at + 50_000,
            end=at + 55_000,
            node=TABLE,
            service="DynamoDB",
            host="",
        ),
    )
    fields: dict[str, object] = {
        "name": FRONT.name,
        "type": FRONT.type,
        "trace_id": trace_id(number, epoch=T0 // SECOND + number),
        "start": at,
        "end": at + 100_000,
        "state": state,
        "http": http(status),
        "calls": calls,
        "user": "alice",
        "annotations": ('tier="gold"', "age=42", "first=true"),
        "version": at + 200_000,
    }
    return segment(0xA0 + number * 16, **(fields | more))


def stock(number: int) -> Document:
    """The answer to the first call of an order."""
    at = T0 + number * SECOND
    return segment(
        0xB0 + number * 16,
        name="stock",
        parent_id=0xC1 + number * 16,
        trace_id=trace_id(number, epoch=T0 // SECOND + number),
        start=at + 2_000,
        end=at + 40_000,
    )


def lambda_pair() -> list[Document]:
    """A function called from outside: service half, then function half naming it as parent."""
    id = trace_id(99)
    half = segment(0x1A, name="resize", type="AWS::Lambda", trace_id=id)
    return [
        half,
        segment(0x1B, name="resize", type="AWS::Lambda::Function", parent_id=0x1A, trace_id=id),
        subsegment(0x1C, 0x1B, trace_id=id, end=T0 + 90_000),
    ]


def shop() -> list[Document]:
    """Six orders, one faulted, one failed with 404, one throttled; and the Lambda pair."""
    states = {3: (State.FAULT, 500), 4: (State.ERROR, 404), 5: (State.THROTTLE, 429)}
    orders = [order(number, *states.get(number, ())) for number in range(6)]
    return [*orders, *(stock(number) for number in range(6)), *lambda_pair()]

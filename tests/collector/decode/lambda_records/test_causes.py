"""What the extension says of invocations' events → the messages of invocations."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from collector.decode.lambda_records.upload import Upload, decode_upload
from store.rules.event_sources import Messages
from store.rules.invocations import read_record, record_of
from tests.lambda_samples import ACCOUNT, END, REGION, REQUEST, TRACE_ID, event, events

QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:reminders"
ROOT = "1-6b061440-0000000000000000000000aa"
HEADER = f"Root={ROOT};Parent=00000000000000b1;Sampled=1"
SENDER = bytes.fromhex(ROOT[2:].replace("-", ""))
MESSAGE = {"count": 3, "trace": HEADER, "sent": 1_795_560_000_123}


def cause(*messages: Any, **change: Any) -> dict[str, Any]:
    """The event of the request of `events`."""
    given = {"requestId": REQUEST, "source": QUEUE, "messages": list(messages) or [MESSAGE]}
    return event("raymap.event", **given | change)


def upload(*given: Any) -> Upload:
    function = {"name": "checkout", "account": ACCOUNT, "region": REGION}
    return decode_upload(json.dumps({"function": function, "events": given}).encode())


def test_an_invocation_has_what_its_event_came_from() -> None:
    start, report = events()
    for order in itertools.permutations([cause(MESSAGE, {"count": 2}), start, report]):
        if order.index(start) > order.index(report):
            continue
        found = upload(*order)
        (invocation,) = found.folded.invocations
        assert invocation.event_source == QUEUE
        assert invocation.messages == (
            Messages(3, SENDER, 0xB1, 1_795_560_000_123_000),
            Messages(2),
        )
        assert found.rejected == []
        assert [line.record for line in found.logs.lines] == ["start", "report"]
        assert read_record(TRACE_ID, json.loads(json.dumps(record_of(invocation)))) == invocation


def test_another_requests_event_says_nothing() -> None:
    (invocation,) = upload(cause(requestId="other"), *events()).folded.invocations
    assert invocation.event_source == ""


@pytest.mark.parametrize(
    "trace",
    ["", "Root=", f"Root={ROOT}", "Root=1-0-0;Parent=00000000000000b1", "Self=1-2-3", HEADER[:40], "x" * 900,
     "Root=1-00000000-000000000000000000000000;Parent=00000000000000b1", f"Root={ROOT};Parent=0000000000000000"],
)  # fmt: skip
def test_a_header_that_cannot_be_read_costs_itself(trace: str) -> None:
    (invocation,) = upload(cause({"count": 3, "trace": trace}), *events()).folded.invocations
    assert invocation.messages == (Messages(3),)


@pytest.mark.parametrize(
    "damaged",
    [
        cause(source="arn:aws:lambda:eu-west-1:111122223333:function:f"), cause(source=""), cause(source=5), cause(source="a" * 2000),
        cause(source=f"arn:aws:sqs:{REGION}:{ACCOUNT}:" + "q" * 201), cause(messages=[]), cause(messages=5), cause({"count": 0}),
        cause({"count": 1.5}), cause({"count": True}), cause({"count": 1 << 40}), cause({"count": 1, "sent": -1}), cause({"count": 1, "sent": 1 << 60}),
        cause({"count": 1, "trace": 5}), cause({"count": 1, "trace": "x" * 2000}), cause(*[{"count": 1}] * 101), cause(requestId=""),
        cause(requestId="r" * 201), cause(requestId=5), {"type": "raymap.event", "time": "x"}, {"type": "raymap.event", "record": []},
    ],
)  # fmt: skip
def test_a_damaged_one_is_counted_and_costs_itself(damaged: Any) -> None:
    found = upload(damaged, *events())
    assert [each.reason.value for each in found.rejected] == ["InvalidPlatformRecord"]
    assert [each.event_source for each in found.folded.invocations] == [""]


def test_a_function_that_writes_the_like_says_nothing() -> None:
    """In the JSON log format an object of its own is the record of its line."""
    line = {**event("function", END), "record": cause()}
    found = upload(line, *events())
    assert found.rejected == []
    assert [each.event_source for each in found.folded.invocations] == [""]
    assert len(found.logs.lines) == 3

"""What the layer reads of a function's events, and that the function gets them as they are."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from examples.lambda_layer import raymap_events
from examples.lambda_layer.raymap_events import Event, Events, Relay, read_answers, read_event
from tests.waiting import eventually

QUEUE = "arn:aws:sqs:eu-west-1:111122223333:reminders"
HEADER = "Root=1-6b061440-0000000000000000000000aa;Parent=00000000000000b1;Sampled=1"
OTHER = HEADER.replace("aa;", "bb;")
WRAPPER = Path(raymap_events.__file__).with_name("raymap-wrapper")
EVENT = b'{"Records": []}'


def message(header: str = HEADER, sent: int = 1_795_560_000_000, body: str = "{}") -> Any:
    """A message of a queue as AWS delivers it."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": str(sent)}
    return {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": attributes | ({"AWSTraceHeader": header} if header else {}),
        "messageAttributes": {"eventSourceARN": {"stringValue": "x", "dataType": "String"}},
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": "eu-west-1",
    }


def event(*records: Any) -> bytes:
    return json.dumps({"Records": records}).encode()


def read(content: bytes) -> Any:
    """What is read of an event that comes in parts."""
    retained = Event()
    for at in range(0, len(content), 60_000):
        retained.add(content[at : at + 60_000])
    return read_event(retained)


def entry(count: int, trace: str = HEADER, sent: int = 1_795_560_000_000) -> dict[str, Any]:
    return {"count": count, "trace": trace, "sent": sent}


@pytest.mark.parametrize("count", [1, 3, 10, 10_000])
def test_messages_of_one_sender_are_one_entry(count: int) -> None:
    records = [message(sent=1_795_560_000_000 + number) for number in range(count)]
    assert read(event(*records[::-1])) == (QUEUE, [entry(count)])


def test_messages_of_several_senders_and_of_none() -> None:
    records = [message(), message(OTHER), message(""), message(), message("x" * 501)]
    assert read(event(*records)) == (QUEUE, [entry(2), entry(1, OTHER), entry(2, "")])


def test_senders_are_bounded() -> None:
    records = [message(f"Root={number}") for number in range(10_000)]
    _, messages = read(event(*records))
    assert len(messages) == raymap_events.MAX_SENDERS + 1
    assert sum(each["count"] for each in messages) == 10_000


def test_of_an_event_that_is_too_large_nothing_is_retained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raymap_events, "MAX_EVENT", 5_000)
    events = Events()
    for number in range(9):
        retained = Event()
        retained.add(event(message()))
        events.add(str(number), retained)
        retained.add(b" " * 2_000)
    assert len(retained.content) == len(event(message())) + 2_000
    assert [number for number in range(9) if events.cause_of(str(number))] == [7, 8]
    retained.add(b" " * 5_000)
    retained.add(b" ")
    assert retained.content == b""


S3 = {"bucket": {"name": "uploads", "arn": "arn:aws:s3:::uploads"}, "object": {"key": "a.png"}}
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/stream/2026-11-24T22:40:00.000"
STREAM = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:alerts"
SENT = 1_795_560_000_000
AT = "2026-11-24T22:40:00.000Z"
KINESIS = {"eventSource": "aws:kinesis", "eventSourceARN": STREAM,
           "kinesis": {"data": "e30=", "approximateArrivalTimestamp": SENT / 1000}}  # fmt: skip
DYNAMODB = {"eventSource": "aws:dynamodb", "eventSourceARN": TABLE,
            "dynamodb": {"ApproximateCreationDateTime": SENT / 1000}}  # fmt: skip
BUS = {"version": "0", "detail-type": "OrderPlaced", "source": "shop", "account": "111122223333",
       "region": "eu-west-1", "time": "2026-11-24T22:40:00Z", "resources": [], "detail": {}}  # fmt: skip


def test_an_event_with_something_before_its_records() -> None:
    content = json.dumps({"dry": True, "Records": [message()] * 3}).encode()
    assert read(content) == (QUEUE, [entry(3)])


@pytest.mark.parametrize(
    ("content", "source"),
    [
        ({"Records": [KINESIS]}, STREAM),
        ({"Records": [DYNAMODB]}, TABLE),
        ({"Records": [{"eventSource": "aws:s3", "eventTime": AT, "s3": S3}]}, "arn:aws:s3:::uploads"),
        ({"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": TOPIC, "Timestamp": AT}}]}, TOPIC),
        (BUS, "arn:aws:events:eu-west-1:111122223333:event-bus"),
    ],
)  # fmt: skip
def test_other_sources(content: Any, source: str) -> None:
    assert read(json.dumps(content).encode()) == (source, [entry(1, "", SENT)])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"5", b"null", b'"text"', b"\xff", b'{"Records": []}', b'{"Records": 5}', b'{"Records": [5]}',
        b'{"Records": [{}]}', b'{"Records": null}', b'{"Records": [{"eventSource": "aws:sqs"}]}',
        b'{"Records": [{"eventSource": ["aws:sqs"]}]}', b'{"Records": [{"eventSource": "aws:s3", "s3": []}]}',
        event({**message(), "eventSourceARN": 5}), event({**message(), "attributes": {"SentTimestamp": "NaN"}}),
        event({**message(), "attributes": {"SentTimestamp": [5]}}), event({**message(), "attributes": 5}),
        event(message(), {**message(), "eventSourceARN": f"{QUEUE}-2"}), b'{"detail-type": "x"}', b"[" * 100_000,
        b'{"Records": [{"eventSource": "aws:kinesis", "eventSourceARN": "x", "kinesis": {"approximateArrivalTimestamp": 1e999}}]}',
        b'{"path": "/orders", "httpMethod": "GET"}',
    ],
)  # fmt: skip
def test_events_of_no_source_and_damaged_ones(content: bytes) -> None:
    events, retained = Events(), Event()
    retained.add(content)
    events.add("r", retained)
    cause = events.cause_of("r")
    assert cause is None or cause["messages"][0]["sent"] == 0
    assert events.cause_of("r") is None


def test_events_of_invocations_that_never_end_are_bounded() -> None:
    events = Events()
    for number in range(raymap_events.MAX_RETAINED + 1):
        retained = Event()
        retained.add(event(message()))
        events.add(str(number), retained)
    assert events.cause_of("0") is None
    assert events.cause_of("99") == {
        "requestId": "99",
        "source": QUEUE,
        "messages": [entry(1)],
    }


class Api:
    """A Runtime API that answers each connection's requests with given bytes."""

    def __init__(self, answer: Callable[[bytes, socket.socket], None]) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.posted = bytearray()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the other half is gone
            while head := connection.recv(65_536):
                self.posted += head
                self._answer(head, connection)


def next_event(content: bytes, request_id: str = "r", *, chunked: bool = False) -> bytes:
    """The answer of the Runtime API with an event."""
    head = b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: " + request_id.encode()
    if not chunked:
        return head + b"\r\nContent-Length: %d\r\n\r\n" % len(content) + content
    parts = [content[at : at + 1000] for at in range(0, len(content), 1000)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


def exchange(address: str, request: bytes, size: int) -> bytes:
    """The first bytes of an answer."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as stream:
            return stream.read(size)


GET = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [10, 100_000, 6_000_000])
def test_an_event_arrives_as_it_is(size: int, chunked: bool) -> None:
    number = size // 2000 + 1
    content = event(*[message(body="x" * 1000)] * number)
    answer = next_event(content, chunked=chunked)
    api = Api(lambda _, connection: connection.sendall(answer))
    events = Events()
    relay = Relay(api.address, events)
    assert exchange(relay.address, GET, len(answer)) == answer
    assert bytes(api.posted) == GET
    cause: Any = eventually(lambda: events.cause_of("r"))
    assert sum(each["count"] for each in cause["messages"]) == number


def test_a_slow_event_and_answers_one_after_the_other() -> None:
    """Each part arrives when it was sent, and events are recognized among other answers."""
    accepted = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nOK"
    answers = [next_event(event(message()), "one"), accepted, next_event(event(message(OTHER)), "two")]  # fmt: skip

    def slowly(_: bytes, connection: socket.socket) -> None:
        for byte in answers.pop(0):
            connection.sendall(bytes([byte]))

    events = Events()
    relay = Relay(Api(slowly).address, events)
    host, _, port = relay.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as runtime:
        for answer in tuple(answers):
            runtime.sendall(GET)
            got = b""
            while len(got) < len(answer):
                got += runtime.recv(65_536)
            assert got == answer
    for id, header in (("one", HEADER), ("two", OTHER)):
        cause: Any = eventually(partial(events.cause_of, id))
        assert cause["messages"] == [entry(1, header)]


def test_a_streamed_response_passes_as_it_comes() -> None:
    """The Runtime API gets each part before the next one is written."""
    api = Api(lambda head, connection: None)
    relay = Relay(api.address, Events())
    host, _, port = relay.address.rpartition(":")
    head = b"POST /response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = head
    with socket.create_connection((host, int(port))) as runtime:
        runtime.sendall(head)
        for number in range(20):
            part = b"4\r\n%04d\r\n" % number
            runtime.sendall(part)
            sent += part
            eventually(partial(lambda expected: bytes(api.posted) == expected, sent))


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc", b"\x00" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 300 + b"\r\n",
    ],
)  # fmt: skip
def test_answers_that_are_not_understood_pass_as_well(answer: bytes) -> None:
    relay = Relay(Api(lambda _, connection: connection.sendall(answer)).address, Events())
    assert exchange(relay.address, GET, len(answer)) == answer


def test_what_fails_while_reading_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Event, "add", broken)
    answer = next_event(event(message()))
    relay = Relay(Api(lambda _, connection: connection.sendall(answer)).address, Events())
    for _ in range(3):
        assert exchange(relay.address, GET, len(answer)) == answer


def test_a_connection_ends_as_its_other_half_does() -> None:
    relay = Relay(Api(lambda _, connection: connection.close()).address, Events())
    assert exchange(relay.address, GET, 1) == b""
    gone = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{gone.getsockname()[1]}"
    gone.close()
    with suppress(ConnectionResetError):
        assert exchange(Relay(address, Events()).address, GET, 1) == b""


@pytest.fixture
def wrapped(tmp_path: Path) -> Callable[..., str]:
    def run(**environ: str) -> str:
        """Where a runtime that the wrapper starts asks for events."""
        command = ["/bin/sh", str(WRAPPER), "/bin/sh", "-c", 'echo "$AWS_LAMBDA_RUNTIME_API $0 $1"', "a b", "c"]  # fmt: skip
        known = {"AWS_LAMBDA_RUNTIME_API": "lambda", "RAYMAP_LAMBDA_SPOOL": str(tmp_path)}
        return subprocess.run(
            command, env=known | environ, capture_output=True, text=True, check=True
        ).stdout.strip()

    return run


def test_the_wrapper_sends_the_runtime_to_the_relay(
    wrapped: Callable[..., str], tmp_path: Path
) -> None:
    relay = Relay("127.0.0.1:1", Events())
    relay.announce(str(tmp_path))
    assert wrapped() == f"{relay.address} a b c"
    other = tmp_path / "other wrapper"
    other.write_text('#!/bin/sh\nexec "$@" and on\n')
    other.chmod(0o755)
    assert wrapped(RAYMAP_LAMBDA_EXEC_WRAPPER=str(other)) == f"{relay.address} a b c"


@pytest.mark.parametrize("content", [None, "", "127.0.0.1:1 0100007F:0001\n", "\x00\xff", "one\n"])
def test_without_a_relay_the_runtime_asks_lambda(
    wrapped: Callable[..., str], tmp_path: Path, content: str | None
) -> None:
    """No extension, one that ended, or what another program left."""
    if content is not None:
        (tmp_path / "runtime-api").write_text(content)
    assert wrapped() == "lambda a b c"


def test_reading_answers_ends_with_them() -> None:
    retained: list[str] = []
    content = next_event(b"{}") + b"HTTP/1.1 100 Continue\r\n\r\n" + next_event(b"{}", "s")
    with pytest.raises(StopIteration):
        read_answers(
            [content[:50], content[50:51], content[51:]], lambda id, _: retained.append(id)
        )
    assert retained == ["r", "s"]


def test_reading_a_large_event_takes_little_time() -> None:
    content = event(*[message()] * 10_000)
    start = time.process_time()
    read(content)
    assert time.process_time() - start < 5

"""What the events of a Lambda function came from: a relay between the function's runtime and the Runtime API.

Part of the extension `raymap_lambda`, in its process. The script ``raymap-wrapper`` points the runtime at it. The
relay copies bytes both ways as they come and changes none of them; beside that it reads the answers of the
Runtime API, of which one that has a request id is an event. At most `MAX_EVENT` bytes of an event are retained, and
read once the invocation has ended. Whatever is not understood is copied all the same.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes as long as everything else
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Json = dict[str, Any]

MAX_EVENT = 8 << 20
"""Bytes of the events that are retained, and of one: Lambda's largest has 6 MB."""
MAX_RETAINED = 100
"""Events of invocations that have not ended. Lambda gives most environments one at a time."""
MAX_HEADER = 65_536
MAX_SENDERS = 99
"""Different senders of the messages in an event; the messages of others count without theirs."""
MAX_TRACE_HEADER = 500
"""Characters; the sender of a message writes it."""
LATEST = 253_402_300_800_000
"""Milliseconds: year 10000."""
CHUNK = 65_536
ADDRESS = "runtime-api"
"""The file in the spool's folder that says where the relay listens."""


class Event:
    """An event as it passes by; of one that is too large nothing is retained."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._too_large = False

    def add(self, part: bytes) -> None:
        """Take the next bytes."""
        if len(self.content) + len(part) > MAX_EVENT:
            self._too_large = True
        if self._too_large:
            self.content.clear()
        else:
            self.content += part


class Events:
    """The events of invocations that have not ended, by request id."""

    def __init__(self) -> None:
        self._retained: dict[str, Event] = {}
        self._lock = threading.Lock()

    def add(self, request_id: str, event: Event) -> None:
        """Keep an event, and no longer the oldest of too many."""
        with self._lock:
            self._retained[request_id] = event
            while self._are_too_many():
                del self._retained[next(iter(self._retained))]

    def _are_too_many(self) -> bool:
        size = sum(len(each.content) for each in self._retained.values())
        return size > MAX_EVENT or len(self._retained) > MAX_RETAINED

    def cause_of(self, request_id: object) -> Json | None:
        """What the event of a request came from, as it is sent to Raymap; None if from no event source. Once."""
        with self._lock:
            event = self._retained.pop(request_id, None)  # type: ignore[call-overload]
        if event is None:
            return None
        try:
            source, messages = read_event(event)
        except Exception:
            return None  # an event of another kind
        return {"requestId": request_id, "source": source, "messages": messages}


def read_event(event: Event) -> tuple[str, list[Json]]:
    """The ARN of an event's source, and its messages: those of one sender are one entry, with their number and when
    the first was sent. Raises ValueError and the like for an event from elsewhere."""
    source = ""
    senders: dict[str, tuple[int, int]] = {}
    for record in _records(event.content.decode()):
        arn, header, sent = read_record(record)
        if source and arn != source:
            raise ValueError("of several sources")
        source = arn
        if header not in senders and len(senders) >= MAX_SENDERS:
            header = ""
        count, first = senders.get(header, (0, 0))
        senders[header] = (count + 1, min(filter(None, (first, sent)), default=0))
    if not source:
        raise ValueError("no record")
    return source, [
        {"count": count, "trace": header, "sent": sent} for header, (count, sent) in senders.items()
    ]


def _records(text: str) -> Iterator[Any]:
    """The records of an event, one at a time: of 10,000 of them the objects take ten times as much memory as the text."""
    import json
    import re

    found = re.match(r'\s*\{\s*"Records"\s*:\s*\[\s*', text)
    if found is None:
        content = json.loads(text)
        yield from content.get("Records", [content])
        return
    decoder, separator, at = json.JSONDecoder(), re.compile(r"[\s,]*"), found.end()
    while text[at : at + 1] != "]":
        record, at = decoder.raw_decode(text, at)
        yield record
        at = separator.match(text, at).end()  # type: ignore[union-attr]


def read_record(record: Any) -> tuple[str, str, int]:
    """The ARN of what a record came from, its trace header, and when it was sent (milliseconds); '' and 0 if unknown."""
    kind = record.get("eventSource") or record.get("EventSource")
    reader = READERS.get(kind)
    if reader is None:
        if "detail-type" not in record:
            raise ValueError("not of an event source")
        return _of_bus(record)
    arn, header, sent = reader(record)
    if not isinstance(arn, str) or not isinstance(header, str):
        raise ValueError("not as AWS writes it")
    known = 0 <= sent < LATEST
    return arn, header if len(header) <= MAX_TRACE_HEADER else "", int(sent) if known else 0


def _of_queue(record: Json) -> tuple[Any, Any, float]:
    attributes = record.get("attributes") or {}
    header = attributes.get("AWSTraceHeader", "")
    return record["eventSourceARN"], header, float(attributes.get("SentTimestamp", 0))


def _of_topic(record: Json) -> tuple[Any, Any, float]:
    return record["Sns"]["TopicArn"], "", _milliseconds(record["Sns"].get("Timestamp"))


def _of_kinesis(record: Json) -> tuple[Any, Any, float]:
    arrived = record["kinesis"].get("approximateArrivalTimestamp", 0)
    return record["eventSourceARN"], "", float(arrived) * 1000


def _of_table(record: Json) -> tuple[Any, Any, float]:
    created = record["dynamodb"].get("ApproximateCreationDateTime", 0)
    return record["eventSourceARN"], "", float(created) * 1000


def _of_bucket(record: Json) -> tuple[Any, Any, float]:
    return record["s3"]["bucket"]["arn"], "", _milliseconds(record.get("eventTime"))


def _of_bus(record: Json) -> tuple[str, str, int]:
    """EventBridge's events do not say which bus they came over."""
    place = f"{record['region']}:{record['account']}"
    return f"arn:aws:events:{place}:event-bus", "", int(_milliseconds(record.get("time")))


def _milliseconds(text: object) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp() * 1000
    except ValueError:
        return 0.0


READERS: dict[object, Callable[[Json], tuple[Any, Any, float]]] = {
    "aws:sqs": _of_queue,
    "aws:sns": _of_topic,
    "aws:kinesis": _of_kinesis,
    "aws:dynamodb": _of_table,
    "aws:s3": _of_bucket,
}
"""By what a record says it is from; EventBridge's event has ``detail-type`` instead."""


def read_answers(chunks: Iterable[bytes], keep: Callable[[str, Event], None]) -> None:
    """Read the answers of the Runtime API as they pass by, and keep the events among them. Raises ValueError for
    what is not HTTP as the Runtime API speaks it."""
    reader = _Reader(iter(chunks))
    while True:
        status, headers = reader.head()
        request_id = headers.get(b"lambda-runtime-aws-request-id", b"").decode("latin-1")
        event = Event() if request_id and status == 200 else None
        take = event.add if event else None
        if b"chunked" in headers.get(b"transfer-encoding", b"").lower():
            while size := int(reader.line().partition(b";")[0], 16):
                reader.body(size, take)
                reader.line()
            while reader.line():
                pass  # trailers
        elif b"content-length" in headers:
            reader.body(int(headers[b"content-length"]), take)
        elif status >= 200 and status not in (204, 304):
            raise ValueError("a body without an end")
        if event:
            keep(request_id, event)


class _Reader:
    """Bytes that come in chunks. StopIteration at their end."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def line(self) -> bytes:
        while (end := self._rest.find(b"\n")) < 0:
            if len(self._rest) > MAX_HEADER:
                raise ValueError("a line without an end")
            self._rest += next(self._chunks)
        line, self._rest = self._rest[:end], self._rest[end + 1 :]
        return line.rstrip(b"\r")

    def head(self) -> tuple[int, dict[bytes, bytes]]:
        status = int(self.line().split(b" ", 2)[1])
        headers: dict[bytes, bytes] = {}
        while line := self.line():
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
            if len(headers) > 200:
                raise ValueError("headers without an end")
        return status, headers

    def body(self, size: int, take: Callable[[bytes], None] | None) -> None:
        while size > 0:
            part = self._rest or next(self._chunks)
            if take:
                take(part[:size])
            self._rest = part[size:]
            size -= min(size, len(part))


class Relay:
    """Listens where the runtime believes the Runtime API to be."""

    def __init__(self, api: str, events: Events) -> None:
        host, _, port = api.rpartition(":")
        self._api = (host, int(port))
        self._events = events
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def announce(self, folder: str) -> None:
        """Let ``raymap-wrapper`` know: the address, also as /proc/net/tcp has it."""
        path = os.path.join(folder, ADDRESS)
        port = int(self.address.rpartition(":")[2])
        with open(f"{path}.new", "w", encoding="ascii") as file:
            file.write(f"{self.address} 0100007F:{port:04X}\n")
        os.replace(f"{path}.new", path)

    def _accept(self) -> None:
        while True:
            runtime, _ = self._listener.accept()
            threading.Thread(target=self._connect, args=(runtime,), daemon=True).start()

    def _connect(self, runtime: socket.socket) -> None:
        try:
            api = socket.create_connection(self._api)
        except OSError:
            runtime.close()
            return
        for each in (runtime, api):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_copy_all, args=(runtime, api), daemon=True).start()
        answers = _copy(api, runtime)
        with suppress(Exception):  # what is not understood, and the end
            read_answers(answers, self._events.add)
        for _ in answers:
            pass
        for each in (runtime, api):
            each.close()


def _copy(source: socket.socket, target: socket.socket) -> Iterator[bytes]:
    """The bytes from one to the other, each part once it has been sent on."""
    with suppress(OSError):  # one of the two is gone, and so is the other then
        while part := source.recv(CHUNK):
            target.sendall(part)
            yield part
    for each, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with suppress(OSError):
            each.shutdown(how)


def _copy_all(source: socket.socket, target: socket.socket) -> None:
    for _ in _copy(source, target):
        pass

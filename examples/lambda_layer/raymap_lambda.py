"""The extension ``raymap-lambda``: sends the traces of a Lambda function to Raymap. Python alone.

It runs beside the function (docs/lambda.md). The X-Ray SDK's datagrams come to 127.0.0.1:2000, the
platform's records and the function's log lines by the Telemetry API. All are appended to a spool in /tmp as they come, and posted
from there to ``RAYMAP_URL/lambda/telemetry``; a file is deleted when Raymap has answered 200. So what
was received outlives this process: after a crash of the environment the next one sends it. Sending
anything twice changes nothing.

Runs before the function does: what only sending and receiving need is imported then.

``RAYMAP_URL``: of the server. ``RAYMAP_KEY``: its ``RAYMAP_LAMBDA_KEY``. ``RAYMAP_LAMBDA_SPOOL``: the
folder. ``RAYMAP_LAMBDA_LISTEN``: where datagrams come to. ``RAYMAP_LAMBDA_FORWARD``: a daemon that gets
them as well (``169.254.100.1:2000`` is X-Ray's, in Lambda). ``RAYMAP_LAMBDA_LOGS``: ``off``
leaves the log lines alone. ``RAYMAP_LAMBDA_EVENTS``: ``off`` leaves the function's events alone (`raymap_events`).
``RAYMAP_LAMBDA_TELEMETRY_API``, ``RAYMAP_LAMBDA_RUNTIME_API``: other ones than Lambda's, for emulators.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes as long as everything else
    from typing import Any

NAME = "raymap-lambda"
LISTEN = "127.0.0.1:2000"
MAX_DATAGRAM = 65_536
MAX_FILE = 4 << 20
"""Bytes of a file of the spool, and so of a request: Raymap accepts 32 MiB."""
MAX_SPOOL = 64 << 20
"""Bytes that may wait. Beyond, the oldest are dropped: /tmp has 512 MiB that belong to the function."""
MAX_OPEN = 1_000
"""Invocations without a report whose start is remembered."""
SEND_TIMEOUT = 2.0
"""Seconds: SHUTDOWN leaves two."""
LINGER = 1.0
"""Seconds between two requests while an invocation runs."""
LAST_RECORDS = 0.3
"""Seconds at SHUTDOWN for the platform's last records to arrive."""
MAX_LINE = 16_384
"""Characters of a log line; Raymap stores half of it."""
RECEIVED = ("platform.initStart", "platform.start", "platform.report", "function")

environ = os.environ


def sends_lines() -> bool:
    """Whether the function's log lines are sent as well."""
    return environ.get("RAYMAP_LAMBDA_LOGS") != "off"


class Spool:
    """Lines in files that are sent whole, oldest first. The lock is that of all threads."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._file: Any = None
        self._size = 0
        self.dropped = 0
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._next = max([int(name) for name in self._names()], default=0) + 1

    def _names(self) -> list[str]:
        return sorted(name for name in os.listdir(self._folder) if name.isdecimal())

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def add(self, *lines: str) -> None:
        """Append, so that the lines outlive this process."""
        content = "".join(line + "\n" for line in lines).encode()
        with self._lock:
            if self._file is None:
                self._file = open(self._path(f"{self._next:012d}"), "ab", buffering=0)  # noqa: SIM115
                self._next += 1
                self._size = 0
            self._file.write(content)
            self._size += len(content)
            if self._size >= MAX_FILE:
                self._cut()

    def _cut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        names = self._names()
        sizes = {name: os.path.getsize(self._path(name)) for name in names}
        while sum(sizes.values()) > MAX_SPOOL and len(sizes) > 1:
            oldest = min(sizes)
            del sizes[oldest]
            os.unlink(self._path(oldest))
            self.dropped += 1

    def pending(self) -> list[str]:
        """The files to send; later lines go to another one."""
        with self._lock:
            self._cut()
            return [self._path(name) for name in self._names()]


def read_spooled(path: str) -> tuple[list[object], list[str]]:
    """The events and the documents in a file; a line that was cut off by a crash is left out."""
    import json

    events: list[object] = []
    documents: list[str] = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                kind, content = json.loads(line)
            except ValueError:
                continue
            (documents if kind == "document" else events).append(content)
    return events, documents


class Records:
    """The platform's events, of which two kinds are needed, and the function's lines. A start is
    repeated beside its report, and a line has the id of its request, since all of them may be sent in
    different requests, of which Raymap remembers nothing. So is what the event came from (`raymap_events`)."""

    def __init__(self, spool: Spool, events: Any = None) -> None:
        self._spool = spool
        self._events = events
        self._started: dict[object, object] = {}
        self._request: object = None

    def add(self, events: object) -> None:
        import json

        lines = []
        for event in events if isinstance(events, list) else []:
            if not isinstance(event, dict) or event.get("type") not in RECEIVED:
                continue
            record = event.get("record")
            if event["type"] == "function":
                if isinstance(record, str):
                    event["record"] = record[:MAX_LINE]
                lines.append(json.dumps(["event", {**event, "requestId": self._request}]))
                continue
            if event["type"] == "platform.initStart":
                if sends_lines():  # it names the runtime, whose lines say that a handler failed
                    lines.append(json.dumps(["event", event]))
                continue
            request_id = record.get("requestId") if isinstance(record, dict) else None
            if event["type"] == "platform.start":
                if len(self._started) >= MAX_OPEN:
                    self._started.clear()
                self._started[request_id] = event
                self._request = request_id
                continue
            self._request = None
            start = self._started.pop(request_id, None)
            cause = self._events and self._events.cause_of(request_id)
            own = cause and {"time": event.get("time"), "type": "raymap.event", "record": cause}
            lines += [json.dumps(["event", each]) for each in (start, own, event) if each]
        if lines:
            self._spool.add(*lines)


def receive_datagrams(listener: socket.socket, spool: Spool) -> None:
    """Documents of the SDK, for ever."""
    import json

    forward = _address(environ.get("RAYMAP_LAMBDA_FORWARD", ""))
    while True:
        datagram = listener.recv(MAX_DATAGRAM)
        if forward:
            listener.sendto(datagram, forward)
        _, _, document = datagram.partition(b"\n")
        if document:
            spool.add(json.dumps(["document", document.decode("utf-8", "replace")]))


def _address(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    return (host, int(port)) if port.isdecimal() else None


def receive_telemetry(listener: socket.socket, records: Records) -> None:
    """Requests of the Telemetry API, for ever. Each is answered once it is spooled: Lambda repeats
    what was not."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, records), daemon=True).start()


def _serve(connection: socket.socket, records: Records) -> None:
    import json

    with connection, connection.makefile("rb") as stream:
        while True:
            length = _content_length(stream)
            if length is None:
                return
            body = stream.read(length)
            try:
                records.add(json.loads(body or b"[]"))
                status = "200 OK"
            except (ValueError, OSError):
                status = "500 Internal Server Error"
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


def _content_length(stream: Any) -> int | None:
    """Of the request that follows; None at the end of the connection."""
    if not stream.readline(65_537):
        return None
    length = 0
    while True:
        name, _, value = stream.readline(65_537).partition(b":")
        if not name.strip():
            return length
        if name.strip().lower() == b"content-length":
            length = int(value)


class Sender:
    """Posts the files of the spool. One at a time, from whichever thread."""

    def __init__(self, spool: Spool, registered: bytes) -> None:
        self._spool = spool
        self._registered = registered
        self._lock = threading.Lock()
        self._connection: Any = None

    def send(self) -> bool:
        """All that waits; False as soon as Raymap does not take it."""
        with self._lock:
            return all(self._send(path) for path in self._spool.pending())

    def _send(self, path: str) -> bool:
        import gzip
        import json

        events, documents = read_spooled(path)
        if events or documents:
            function = about(self._registered)
            content = {"function": function, "events": events, "documents": documents}
            body = gzip.compress(json.dumps(content).encode(), 1)
            status = self._post(body)
            if status != 200:
                say(f"Raymap answered {status}: {os.path.basename(path)} stays in the spool")
                # A request that is no good would be none the next time; the rest goes on.
                if status not in (400, 413):
                    return False
        os.unlink(path)
        return True

    def _post(self, body: bytes) -> object:
        import http.client
        from urllib.parse import urlsplit

        url = urlsplit(environ.get("RAYMAP_URL", ""))
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "X-Api-Key": environ.get("RAYMAP_KEY", ""),
        }
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        for _ in range(2):  # a connection that was idle for long is closed
            try:
                connection = self._connection or kind(url.netloc, timeout=SEND_TIMEOUT)
                self._connection = connection
                connection.request(
                    "POST", url.path.rstrip("/") + "/lambda/telemetry", body, headers
                )
                response = connection.getresponse()
                response.read()
                return response.status
            except (OSError, http.client.HTTPException) as error:
                self._connection = None
                failure = error
        return f"nothing ({failure})"


class Extensions:
    """Lambda's Extensions API and Telemetry API, by hand: their client is at hand before the
    function starts, and http.client is not."""

    def __init__(self) -> None:
        self._host = environ["AWS_LAMBDA_RUNTIME_API"]
        self._id = ""

    def register(self) -> bytes:
        """Returns what Lambda says of the function (`about`)."""
        headers = {
            "Lambda-Extension-Name": NAME,
            "Lambda-Extension-Accept-Feature": "accountId",
        }
        status, found, answer = _request(
            self._host,
            "POST",
            "/2020-01-01/extension/register",
            headers,
            b'{"events": ["INVOKE", "SHUTDOWN"]}',
        )
        _require(status, "register", answer)
        self._id = found["lambda-extension-identifier"]
        return answer

    def subscribe(self, port: int) -> None:
        """The platform's records and the function's lines, to a port here."""
        lines = ', "function"' if sends_lines() else ""
        types = '"platform"' + lines
        body = (
            f'{{"schemaVersion": "2022-12-13", "types": [{types}], '
            '"buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25}, '
            f'"destination": {{"protocol": "HTTP", "URI": "http://sandbox.localdomain:{port}"}}}}'
        )
        host = environ.get("RAYMAP_LAMBDA_TELEMETRY_API", self._host)
        headers = {"Lambda-Extension-Identifier": self._id}
        status, _, answer = _request(host, "PUT", "/2022-07-01/telemetry", headers, body.encode())
        if status != 200:
            say(f"no platform records: {status} {answer!r:.200}")

    def next(self) -> Any:
        """Wait for the next event; the environment may be frozen meanwhile."""
        headers = {"Lambda-Extension-Identifier": self._id}
        status, _, answer = _request(self._host, "GET", "/2020-01-01/extension/event/next", headers)
        _require(status, "the next event", answer)
        import json

        return json.loads(answer)


def _require(status: int, what: str, answer: bytes) -> None:
    if status != 200:
        raise RuntimeError(f"{what}: {status} {answer!r:.200}")


def about(registered: bytes) -> dict[str, object]:
    """The function, as it is uploaded."""
    import json

    answer = json.loads(registered)
    return {
        "name": answer.get("functionName"),
        "version": answer.get("functionVersion"),
        "account": answer.get("accountId"),
        "region": environ.get("AWS_REGION"),
        "log_group": environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
        "log_stream": environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
    }


def _request(
    host: str, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a response."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
    name, _, port = host.rpartition(":")
    with socket.create_connection((name, int(port))) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        with connection.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            found = {}
            while line := stream.readline().strip():
                key, _, value = line.decode("latin-1").partition(":")
                found[key.lower()] = value.strip()
            length = found.get("content-length")
            return status, found, stream.read(int(length)) if length else stream.read()


def say(message: str) -> None:
    """A line in the function's log."""
    print(f"{NAME}: {message}", file=sys.stderr, flush=True)


def watch_events(folder: str) -> Any:
    """The events of the function, once the wrapper has sent its runtime through here. Whatever goes wrong with it,
    the runtime asks Lambda itself."""
    if environ.get("RAYMAP_LAMBDA_EVENTS") == "off":
        return None
    try:
        sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
        import raymap_events  # type: ignore[import-not-found]

        api = environ.get("RAYMAP_LAMBDA_RUNTIME_API", environ["AWS_LAMBDA_RUNTIME_API"])
        events = raymap_events.Events()
        raymap_events.Relay(api, events).announce(folder)
        return events
    except Exception as error:
        say(f"events are not read: {error!r:.200}")
        return None


def run() -> None:
    """Until SHUTDOWN."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(_address(environ.get("RAYMAP_LAMBDA_LISTEN", LISTEN)) or ("127.0.0.1", 0))
    telemetry = socket.create_server(("", 0))
    folder = environ.get("RAYMAP_LAMBDA_SPOOL", "/tmp/raymap-lambda")
    spool = Spool(folder)
    records = Records(spool, watch_events(folder))
    for target, listener, sink in (
        (receive_datagrams, datagrams, spool),
        (receive_telemetry, telemetry, records),
    ):
        threading.Thread(target=target, args=(listener, sink), daemon=True).start()
    lambda_api = Extensions()
    registered = lambda_api.register()
    lambda_api.subscribe(telemetry.getsockname()[1])
    sender = Sender(spool, registered)
    busy = threading.Event()
    threading.Thread(target=_keep_sending, args=(sender, busy), daemon=True).start()
    while lambda_api.next().get("eventType") != "SHUTDOWN":
        busy.set()
    _finish(sender)


def _keep_sending(sender: Sender, busy: threading.Event) -> None:
    """From the beginning of an invocation on: what the one before left, and what comes meanwhile."""
    while True:
        busy.wait()
        busy.clear()
        sender.send()
        time.sleep(LINGER)
        sender.send()


def _finish(sender: Sender) -> None:
    time.sleep(LAST_RECORDS)
    if not sender.send():
        say("some records stay in the spool")


if __name__ == "__main__":
    run()

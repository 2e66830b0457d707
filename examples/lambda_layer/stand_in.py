"""A stand-in for the parts of Lambda that an extension speaks with: Extensions API, Telemetry API.

The paths, headers and bodies are Lambda's. For tests, and beside AWS's emulator, which has the
Extensions API and answers that the Telemetry API is not supported.
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FUNCTION = {"functionName": "checkout", "functionVersion": "42", "accountId": "111122223333"}


class Platform:
    """Serves on a free port until `close`."""

    def __init__(self) -> None:
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        """What the extension's next requests are answered with."""
        self.waiting = threading.Semaphore(0)
        """Released each time that the extension asks for the next event."""
        self.subscription: dict[str, Any] | None = None
        handler = type("Handler", (_Handler,), {"platform": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def invoke(self, request_id: str) -> None:
        """Let the extension know of an invocation."""
        self.events.put({"eventType": "INVOKE", "requestId": request_id, "deadlineMs": 0})

    def shut_down(self) -> None:
        """Let the extension finish."""
        self.events.put({"eventType": "SHUTDOWN", "shutdownReason": "spindown"})

    def emit(self, *events: dict[str, Any]) -> int:
        """Deliver events of the Telemetry API to the subscriber; the status it answered with."""
        assert self.subscription is not None
        port = int(self.subscription["destination"]["URI"].rpartition(":")[2])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/", json.dumps(events))
        status = connection.getresponse().status
        connection.close()
        return status

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    platform: Platform
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        # Of its own: a request of one that was killed still waits at the other.
        self.platform.events = queue.Queue()
        self._answer(FUNCTION, {"Lambda-Extension-Identifier": "extension-1"})

    def do_PUT(self) -> None:
        self.platform.subscription = self._body()
        self._answer("OK")

    def do_GET(self) -> None:
        self.platform.waiting.release()
        self._answer(self.platform.events.get())

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, content: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""


class RuntimeApi:
    """The emulator's Runtime API, with the trace header that Lambda adds and the emulator leaves out."""

    def __init__(self, emulator: str) -> None:
        self.headers: dict[str, str] = {}
        """The trace header of each request id."""
        handler = type("Handler", (_Forwarder,), {"api": self, "emulator": emulator})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        self.address = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()


class _Forwarder(BaseHTTPRequestHandler):
    api: RuntimeApi
    emulator: str
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else 40 ms of each answer are waiting

    def handle(self) -> None:
        with suppress(ConnectionError):  # the function was stopped
            super().handle()

    def do_GET(self) -> None:
        self._forward(None)

    def do_POST(self) -> None:
        self._forward(self._read())

    def _read(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _forward(self, body: bytes | None) -> None:
        connection = http.client.HTTPConnection(self.emulator)
        left_out = ("host", "transfer-encoding", "content-length", "expect")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in left_out}
        try:
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):  # the emulator was stopped
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "date"):
                self.send_header(name, value)
        request_id = response.getheader("Lambda-Runtime-Aws-Request-Id", "")
        if header := self.api.headers.get(request_id):
            self.send_header("Lambda-Runtime-Trace-Id", header)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""


def platform_event(type: str, at: float, **record: Any) -> dict[str, Any]:
    """An event of the Telemetry API. ``at``: epoch seconds."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {"time": moment.replace("+00:00", "Z"), "type": type, "record": record}

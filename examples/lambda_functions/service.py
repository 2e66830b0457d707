"""Lambda's Invoke in front of the emulator, so that a client with an AWS SDK calls a function by its name.

The emulator has one function of another name, answers without a request id and writes no records. Here
a request gets one, the trace header goes on to the function, and the platform's records go to the extension.
"""

from __future__ import annotations

import json
import uuid
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from examples.in_thread import running
from examples.lambda_layer.emulate import Function, Invoked, Records
from examples.lambda_layer.stand_in import Platform


class LambdaService:
    """The service, for one function."""

    def __init__(self, function: Function, platform: Platform) -> None:
        self._function, self._platform = function, platform
        self.invoked: list[Invoked] = []

    def invoke(self, event: dict[str, Any], header: str) -> tuple[str, Any]:
        """The request id and what the function answered. ``header``: the caller's trace header."""
        request_id = str(uuid.uuid4())
        root = dict(part.split("=", 1) for part in header.split(";"))["Root"]
        records = Records(request_id, root)
        answer = self._function.invoke(event, records.header, request_id)
        if failed(answer) and not event.get("fail"):
            raise RuntimeError(f"the function answered {answer}")
        own, line, end = self._function.report_of(request_id)
        self._platform.emit(*records.events(own, line, round(end, 3)))
        self.invoked.append(Invoked(root, request_id, failed(answer), tuple(own)))
        return request_id, answer


def failed(answer: Any) -> bool:
    """Whether the function raised."""
    return isinstance(answer, dict) and "errorMessage" in answer


def serving(service: LambdaService) -> AbstractContextManager[str]:
    """The service's URL while it runs."""
    handler = type("Handler", (_Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    return running(server)


class _Handler(BaseHTTPRequestHandler):
    service: LambdaService
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            request_id, answer = self.service.invoke(event, self.headers["X-Amzn-Trace-Id"])
        except (RuntimeError, ValueError) as error:
            self._answer(500, {"message": str(error)}, {"x-amzn-ErrorType": "ServiceException"})
            return
        headers = {"x-amzn-RequestId": request_id}
        if failed(answer):
            headers["X-Amz-Function-Error"] = "Unhandled"
        self._answer(200, answer, headers)

    def _answer(self, status: int, content: object, headers: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

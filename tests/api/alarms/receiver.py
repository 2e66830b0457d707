"""A webhook receiver: a real HTTP server that notes what it gets and answers as it is set."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Answers ``status`` with ``extra`` headers; drips its answer where it is ``slow``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook?a=b"
        self.received: list[Received] = []
        self.status = 204
        self.extra: dict[str, str] = {}
        self.slow = False
        self.stop = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        server.received.append(Received(self.path, dict(self.headers), body))
        if server.slow:
            while not server.stop.wait(0.02):
                self.wfile.write(b"x")
            return
        self.send_response(server.status)
        for name, value in server.extra.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"secret of the receiver" * 1000)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A running one."""
    with Receiver() as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.stop.set()
            server.shutdown()
            thread.join()

"""Commands send the key in RAYMAP_TOKEN."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from raymap.commands import import_traces, journal
from raymap.commands.credentials import VARIABLE


@pytest.fixture
def seen() -> Iterator[tuple[str, list[str | None]]]:
    """A server's address, and the Authorization of each request to it."""
    headers: list[str | None] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            headers.append(self.headers.get("Authorization"))
            body = json.dumps({"stored": 0, "rejected": []}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", headers
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("token", "sent"), [("rmk_a", "Bearer rmk_a"), ("", None)])
def test_the_token_is_sent(
    seen: tuple[str, list[str | None]],
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    sent: str | None,
) -> None:
    address, headers = seen
    monkeypatch.setenv(VARIABLE, token)
    import_traces.post(address, b"[]")
    journal._post(f"{address}/v1/traces", "application/json", b"{}")
    assert headers == [sent, sent]

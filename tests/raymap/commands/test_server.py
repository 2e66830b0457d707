"""Commands send the key in RAYMAP_TOKEN, and say what a server refuses and why."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from raymap.commands import server as module
from raymap.commands.server import TOKEN, Refused, get_json, post
from raymap.errors import CommandError


class Answering:
    """A server's address, the Authorization of each request to it, and its next answers."""

    def __init__(self) -> None:
        self.headers: list[str | None] = []
        self.answers: list[tuple[int, bytes]] = []
        self.address = ""


@pytest.fixture
def seen() -> Iterator[Answering]:
    """200 with an empty outcome, unless the test has other answers."""
    state = Answering()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def do_GET(self) -> None:
            state.headers.append(self.headers.get("Authorization"))
            usual = 200, json.dumps({"stored": 0, "rejected": []}).encode()
            status, body = state.answers.pop(0) if state.answers else usual
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.address = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("token", "sent"), [("rmk_a", "Bearer rmk_a"), ("", None)])
def test_the_token_is_sent(
    seen: Answering, monkeypatch: pytest.MonkeyPatch, token: str, sent: str | None
) -> None:
    monkeypatch.setenv(TOKEN, token)
    post(seen.address, "/api/traces", b"[]")
    assert get_json(seen.address, "/api/v1/logs", {"limit": 1}) == {"stored": 0, "rejected": []}
    assert seen.headers == [sent, sent]


def test_a_server_without_room_gets_it_again(
    seen: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as documents are worth waiting for; what it refuses for good, once."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    seen.answers += [(503, b""), (503, b""), (200, b"done")]
    assert post(seen.address, "/v1/traces", b"{}") == b"done"
    seen.answers.append((400, b'{"error": {"message": "too old"}}'))
    with pytest.raises(Refused, match=r"refused the request: too old \(HTTP 400\)$"):
        post(seen.address, "/v1/traces", b"{}")
    monkeypatch.setattr(module, "RETRY_FOR", 0.0)
    seen.answers.append((503, b""))
    with pytest.raises(Refused, match=r"Service Unavailable \(HTTP 503\)"):
        post(seen.address, "/v1/traces", b"{}")
    assert len(seen.headers) == 5


@pytest.mark.parametrize(
    ("to", "says"),
    [
        (
            "127.0.0.1:9",
            r"^No Raymap answers at 127\.0\.0\.1:9 \(Connection refused\): .* --url\.$",
        ),
        ("http://127.0.0.1:x", "is no Raymap's HTTP port: name another with --url"),
    ],
)
def test_no_server(to: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        get_json(to, "/", {})


def test_another_server(seen: Answering) -> None:
    seen.answers.append((200, b"<html>"))
    with pytest.raises(CommandError, match="is no Raymap's HTTP port"):
        get_json(seen.address, "/", {})

"""Apps behind a real HTTP server in this process. Servers are used again by later tests, as a start
and an orderly end take longer than most tests that need one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

START_SECONDS = 60.0


class _Server(uvicorn.Server):
    """Runs until the process ends and sends requests to ``app``."""

    def __init__(self) -> None:
        self.app: Any = None
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._ready = threading.Event()
        super().__init__(
            uvicorn.Config(self._call, interface="asgi3", log_config=None, lifespan="off")
        )
        self.thread = threading.Thread(
            target=self.run, kwargs={"sockets": [listener]}, name="http-server", daemon=True
        )
        self.thread.start()
        assert self._ready.wait(START_SECONDS), "the server did not start"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def _call(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


_idle: list[_Server] = []


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """The URL at which an ASGI app is served; it gets no lifespan events."""
    server = _idle.pop() if _idle else _Server()
    assert server.thread.is_alive(), "the server has ended"
    server.app = app
    try:
        yield server.url
    finally:
        _idle.append(server)

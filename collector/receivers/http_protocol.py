"""uvicorn's HTTP protocol with limits on headers, and quiet when clients disconnect early.

httptools bounds neither the size of a request's headers nor the time until they are complete.
"""

from __future__ import annotations

import logging
from asyncio import Transport
from asyncio.events import TimerHandle
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from collector.log_limiter import LogLimiter

MAX_HEADERS = 64 << 10
"""Bytes of a request's first line and headers."""
HEADER_TIMEOUT = 10.0
"""Seconds from a request's first byte until its headers are complete."""
IDLE_TIMEOUT = 75.0
"""Seconds until the first byte of a connection's first request."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. A request with too large headers is answered 431, with slow ones 408."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: TimerHandle | None = None
        self._in_headers = False
        self._parsed_bytes = 0
        """Bytes of the first line and the complete headers of the current request."""
        self._unparsed_bytes = 0
        """Bytes of chunks that left the headers incomplete."""
        self._too_large = False
        self._running: Any = None
        self.logger = _Bounded(self)  # type: ignore[assignment]

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer(IDLE_TIMEOUT)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        # uvicorn notifies the latest request only; earlier pipelined ones would write to a closed
        # transport, which raises.
        for cycle in [self._running, *(cycle for cycle, _ in self.pipeline)]:
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_headers and not self.transport.is_closing():
            self._unparsed_bytes += len(data)
            if self._unparsed_bytes > MAX_HEADERS:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_headers = True
        self._parsed_bytes = self._unparsed_bytes = 0
        self._start_timer(HEADER_TIMEOUT)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value) + len(": \r\n"))

    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn when the parser fails, also because of an exception raised here."""
        if self._too_large:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _count(self, size: int) -> None:
        self._parsed_bytes += size
        if self._parsed_bytes > MAX_HEADERS:
            self._too_large = True
            raise ValueError("headers too large")  # ends the parser

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: HTTPStatus) -> None:
        """Respond, unless nothing was requested or a response is under way, and close."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        if self._in_headers and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\n"
                "content-length: 0\r\nconnection: close\r\n\r\n".encode()
            )
        self.transport.close()


class _Bounded(logging.LoggerAdapter[logging.Logger]):
    """uvicorn's warnings about requests, such as one that cannot be parsed: of each kind one a minute,
    with the client's address. Anyone can cause as many as they like."""

    _limiter = LogLimiter(structlog.get_logger(__name__), 60.0)

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        super().__init__(protocol.logger)
        self._protocol = protocol

    @property
    def level(self) -> int:
        """As uvicorn reads it."""
        return self.logger.level

    def warning(self, msg: object, *arguments: object, **named: Any) -> None:
        text = str(msg) % arguments if arguments else str(msg)
        client = self._protocol.client[0] if self._protocol.client else ""
        self._limiter.warning("bad_request", key=str(msg), message=text, client=client)

"""The HTTP port of the API process: bound before anything else, served until a signal."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from collector.net import bind, format_address
from collector.tuning import limit_malloc_arenas, tune_gc
from raymap.errors import CommandError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from collector.tls import Tls
    from raymap.settings import ProcessSettings

KEEP_ALIVE = 75
"""Seconds an idle HTTP connection stays open: longer than clients keep one (SDKs: up to a minute), so
that they close it. A request sent while the server closes may or may not have been processed."""
OnReady = Callable[[Mapping[str, str]], None]


class Shutdown(NamedTuple):
    """What to do on a signal before the port is closed: report unreadiness, and wait."""

    announce: Callable[[], None]
    delay: float
    """Seconds in which load balancers notice; requests are answered meanwhile."""


def serve_http(
    app: ASGIApp,
    listener: socket.socket,
    on_ready: OnReady,
    shutdown: Shutdown,
    tls: Tls | None = None,
) -> None:
    """Serve HTTP on a bound socket until SIGTERM or SIGINT."""
    limit_malloc_arenas()  # decoding in threads would otherwise leave its memory in one each
    import uvicorn

    from collector.receivers.http_protocol import HttpProtocol

    class Server(uvicorn.Server):
        async def main_loop(self) -> None:
            # Not in startup: a signal that came before its end would skip the shutdown.
            host, port = listener.getsockname()[:2]
            if tls is not None:
                tls.reload_on_hangup()
            scheme = "http" if tls is None else "https"
            tune_gc()  # all that lives long is imported by now
            on_ready({"http": f"{scheme}://{format_address(host, port)}"})
            await super().main_loop()
            shutdown.announce()
            deadline = time.monotonic() + shutdown.delay
            while time.monotonic() < deadline and not self.force_exit:
                await asyncio.sleep(0.1)

    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=2048,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=10,
        ssl_context_factory=tls.context_factory if tls else None,
        proxy_headers=False,  # the client is the peer, whatever a header says
    )
    # uvicorn raises the signal again after it has stopped, for the handler installed before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    Server(config).run(sockets=[listener])


def load_tls(settings: ProcessSettings) -> Tls | None:
    """The certificate of the settings; CommandError for one that cannot be used."""
    if settings.tls_cert is None and settings.tls_key is None:
        if settings.tls_client_ca is not None:
            raise CommandError("--tls-client-ca needs --tls-cert and --tls-key.")
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise CommandError("TLS needs both --tls-cert and --tls-key.")
    from collector.tls import Tls, TlsError

    try:
        return Tls(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
    except TlsError as error:
        raise CommandError(f"TLS: {error}.") from None


def listen_tcp(host: str, port: int) -> socket.socket:
    """A bound TCP socket; CommandError with the flag that helps."""
    try:
        return bind(socket.SOCK_STREAM, host, port)
    except OSError as error:
        raise cannot_listen("TCP", host, port, "--port", error) from None


def cannot_listen(kind: str, host: str, port: int, flag: str, error: OSError) -> CommandError:
    """The error for a port that cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        return CommandError(port_taken(kind, host, port, flag))
    return CommandError(
        f"Cannot listen on {kind} port {port} of {host}: {error.strerror or error}."
    )


def port_taken(kind: str, host: str, port: int, flag: str) -> str:
    return (
        f"{kind} port {port} on {host} is taken by another program: stop it, "
        f"or choose another port with {flag} (0 picks a free one)."
    )

"""Webhooks: what is sent, how it is signed, and where it may go.

Signed as https://www.standardwebhooks.com has it, so that receivers verify with a library they have: HMAC-SHA256
over id, timestamp and body. The id is the event's, the same in every attempt: a receiver drops what it has seen.

URLs come from editors, and requests come from this machine (server-side request forgery): no redirect is
followed, nothing of an answer but its status is read, each address is checked after it was resolved and
is the one that is connected to, and an operator can name the hosts that are allowed (`api.reach`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from api.reach import ANYWHERE, Destinations

TIMEOUT = 10.0
"""Seconds for all of an attempt but the resolution of the name."""
PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)
SCHEMES = {"http": 80, "https": 443}


class WebhookRefused(ValueError):
    """A URL or a secret that is not accepted: what was expected."""


NO_ANSWER = "no answer; only public addresses are called, and hosts that --webhook-host names"
"""Whatever the cause, where webhooks may not go everywhere: an editor learns neither which names this
machine can resolve nor which ports are open."""


class DeliveryFailed(Exception):
    """The receiver did not take it; says why, and nothing of what the receiver said. ``cause`` is for the
    log of the process alone."""

    def __init__(self, text: str, cause: str = "") -> None:
        super().__init__(text)
        self.cause = cause or text


class Message(NamedTuple):
    """What is sent: its id, when (epoch seconds), and the body."""

    id: str
    timestamp: int
    body: bytes


def sign(secret: str, message: Message) -> str:
    """The header ``webhook-signature``."""
    content = f"{message.id}.{message.timestamp}.".encode() + message.body
    digest = hmac.new(check_secret(secret), content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def check_secret(secret: str) -> bytes:
    """The key in a secret; raises WebhookRefused."""
    expected = (
        f"must be {PREFIX} and the base64 of {SECRET_BYTES[0]} to {SECRET_BYTES[-1]} random bytes, as of: "
        f'echo "{PREFIX}$(openssl rand -base64 32)"'
    )
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise WebhookRefused(expected) from None
    if not secret.startswith(PREFIX) or len(key) not in SECRET_BYTES:
        raise WebhookRefused(expected)
    return key


def check_url(url: str, to: Destinations = ANYWHERE) -> SplitResult:
    """A URL's parts; raises WebhookRefused. Names are not resolved: `send` checks where they lead."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise WebhookRefused("must be ASCII without spaces: encode other characters with %")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise WebhookRefused(f"is no URL: {error}") from None
    if parts.scheme not in SCHEMES or not parts.hostname or port == 0:
        raise WebhookRefused("must be like https://host/path, with http or https")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise WebhookRefused("must have neither a user, a password nor a fragment")
    if not to.allow_host(parts.hostname):
        raise WebhookRefused(f"names {parts.hostname}, which --webhook-host does not allow")
    return parts


def send(url: str, secret: str, message: Message, to: Destinations = ANYWHERE) -> None:
    """Send a message; returns if the receiver answers 2xx. Raises DeliveryFailed."""
    headers = {
        "content-type": "application/json",
        "user-agent": "Raymap",
        "webhook-id": message.id,
        "webhook-timestamp": str(message.timestamp),
        "webhook-signature": sign(secret, message),
    }
    try:
        status = _post(check_url(url, to), headers, message.body, to)
    except WebhookRefused as error:
        cause = f"the URL {error}"
        raise DeliveryFailed(NO_ANSWER if to.public_only else cause, cause) from None
    except (OSError, http.client.HTTPException) as error:
        cause = f"no answer: {type(error).__name__}"
        raise DeliveryFailed(NO_ANSWER if to.public_only else cause, cause) from None
    if 300 <= status < 400:
        raise DeliveryFailed(f"answered {status}; redirects are not followed")
    if not 200 <= status < 300:
        raise DeliveryFailed(f"answered {status}")


def _post(parts: SplitResult, headers: dict[str, str], body: bytes, to: Destinations) -> int:
    """The status of the answer, of which no more than the head is read."""
    host, port = parts.hostname or "", parts.port or SCHEMES[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(host, port)
    connection.sock = _dial(host, port, to)
    timer = threading.Timer(TIMEOUT, _shut, (connection,))
    timer.start()
    try:
        if secure:
            connection.sock = _wrap(connection.sock, host)
            connection.sock.do_handshake()
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    finally:
        timer.cancel()
        connection.close()


def _wrap(raw: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    return context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)


def _dial(host: str, port: int, to: Destinations) -> socket.socket:
    """A connection to an address of a host, which is not resolved again; WebhookRefused if none of them
    may be called."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [address for each in found if to.allow_address(host, address := str(each[4][0]))]
    if not allowed:
        raise WebhookRefused("leads to an address that webhooks may not call")
    problem: OSError | None = None
    for address in allowed:
        try:
            return socket.create_connection((address, port), timeout=TIMEOUT)
        except OSError as error:
            problem = error
    raise problem or OSError("no address")


def _shut(connection: http.client.HTTPConnection) -> None:
    """Let a receiver that takes too long fail: a timeout of the socket begins anew with each byte."""
    with suppress(OSError):
        connection.sock.shutdown(socket.SHUT_RDWR)

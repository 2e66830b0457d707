"""Webhooks: what is sent, how it is signed, and where it may go.

Signed as https://www.standardwebhooks.com has it, so that receivers verify with a library they have: HMAC-SHA256
over id, timestamp and body. The id is the event's, the same in every attempt: a receiver drops what it has seen.

URLs come from editors, and requests come from this machine (server-side request forgery): no redirect is
followed, nothing of an answer but its status is read, the address is checked after it was resolved and
is the one that is connected to, and an operator can name the hosts that are allowed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Collection
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

TIMEOUT = 10.0
"""Seconds for all of an attempt but the resolution of the name."""
PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)
SCHEMES = {"http": 80, "https": 443}


class WebhookRefused(ValueError):
    """A URL or a secret that is not accepted: what was expected."""


class DeliveryFailed(Exception):
    """The receiver did not take it; says why, and nothing of what the receiver said."""


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


def check_url(url: str, hosts: Collection[str]) -> SplitResult:
    """A URL's parts; raises WebhookRefused. ``hosts``: patterns like ``*.example.com``; empty: any host."""
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
    if hosts and not any(fnmatchcase(parts.hostname, pattern.lower()) for pattern in hosts):
        raise WebhookRefused(f"names {parts.hostname}, which --webhook-host does not allow")
    return parts


def send(url: str, secret: str, message: Message, hosts: Collection[str]) -> None:
    """Send a message; returns if the receiver answers 2xx. Raises DeliveryFailed."""
    headers = {
        "content-type": "application/json",
        "user-agent": "Raymap",
        "webhook-id": message.id,
        "webhook-timestamp": str(message.timestamp),
        "webhook-signature": sign(secret, message),
    }
    try:
        status = _post(check_url(url, hosts), headers, message.body, any_address=bool(hosts))
    except WebhookRefused as error:
        raise DeliveryFailed(f"the URL {error}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryFailed(f"no answer: {type(error).__name__}") from None
    if 300 <= status < 400:
        raise DeliveryFailed(f"answered {status}; redirects are not followed")
    if not 200 <= status < 300:
        raise DeliveryFailed(f"answered {status}")


def _post(parts: SplitResult, headers: dict[str, str], body: bytes, *, any_address: bool) -> int:
    """The status of the answer, of which no more than the head is read."""
    host, port = parts.hostname or "", parts.port or SCHEMES[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(host, port)
    connection.sock = _dial(host, port, any_address)
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


def _dial(host: str, port: int, any_address: bool) -> socket.socket:
    """A connection to an address of a host; WebhookRefused if none of them may be called."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [each for each in found if any_address or _is_allowed(str(each[4][0]))]
    if not allowed:
        raise WebhookRefused("leads to a link-local, multicast or unspecified address")
    problem: OSError | None = None
    for _, _, _, _, address in allowed:
        try:
            return socket.create_connection((str(address[0]), port), timeout=TIMEOUT)
        except OSError as error:
            problem = error
    raise problem or OSError("no address")


METADATA = ipaddress.ip_address("fd00:ec2::254")
"""EC2's metadata by IPv6; by IPv4 it is link-local."""


def _is_allowed(text: str) -> bool:
    """Not the addresses where clouds answer with credentials. Receivers in private networks are usual."""
    address = ipaddress.ip_address(text.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    forbidden = address.is_link_local or address.is_multicast or address.is_unspecified
    return not forbidden and address != METADATA


def _shut(connection: http.client.HTTPConnection) -> None:
    """Let a receiver that takes too long fail: a timeout of the socket begins anew with each byte."""
    with suppress(OSError):
        connection.sock.shutdown(socket.SHUT_RDWR)

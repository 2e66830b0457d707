"""Signatures, and where webhooks may go."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from typing import Any

import pytest

from api.alarms import webhook
from api.alarms.webhook import (
    NO_ANSWER,
    DeliveryFailed,
    Message,
    WebhookRefused,
    check_secret,
    check_url,
    send,
    sign,
)
from api.reach import Destinations
from tests.api.alarms.receiver import receiver
from tests.api.alarms.traffic import SECRET

MESSAGE = Message("evt_1", 1_795_560_000, b'{"a":1}')


def test_a_signature_of_the_specification() -> None:
    """The example of standardwebhooks.com's specification of symmetric signatures."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    message = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert sign(secret, message) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_a_receiver_gets() -> None:
    """It can verify the body with the three headers."""
    with receiver() as server:
        send(server.url, SECRET, MESSAGE)
        ((path, headers, body),) = server.received
    assert (path, body) == ("/hook?a=b", MESSAGE.body)
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "evt_1"
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(check_secret(SECRET), content, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize("status", [200, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    with receiver() as server:
        server.status = status
        send(server.url, SECRET, MESSAGE)


@pytest.mark.parametrize("status", [400, 401, 410, 429, 500, 503])
def test_anything_else_failed(status: int) -> None:
    """Nothing of the answer is passed on."""
    with receiver() as server:
        server.status = status
        with pytest.raises(DeliveryFailed, match=f"^answered {status}$"):
            send(server.url, SECRET, MESSAGE)


def test_redirects_are_not_followed() -> None:
    with receiver() as server, receiver() as other:
        server.status, server.extra = 307, {"location": other.url}
        with pytest.raises(DeliveryFailed, match="answered 307; redirects are not followed"):
            send(server.url, SECRET, MESSAGE)
        assert other.received == []


def test_a_receiver_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", 0.3)
    with receiver() as server:
        server.slow = True
        with pytest.raises(DeliveryFailed, match="no answer"):
            send(server.url, SECRET, MESSAGE)


def test_no_receiver() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DeliveryFailed, match="no answer: ConnectionRefusedError"):
        send(f"http://127.0.0.1:{port}/", SECRET, MESSAGE)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "0.0.0.0",
        "[::ffff:169.254.169.254]",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "[fd20:ce::254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
    ],
)
def test_addresses_of_clouds_are_refused_when_they_are_connected_to(host: str) -> None:
    with pytest.raises(DeliveryFailed, match="leads to"):
        send(f"http://{host}/latest/meta-data", SECRET, MESSAGE)


def test_a_name_that_leads_to_such_an_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address])
    with pytest.raises(DeliveryFailed, match="leads to"):
        send("http://innocent.example/", SECRET, MESSAGE)


GUARDED = Destinations(public_only=True)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
    return port


def test_an_editor_cannot_scan_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside, an open port, a closed one, a name that leads there and one that does not exist read alike,
    and nothing is connected to."""
    monkeypatch.setattr(socket, "create_connection", _unexpected)
    monkeypatch.setattr(socket, "getaddrinfo", _without_name_servers)
    with receiver() as server:
        urls = [
            server.url,
            f"http://127.0.0.1:{closed_port()}/",
            f"http://localhost:{server.server_port}/",
            f"http://2130706433:{server.server_port}/",
            "http://10.0.0.1/",
            "http://[::1]/",
            "http://name.invalid/",
        ]
        said = {_failure(url, GUARDED) for url in urls}
        assert server.received == []
    assert said == {NO_ANSWER}


def test_a_named_host_is_reached_inside() -> None:
    with receiver() as server:
        send(server.url, SECRET, MESSAGE, Destinations(("127.0.0.1",), public_only=True))
        assert len(server.received) == 1
    named = Destinations(("127.0.0.1",), public_only=True)
    assert _failure(f"http://127.0.0.1:{closed_port()}/", named) == NO_ANSWER


def test_the_address_that_was_checked_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a name that leads to several, only those that pass; and the name is resolved once."""
    answers = [
        [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in found]
        for found in (["10.0.0.1", "8.8.8.8", "127.0.0.1"], ["127.0.0.1"])
    ]
    called: list[object] = []

    def connect(address: object, timeout: float) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr(socket, "create_connection", connect)
    assert _failure("http://rebinding.example/", GUARDED) == NO_ANSWER
    assert called == [("8.8.8.8", 80)]
    assert len(answers) == 1


def test_the_log_of_the_process_has_the_cause() -> None:
    with pytest.raises(DeliveryFailed) as failed:
        send("http://127.0.0.1/", SECRET, MESSAGE, GUARDED)
    assert failed.value.cause == "the URL leads to an address that webhooks may not call"


def _failure(url: str, to: Destinations) -> str:
    with pytest.raises(DeliveryFailed) as failed:
        send(url, SECRET, MESSAGE, to)
    return str(failed.value)


_resolve = socket.getaddrinfo


def _without_name_servers(host: str, *arguments: Any, **more: Any) -> Any:
    if host.endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return _resolve(host, *arguments, **more)


def _unexpected(*_: object, **__: object) -> socket.socket:
    raise AssertionError("connected")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://host/", "http or https"),
        ("file:///etc/passwd", "http or https"),
        ("https:///path", "http or https"),
        ("/path", "http or https"),
        ("http://host:0/", "http or https"),
        ("http://host:99999/", "is no URL"),
        ("http://[::1/", "is no URL"),
        ("http://user:password@host/", "neither a user"),
        ("http://host/#part", "fragment"),
        ("http://host/a b", "without spaces"),
        ("http://host/\r\nX: y", "without spaces"),
        ("http://höst/", "ASCII"),
    ],
)
def test_urls_that_are_refused(url: str, problem: str) -> None:
    with pytest.raises(WebhookRefused, match=problem):
        check_url(url)


def test_hosts_that_an_operator_allows() -> None:
    hosts = Destinations(("hooks.example.com", "*.Internal"))
    for url in (
        "https://hooks.example.com/a",
        "http://HOOKS.example.com:8080",
        "http://a.internal/",
    ):
        check_url(url, hosts)
    for url in ("https://example.com/", "http://internal/", "http://hooks.example.com.evil.net/"):
        with pytest.raises(WebhookRefused, match="--webhook-host does not allow"):
            check_url(url, hosts)
    with pytest.raises(DeliveryFailed, match="--webhook-host does not allow"):
        send("http://127.0.0.1:1/", SECRET, MESSAGE, hosts)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "x" * 44, "whsec_ü", SECRET[6:]]
)
def test_secrets_that_are_refused(secret: str) -> None:
    with pytest.raises(WebhookRefused, match="openssl rand"):
        check_secret(secret)

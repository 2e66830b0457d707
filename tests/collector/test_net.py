"""Listening sockets and ports in use."""

from __future__ import annotations

import socket

import pytest

from collector.net import PortInUseError, bind, format_address, listen, naming_port


def test_a_listener_accepts() -> None:
    listener = listen("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        accepted.close()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_in_use_is_named(kind: socket.SocketKind) -> None:
    with bind(kind, "127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            first.listen()
        with (
            pytest.raises(PortInUseError, match=f"HTTP port {port} is in use") as caught,
            naming_port(port, "HTTP"),
        ):
            bind(kind, "127.0.0.1", port)
    assert (caught.value.port, caught.value.kind) == (port, "HTTP")


def test_ports_are_shared_on_request() -> None:
    with bind(socket.SOCK_DGRAM, "127.0.0.1", 0, reuse_port=True) as first:
        bind(socket.SOCK_DGRAM, "127.0.0.1", first.getsockname()[1], reuse_port=True).close()


def test_addresses() -> None:
    assert format_address("127.0.0.1", 80) == "127.0.0.1:80"
    assert format_address("::1", 80) == "[::1]:80"

"""Connections to a ClickHouse server over its native protocol: connect, pool, wait, abort.

Knows nothing of segments or tables. Driver errors are passed through unchanged; a server that does
not answer in time is a `ClickHouseUnavailable`.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace

from clickhouse_driver import Client
from clickhouse_driver import errors as driver_errors

from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.errors import ClickHouseUnavailable, first_line, is_transient
from store.clickhouse.connection.native_format import NativeClient
from store.clickhouse.connection.replicas import Replicas, replicas_at
from store.clickhouse.connection.sql import identifier

INSERT_RETRIES = {"insert_keeper_max_retries": 6}
"""An insert waits six seconds for a coordination service that does not answer, through the election of a leader; ClickHouse's
20 retries are two minutes and a half, after which a person has left. Collectors have a journal."""
SEQUENTIAL = {"select_sequential_consistency": 1}
"""Of connections that get any of several servers: a read has what was acknowledged before, whichever server took it
(ClickHouse Cloud: a server first asks Keeper for the parts that it does not know)."""


def connect(
    url: str | Address,
    *,
    strings_as_bytes: bool = False,
    settings: Mapping[str, object] | None = None,
    timeout: float | None = None,
) -> Client:
    """A client that connects on its first query, and reconnects after a lost connection.

    ``strings_as_bytes``: String columns are bytes in both directions, which saves a decode per
    value. ``timeout``: seconds to wait for an answer, instead of the address's.
    """
    address = parse_url(url) if isinstance(url, str) else url
    compression = address.compression or ("none" if address.is_loopback else "lz4")
    if compression != "none":  # the server has its own default for what it sends
        settings = {"network_compression_method": compression.upper(), **(settings or {})}
    if address.clustered:
        settings = {
            **INSERT_RETRIES,
            **(SEQUENTIAL if address.cloud else {}),
            **(settings or {}),
        }
    tls = {"verify": address.verify, "ca_certs": address.ca_certs or None} if address.secure else {}
    client = AbortableClient(
        address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
        secure=address.secure,
        client_name="raymap",
        compression=False if compression == "none" else compression,
        connect_timeout=address.connect_timeout,
        send_receive_timeout=timeout or address.timeout,
        tcp_keepalive=not address.is_loopback,
        settings={
            "use_numpy": False,
            "strings_as_bytes": strings_as_bytes,
            "server_side_params": True,
            **(settings or {}),
        },
        **tls,
    )
    client.cloud = address.cloud
    if address.replicated:
        client.replicas = replicas_at(address.hosts)
    return client


class AbortableClient(NativeClient):
    """A client that `abort` ends also while it connects, and that does not connect again afterwards."""

    aborted = False
    cloud = False
    """Whether its address is of several servers behind one name."""
    replicas: Replicas | None = None
    """Of an address that names several."""

    def establish_connection(self, settings: Mapping[str, object] | None) -> None:
        """Connect, or confirm that the connection is alive; NetworkError once it is aborted."""
        if self.replicas and not self.connection.connected:
            self.connection.hosts = self.replicas.in_order()
        before = self.connection.socket
        super().establish_connection(settings)
        if self.replicas and self.connection.socket is not before:
            self.replicas.connected((self.connection.host, self.connection.port))
        if self.aborted:
            raise driver_errors.NetworkError("the client was aborted")


def abort(client: Client) -> None:
    """End a client from another thread; the thread that waits on it gets an error."""
    # First, so that a client without a socket yet sees it once it has one.
    client.aborted = True
    connected = client.connection.socket
    if connected is not None:
        with suppress(OSError):  # not connected, or no longer
            connected.shutdown(socket.SHUT_RDWR)


class ClientPool:
    """At most ``size`` connections, shared by threads, reused last in first out.

    The embedded engine does not limit concurrent queries; the pool does. ``acquire_timeout``:
    seconds after which `client` raises `ClickHouseUnavailable` when all are busy. ``login``: the
    address with the login to use now, if it may change; it raises what connecting does.
    """

    def __init__(
        self,
        url: str | Address,
        size: int,
        *,
        strings_as_bytes: bool = False,
        settings: Mapping[str, object] | None = None,
        acquire_timeout: float = 30.0,
        login: Callable[[], Address] | None = None,
    ) -> None:
        self.address = parse_url(url) if isinstance(url, str) else url
        self.login = login or (lambda: self.address)
        self.size = size
        self._strings_as_bytes = strings_as_bytes
        self._settings = dict(settings or {})
        self._acquire_timeout = acquire_timeout
        self._free = threading.Semaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Client] = []
        self._closed = False

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A connection for this block, waiting for one if necessary.

        It returns to the pool after success or an error that the server reported, and is closed
        after any other error: its state is unknown then.
        """
        if not self._free.acquire(timeout=self._acquire_timeout):
            raise ClickHouseUnavailable(
                f"all {self.size} connections to ClickHouse were busy for {self._acquire_timeout:.0f} s"
            )
        with self._checked_out() as client:
            yield client

    @contextmanager
    def try_acquire(self) -> Iterator[Client | None]:
        """A connection if one is free, else None; for callers that already use one and must not wait."""
        if not self._free.acquire(blocking=False):
            yield None
            return
        with self._checked_out() as client:
            yield client

    @contextmanager
    def _checked_out(self) -> Iterator[Client]:
        try:
            client = self._take()
            try:
                yield client
            except driver_errors.ServerException:
                self._release(client)
                raise
            except BaseException:
                client.disconnect()
                raise
            self._release(client)
        finally:
            self._free.release()

    def _take(self) -> Client:
        address = self.login()
        while (client := self._idle_client()) is not None:
            if client.connection.user == address.user and _is_in_use(client):
                return client
            client.disconnect()
        return connect(address, strings_as_bytes=self._strings_as_bytes, settings=self._settings)

    def _idle_client(self) -> Client | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _release(self, client: Client) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(client)
                return
        client.disconnect()

    def close(self) -> None:
        """Close idle connections now, and those in use when they are returned."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for client in idle:
            client.disconnect()


def is_replicated(client: Client) -> bool:
    """Whether its address names several replicas."""
    return getattr(client, "replicas", None) is not None


def _is_in_use(client: Client) -> bool:
    """Whether a client is not connected to a replica that this process has left."""
    at = client.connection
    return (
        client.replicas is None or not at.connected or (at.host, at.port) == client.replicas.in_use
    )


def wait_until_up(url: str | Address, timeout: float) -> None:
    """Return once ClickHouse answers a query.

    Raises `ClickHouseUnavailable` after ``timeout`` seconds, and a refusal (a wrong password) at
    once.
    """
    address = parse_url(url) if isinstance(url, str) else url
    anywhere = replace(address, database="", connect_timeout=min(2.0, address.connect_timeout))
    deadline = time.monotonic() + timeout
    while True:
        client = connect(anywhere, timeout=5.0)
        try:
            client.execute("SELECT 1")
            return
        except Exception as error:
            if not is_transient(error):
                raise
            if time.monotonic() >= deadline:
                raise ClickHouseUnavailable(
                    f"ClickHouse at {address.name} did not answer within {timeout:.0f} s: "
                    f"{first_line(error)}"
                ) from error
        finally:
            client.disconnect()
        time.sleep(0.1)


def create_database(url: str | Address) -> None:
    """Create the database that the URL names, unless it exists."""
    address = parse_url(url) if isinstance(url, str) else url
    client = connect(replace(address, database=""))
    try:
        client.execute(f"CREATE DATABASE IF NOT EXISTS {identifier(address.database)}")
    finally:
        client.disconnect()

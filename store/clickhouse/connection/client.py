"""Connections to a ClickHouse server over its native protocol: parse a URL, connect, pool, wait.

Knows nothing of segments or tables. Every error leaves here as the driver's own, apart from a
URL that cannot be read (`InvalidUrl`) and a server that stays silent (`ClickHouseUnavailable`).
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from clickhouse_driver import Client
from clickhouse_driver import errors as driver_errors

from store.clickhouse.connection.native_format import NativeClient

EXAMPLE = "clickhouse://user:password@host:9000/database"
OPTIONS = ("secure", "verify", "ca_certs", "compression", "connect_timeout", "timeout")

# Server errors that say "not now" rather than "not like this": the same statement may work later.
BUSY_CODES = frozenset(
    {
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR: its disk is full, or worse
        173,  # CANNOT_ALLOCATE_MEMORY
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED: the server is shutting down
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY: a replica lost its Keeper
        243,  # NOT_ENOUGH_SPACE on its disk
        252,  # TOO_MANY_PARTS: merges lag behind inserts
        279,  # ALL_CONNECTION_TRIES_FAILED: a shard is down
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED: the server is shutting down
        439,  # CANNOT_SCHEDULE_TASK: no thread to be had
        499,  # S3_ERROR: its object storage
        745,  # SERVER_OVERLOADED
        999,  # KEEPER_EXCEPTION
    }
)


class InvalidUrl(ValueError):
    """The ClickHouse URL cannot be read; the message says which part and what was expected."""


class ClickHouseUnavailable(Exception):
    """No ClickHouse answered in the time allowed."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int = 9000
    user: str = "default"
    password: str = ""
    database: str = "raymap"
    secure: bool = False
    verify: bool = True
    ca_certs: str = ""
    compression: str = ""  # lz4, zstd, none; empty: none on loopback, lz4 elsewhere
    connect_timeout: float = 5.0
    timeout: float = 300.0

    @property
    def name(self) -> str:
        """For people: no password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        scheme = "clickhouses" if self.secure else "clickhouse"
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"{scheme}://{login}@{self.name}/{quote(self.database, safe='')}"

    @property
    def is_loopback(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_url(url: str) -> Address:
    """`clickhouse://user:password@host:port/database?option=value`; all but the host may be left out."""
    parts = urlsplit(url)
    if parts.scheme not in ("clickhouse", "clickhouses"):
        raise InvalidUrl(
            f"a ClickHouse URL begins with clickhouse:// (or clickhouses:// for TLS), like {EXAMPLE}"
        )
    if parts.fragment:
        raise InvalidUrl("the ClickHouse URL holds a '#': write it as %23 in a password")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # its text may show a piece of the password
        raise InvalidUrl(
            f"the ClickHouse URL has no usable port, expected {EXAMPLE} "
            "(write / : @ ? as %2F %3A %40 %3F in a password)"
        ) from None
    if not host:
        raise InvalidUrl(f"the ClickHouse URL names no host, expected {EXAMPLE}")
    database = unquote(parts.path.removeprefix("/"))
    if "/" in database:
        raise InvalidUrl(f"the ClickHouse URL names the database {database!r}, expected one word")
    secure = parts.scheme == "clickhouses"
    address = Address(
        host=host,
        port=port or (9440 if secure else 9000),
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=database or "raymap",
        secure=secure,
    )
    return _with_options(address, parts.query)


def _with_options(address: Address, query: str) -> Address:
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in OPTIONS:
            raise InvalidUrl(
                f"the ClickHouse URL has the option {name!r}, known are {', '.join(OPTIONS)}"
            )
        address = replace(address, **{name: _option(name, text)})
    if address.secure and address.port == 9000:
        address = replace(address, port=9440)
    return address


def _option(name: str, text: str) -> Any:
    if name in ("secure", "verify"):
        if text.lower() not in ("0", "1", "true", "false"):
            raise InvalidUrl(f"the ClickHouse URL says {name}={text}, expected 0 or 1")
        return text.lower() in ("1", "true")
    if name == "compression" and text not in ("lz4", "zstd", "none"):
        raise InvalidUrl(f"the ClickHouse URL says compression={text}, expected lz4, zstd or none")
    if name.endswith("timeout"):
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < 86_400:
            raise InvalidUrl(f"the ClickHouse URL says {name}={text}, expected seconds")
        return seconds
    return text


def connect(
    url: str | Address,
    *,
    strings_as_bytes: bool = False,
    settings: Mapping[str, object] | None = None,
    timeout: float | None = None,
) -> Client:
    """A client that dials on its first query, and again after a lost connection.

    `strings_as_bytes`: String columns come and go as bytes, which spares a decode per value.
    """
    address = parse_url(url) if isinstance(url, str) else url
    compression = address.compression or ("none" if address.is_loopback else "lz4")
    if compression != "none":  # the server has a default of its own for what it sends
        settings = {"network_compression_method": compression.upper(), **(settings or {})}
    tls = {"verify": address.verify, "ca_certs": address.ca_certs or None} if address.secure else {}
    return NativeClient(
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
        settings={"use_numpy": False, "strings_as_bytes": strings_as_bytes, **(settings or {})},
        **tls,
    )


def abort(client: Client) -> None:
    """Break a client's connection from another thread than the one that waits for it, which then
    gets an error."""
    connection = getattr(client, "connection", None)
    if connection is not None and connection.socket is not None:
        with suppress(OSError):  # not connected, or not any more
            connection.socket.shutdown(socket.SHUT_RDWR)


def is_transient(error: BaseException) -> bool:
    """Does this error mean that ClickHouse cannot be reached or cannot answer just now?

    True: the network, a timeout, a lost connection, a server that is full or shutting down; the
    same statement may work later. False: the server understood and refused; trying again is vain.
    """
    if isinstance(error, driver_errors.ServerException):
        return error.code in BUSY_CODES
    away = (
        ClickHouseUnavailable,
        driver_errors.NetworkError,
        driver_errors.SocketTimeoutError,
        driver_errors.UnexpectedPacketFromServerError,
        EOFError,
        OSError,
    )
    return isinstance(error, away)


class ClientPool:
    """At most `size` connections, shared by threads; the most recently used one goes out first.

    The embedded engine has no limit of its own on concurrent queries, so this is that limit.
    """

    def __init__(
        self,
        url: str | Address,
        size: int,
        *,
        strings_as_bytes: bool = False,
        settings: Mapping[str, object] | None = None,
        patience: float = 30.0,
    ) -> None:
        self.address = parse_url(url) if isinstance(url, str) else url
        self.size = size
        self._strings_as_bytes = strings_as_bytes
        self._settings = dict(settings or {})
        self._patience = patience
        self._free = threading.Semaphore(size)
        self._lock = threading.Lock()
        self._idle: list[Client] = []
        self._closed = False

    @contextmanager
    def client(self) -> Iterator[Client]:
        """One connection for this block. It is kept afterwards only if its state is known:
        after success, or after an error that the server itself reported."""
        if not self._free.acquire(timeout=self._patience):
            raise ClickHouseUnavailable(
                f"all {self.size} connections to ClickHouse were busy for {self._patience:.0f} s"
            )
        with self._checked_out() as client:
            yield client

    @contextmanager
    def try_acquire(self) -> Iterator[Client | None]:
        """A connection if one is free at once: for whoever has one already, and must not wait."""
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
                self._keep(client)
                raise
            except BaseException:
                client.disconnect()
                raise
            self._keep(client)
        finally:
            self._free.release()

    def _take(self) -> Client:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return connect(
            self.address, strings_as_bytes=self._strings_as_bytes, settings=self._settings
        )

    def _keep(self, client: Client) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(client)
                return
        client.disconnect()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for client in idle:
            client.disconnect()


def wait_until_up(url: str | Address, timeout: float) -> None:
    """Return once ClickHouse answers; `ClickHouseUnavailable` after `timeout` seconds of silence.
    A refusal (a wrong password) is raised at once."""
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
    """Create the database that the URL names, unless it is there."""
    address = parse_url(url) if isinstance(url, str) else url
    client = connect(replace(address, database=""))
    try:
        client.execute(f"CREATE DATABASE IF NOT EXISTS {quoted(address.database)}")
    finally:
        client.disconnect()


def quoted(name: str) -> str:
    """A name as ClickHouse quotes it."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def first_line(error: BaseException) -> str:
    """What the driver said, without the server's stack trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("Code:", "Stack trace:"))]
    text = (said or lines or [type(error).__name__])[0]
    return text.removeprefix("DB::Exception: ").removesuffix(" Stack trace:")

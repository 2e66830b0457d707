"""Where a ClickHouse server listens and how to log in: `Address`, and the URL that spells it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

EXAMPLE = "clickhouse://user:password@host:9000/database"
PORTS = {False: 9000, True: 9440}
"""The usual ports, without TLS and with it."""
CLOUD = ".clickhouse.cloud"
"""The end of the names of ClickHouse Cloud's services."""
OPTIONS = ("secure", "verify", "ca_certs", "compression", "connect_timeout", "timeout", "cloud")


class InvalidUrl(ValueError):
    """A malformed ClickHouse URL; the message names the part and what was expected."""


@dataclass(frozen=True, slots=True)
class Address:
    """A ClickHouse server, its login and its connection options; timeouts in seconds.

    ``others``: further replicas of the same tables, used in this order when the one before cannot be reached
    (`store.clickhouse.connection.replicas`). ``cloud``: behind the one name are several servers with the same tables, of
    which each connection gets any, as in ClickHouse Cloud.
    """

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
    others: tuple[tuple[str, int], ...] = ()
    cloud: bool = False

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each replica."""
        return ((self.host, self.port), *self.others)

    @property
    def replicated(self) -> bool:
        """Whether it names several replicas."""
        return bool(self.others)

    @property
    def clustered(self) -> bool:
        """Whether several servers have the tables, named or behind one name."""
        return self.replicated or self.cloud

    @property
    def each(self) -> tuple[Address, ...]:
        """An address of each replica alone."""
        return tuple(replace(self, host=host, port=port, others=()) for host, port in self.hosts)

    @property
    def name(self) -> str:
        """`host:port` of each replica, for messages: without the password."""
        return ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )

    @property
    def url(self) -> str:
        """The URL that `parse_url` reads back, password included."""
        scheme = "clickhouses" if self.secure else "clickhouse"
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"{scheme}://{login}@{self.name}/{quote(self.database, safe='')}"

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_url(url: str) -> Address:
    """`clickhouse://user:password@host:port/database?option=value`; everything but the host is optional. Commas separate
    the replicas of one database: `clickhouse://user:password@a,b:9001/raymap`."""
    login, hosts, parts = _split(url)
    if parts.scheme not in ("clickhouse", "clickhouses"):
        raise InvalidUrl(
            f"a ClickHouse URL begins with clickhouse:// (or clickhouses:// for TLS), like {EXAMPLE}"
        )
    if parts.fragment:
        raise InvalidUrl("the ClickHouse URL contains a '#': write it as %23 in a password")
    secure = parts.scheme == "clickhouses"
    user, _, password = login.partition(":")
    (host, port), *others = _hosts(hosts, PORTS[secure])
    database = unquote(parts.path.removeprefix("/"))
    if "/" in database:
        raise InvalidUrl(f"the ClickHouse URL names the database {database!r}, expected one word")
    address = Address(
        host=host,
        port=port,
        user=unquote(user) or "default",
        password=unquote(password),
        database=database or "raymap",
        secure=secure,
        others=tuple(others),
        cloud=host.endswith(CLOUD),
    )
    return _with_options(address, parts.query)


def _split(url: str) -> tuple[str, str, SplitResult]:
    """The login, the hosts, and the URL without both: a list in which an address in brackets is not the first is no host to
    newer versions of `urlsplit`."""
    scheme, mark, rest = url.partition("://")
    end = re.search("[/?#]|$", rest)
    assert end
    login, _, hosts = rest[: end.start()].rpartition("@")
    return login, hosts, urlsplit(f"{scheme}{mark}{rest[end.start() :]}")


def _hosts(hosts: str, default_port: int) -> list[tuple[str, int]]:
    """Host and port of each replica, which commas separate."""
    found = []
    for text in hosts.split(","):
        try:
            one = urlsplit(f"//{text}")
            host, port = one.hostname, one.port
        except ValueError:  # its message may contain part of the password
            raise InvalidUrl(
                f"the ClickHouse URL has no usable port, expected {EXAMPLE} "
                "(write / : @ ? as %2F %3A %40 %3F in a password)"
            ) from None
        if not host:
            raise InvalidUrl(f"the ClickHouse URL names no host, expected {EXAMPLE}")
        found.append((host, port or default_port))
    if len({*found}) < len(found):
        raise InvalidUrl("the ClickHouse URL names a replica twice")
    return found


def _with_options(address: Address, query: str) -> Address:
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in OPTIONS:
            raise InvalidUrl(
                f"the ClickHouse URL has the option {name!r}, known are {', '.join(OPTIONS)}"
            )
        address = replace(address, **{name: _option(name, text)})
    if address.cloud and address.others:
        raise InvalidUrl(
            "the ClickHouse URL names several servers of ClickHouse Cloud, expected the one name of a service"
        )
    if address.secure:
        others = tuple((host, _tls_port(port)) for host, port in address.others)
        address = replace(address, port=_tls_port(address.port), others=others)
    return address


def _tls_port(port: int) -> int:
    return PORTS[True] if port == PORTS[False] else port


def _option(name: str, text: str) -> Any:
    if name in ("secure", "verify", "cloud"):
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

"""Where a ClickHouse server listens and how to log in: `Address`, and the URL that spells it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

EXAMPLE = "clickhouse://user:password@host:9000/database"
OPTIONS = ("secure", "verify", "ca_certs", "compression", "connect_timeout", "timeout")


class InvalidUrl(ValueError):
    """A malformed ClickHouse URL; the message names the part and what was expected."""


@dataclass(frozen=True, slots=True)
class Address:
    """A ClickHouse server, its login and its connection options; timeouts in seconds."""

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
        """`host:port`, for messages: without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

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
    """`clickhouse://user:password@host:port/database?option=value`; everything but the host is optional."""
    parts = urlsplit(url)
    if parts.scheme not in ("clickhouse", "clickhouses"):
        raise InvalidUrl(
            f"a ClickHouse URL begins with clickhouse:// (or clickhouses:// for TLS), like {EXAMPLE}"
        )
    if parts.fragment:
        raise InvalidUrl("the ClickHouse URL contains a '#': write it as %23 in a password")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # its message may contain part of the password
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

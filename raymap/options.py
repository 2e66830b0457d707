"""Options of settings: flags that are environment variables as well, and how their texts are read."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any

import typer

from raymap.tenant_names import check_name
from raymap.units import parse_size

MIN_MEMORY = 256 << 20
"""Bytes without which the embedded ClickHouse does not start reliably."""
MIN_JOURNAL = 16 << 20


def option(name: str, **more: Any) -> Any:
    """A flag that is also the environment variable RAYMAP_<NAME>."""
    variable = "RAYMAP_" + name.split("/")[0].lstrip("-").replace("-", "_").upper()
    return typer.Option(name, envvar=variable, **more)


def port_option(name: str, help: str) -> Any:
    return option(name, metavar="PORT", min=0, max=65535, help=help)


def parse_memory(text: str | int) -> int:
    """Bytes for the embedded ClickHouse; 0 for its default."""
    try:
        size = text if isinstance(text, int) else parse_size(text or "0")
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if 0 < size < MIN_MEMORY:
        raise typer.BadParameter(f"{text!r} is too little for ClickHouse, give it 256M or more")
    return size


def parse_journal_size(text: str | int) -> int:
    """Bytes that may wait in a process's journal."""
    try:
        size = text if isinstance(text, int) else parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if size < MIN_JOURNAL:
        raise typer.BadParameter(f"{text!r} is too little for a journal, give it 16M or more")
    return size


def parse_document_size(text: str | int) -> int:
    """Bytes that a document may have."""
    from collector.decode.item_size import LARGEST, SMALLEST  # not needed to show --help

    size = parse_bytes(text)
    if not SMALLEST <= size <= LARGEST:
        raise typer.BadParameter(f"{text!r}: documents may have at least 128K, at most 4M")
    return size


def parse_bytes(text: str | int) -> int:
    """Bytes, with or without a unit."""
    try:
        return text if isinstance(text, int) else parse_size(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_networks(text: str) -> str:
    """Networks in CIDR notation, comma-separated."""
    try:
        for part in filter(None, map(str.strip, text.split(","))):
            ip_network(part)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; expected networks like 10.0.0.0/8") from None
    return text


def parse_udp_tenants(text: str) -> str:
    """Ports with the tenant of each, comma-separated."""
    ports: set[int] = set()
    for part in filter(None, map(str.strip, text.split(","))):
        port, _, name = part.partition("=")
        if not port.isdecimal() or not 0 < int(port) < 65536 or int(port) in ports:
            raise typer.BadParameter(f"{part!r}: expected PORT=NAME, each port once")
        ports.add(int(port))
        try:
            check_name(name)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return text


def parse_redaction(text: str) -> str:
    """Rules of redaction, as JSON."""
    from collector.redaction.rules import parse_rules  # not needed to show --help

    try:
        parse_rules(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text


def parse_log_link(text: str) -> str:
    """A template of URLs; empty for none."""
    from api.log_links import check_template

    try:
        if text:
            check_template(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text


LOCAL = "http://127.0.0.1:2000"
ServerUrl = Annotated[str, option("--url", metavar="URL", help="Where the server listens.")]
"""The server of a command that talks to a running one."""
WindowStart = Annotated[
    str, typer.Option("--from", metavar="TIME", help="Like 2026-11-25T10:00 (UTC), -90m.")
]
WindowEnd = Annotated[str, typer.Option("--to", metavar="TIME", help="The same, or now.")]
DataDir = Annotated[
    Path, option("--data-dir", metavar="FOLDER", file_okay=False, help="Where all data is stored.")
]
ClickHouseUrl = Annotated[
    str,
    option(
        "--clickhouse",
        metavar="URL",
        show_default="the embedded one",
        help="Like clickhouse://user:password@host:9000/raymap; of several cells all, in their order.",
    ),
]
Memory = Annotated[
    int,
    option(
        "--clickhouse-memory",
        metavar="SIZE",
        parser=parse_memory,
        show_default="40 % of RAM, at most 8G",
        help="Memory limit of the embedded ClickHouse, like 2G.",
    ),
]
RetentionDays = Annotated[
    int | None,  # at most what store.clickhouse.schema.retention allows
    option(
        "--retention-days",
        metavar="DAYS",
        min=1,
        max=10_000,
        show_default="as set by raymap retention, else 30",
        help="Days until traces are deleted, from now on.",
    ),
]
LogRetention = Annotated[
    int | None,
    option(
        "--log-retention",
        metavar="DAYS",
        min=1,
        max=10_000,
        show_default="as set by raymap retention, else 7",
        help="Days until log lines are deleted, from now on.",
    ),
]
TenantName = Annotated[
    str,
    typer.Option(
        "--tenant", metavar="NAME", help="As raymap tenant list shows it; else the default."
    ),
]
Supervised = Annotated[int | None, typer.Option("--supervised", hidden=True)]
"""File descriptor of the parent's ready pipe; set by the supervisor."""

"""What `raymap doctor` says of journals, those of tenants, too, and of tenants' ClickHouse users."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from collector.ingest import FOLDER
from collector.journal.adopt import damaged_files
from collector.journal.quarantine import Quarantine
from raymap.auth.secret import known_secret
from raymap.auth.tenants import FOLDER as TENANTS
from raymap.cells import resolve_clickhouse
from raymap.commands.checks import Check
from raymap.errors import CommandError
from raymap.settings import DoctorSettings
from raymap.tenants.databases import stored_tenants
from raymap.tenants.logins import own_login, refusal
from store.clickhouse.connection.errors import first_line

NAMED = 5
"""Tenants that one line names."""


def journal_checks(data_dir: Path) -> Iterator[Check]:
    """Documents on this machine's disk that are lost or cannot be stored, the default tenant's first."""
    well = True
    for folder in (data_dir, *sorted((data_dir / TENANTS).glob("*"))):
        root = folder / FOLDER
        damaged, quarantined = damaged_files(root), Quarantine(root).documents()
        if damaged or quarantined:
            well = False
            detail = f"{folder}: {damaged:,} damaged files, {quarantined:,} documents in quarantine"
            yield Check("journals", "warn", detail, f"raymap journal list --data-dir {folder}")
    if well:
        yield Check("journals", "ok", "nothing is damaged or in quarantine")


def login_checks(settings: DoctorSettings) -> Iterator[Check]:
    """Whether each tenant's database is used by a user who reaches no other; nothing without tenants."""
    default = resolve_clickhouse(settings)
    tenants = [
        tenant
        for tenant in stored_tenants(default).values()
        if not tenant.deleting and settings.tenant in ("", tenant.name)
    ]
    master = b""
    with contextlib.suppress(OSError, CommandError):  # then `secret_check` says so
        master = known_secret(settings.data_dir)
    if not tenants or not master:  # without a secret, no process has accepted a tenant here
        return
    refused: dict[str, str] = {}
    for tenant in tenants:
        try:
            reason = refusal(own_login(default, tenant, master))
        except Exception as error:
            reason = first_line(error)
        if reason:
            refused[tenant.name] = reason
    if not refused:
        yield Check("tenants", "ok", f"{len(tenants):,} have a ClickHouse user of their own")
        return
    named = ", ".join([*refused][:NAMED]) + ("…" if len(refused) > NAMED else "")
    first, reason = next(iter(refused.items()))
    yield Check(
        "tenants",
        "warn",
        f"ClickHouse refuses the users of {len(refused):,} of {len(tenants):,} ({named}): {reason}",
        f"raymap tenant add {first}" if settings.clickhouse else "restart raymap serve",
    )

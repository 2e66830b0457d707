"""`raymap backup` and `restore`: the embedded ClickHouse, the journals, and the server's secret, of all
tenants; or the database and journals of one.

The journals are copied first. What leaves them afterwards is in ClickHouse before its backup begins;
what is in both is inserted again after a restore, as rows that replace their equals. So a backup under
load contains every document that was acknowledged before it began, and each counts once.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
from clickhouse_driver import Client
from msgspec import Struct

from collector.durable import sync_folder
from collector.ingest import FOLDER
from collector.journal.adopt import folders
from collector.journal.quarantine import Quarantine
from collector.journal.reader import files_of
from raymap.administration.tenants import Server, make_login
from raymap.auth.audit import record_command
from raymap.auth.secret import FILE as SECRET
from raymap.auth.tenants import FOLDER as TENANTS
from raymap.auth.tenants import database_of, new_tenant, put_tenant, read_tenants
from raymap.cells import resolve_clickhouse
from raymap.commands.open_store import change_configuration, long_connection, open_store
from raymap.commands.tenants import print_login
from raymap.data_dir import prepare_data_dir
from raymap.embedded import EmbeddedClickHouse
from raymap.errors import CommandError, print_status
from raymap.logging import set_up_logging
from raymap.processes import raymap_version
from raymap.schema_check import require_schema
from raymap.settings import StoreSettings, TenantSettings
from raymap.tenants.databases import (
    address_of,
    database_exists,
    drop_database,
    find_tenant,
    stored_tenants,
)
from raymap.units import format_size
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.sql import identifier
from store.clickhouse.embedded import EmbeddedError
from store.clickhouse.embedded import address as address_of_engine
from store.clickhouse.grants import BACKUP_USER
from store.clickhouse.schema.retention import prepare_database
from store.clickhouse.schema.version import schema_state

MANIFEST, CLICKHOUSE = "raymap.json", "clickhouse"


class Manifest(Struct):
    """Written last: a folder without it is no complete backup. ``base``: an absolute path; ``database``: the
    default tenant's; ``tenants``: the names of those beside it; ``partial``: it is not contained itself."""

    version: str
    schema: int
    created: float
    database: str
    base: str | None = None
    tenants: list[str] = []
    partial: bool = False


def back_up(settings: TenantSettings, target: Path, base: Path | None) -> None:
    """Write a backup to a new folder, beside a running server."""
    _require_embedded(settings)
    set_up_logging()
    address = resolve_clickhouse(settings)
    require_schema(address)
    tenants = [tenant for tenant in stored_tenants(address).values() if not tenant.deleting]
    if name := settings.tenant:
        tenants = [find_tenant(address, name)]
    since = _read_manifest(base) if base else None
    if since and since.schema != _schema(address):
        raise CommandError(f"{base} has another schema: make a full backup, without --base.")
    prepare_data_dir(_new_folder(target))
    roots = [Path(TENANTS, tenant.folder, FOLDER) for tenant in tenants]
    for root in roots if name else (Path(FOLDER), *roots):
        _copy_journals(settings.data_dir / root, target / root)
    if not name:
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(settings.data_dir / SECRET, target / SECRET)
    with open_store(address) as store:
        record_command(
            store, f"backup --tenant {name}" if name else "backup", str(target.absolute())
        )
    names = [tenant.name for tenant in tenants]
    databases = _databases(address.database, names)
    _back_up_clickhouse(settings.data_dir, databases[1:] if name else databases, target, base)
    manifest = Manifest(
        raymap_version(),
        _schema(address),
        time.time(),
        address.database,
        str(base.absolute()) if base else None,
        names,
        partial=bool(name),
    )
    (target / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    sync_folder(target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print_status(f"{target}: {format_size(size)}" + (f", since {base}" if base else ""))


def restore(settings: TenantSettings, source: Path) -> None:
    """Make a data directory of a backup, with this program's schema if that was older. `raymap serve` then
    inserts what waits in the journals, and brings the databases of tenants up to date."""
    _require_embedded(settings)
    manifest = _read_manifest(source)
    if settings.tenant:
        _restore_tenant(settings, manifest, source)
        return
    if manifest.partial:
        name = manifest.tenants[0]
        raise CommandError(f"{source} is of one tenant: restore it with --tenant {name}.")
    data_dir = _new_folder(settings.data_dir)
    prepare_data_dir(data_dir)
    try:
        with EmbeddedClickHouse(data_dir) as engine:
            restored = ", ".join(
                f"DATABASE {identifier(old)} AS {identifier(new)}"
                for old, new in zip(
                    _databases(manifest.database, manifest.tenants),
                    _databases(engine.address.database, manifest.tenants),
                    strict=True,
                )
            )
            statement = f"RESTORE {restored} FROM File({_quoted(source / CLICKHOUSE)})"
            with _backup_connection(data_dir) as client:
                client.execute(statement)
            prepare_database(engine.address, {})
    except EmbeddedError as error:
        raise CommandError(f"ClickHouse did not start: {error}") from None
    for folder in (FOLDER, TENANTS):
        if (source / folder).is_dir():
            shutil.copytree(source / folder, data_dir / folder, dirs_exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(source / SECRET, data_dir / SECRET)
    prepare_data_dir(data_dir)
    print_status(f"{data_dir}: restored; start it with raymap serve --data-dir {data_dir}")


def _restore_tenant(settings: TenantSettings, manifest: Manifest, source: Path) -> None:
    """Add a tenant with what a backup has of it, beside a running server. Its limits, keys, users and
    share links are the server's own, and are not in its database."""
    set_up_logging()
    default, name = resolve_clickhouse(settings), settings.tenant
    if name not in manifest.tenants:
        contained = ", ".join(manifest.tenants) or "none"
        raise CommandError(f"{source} has no tenant {name}; it has: {contained}.")
    address, tenant = address_of(default, name), new_tenant(name, int(time.time()))
    prepare_data_dir(settings.data_dir)
    with open_store(default) as store:
        if name in read_tenants(store.read_configuration()) or database_exists(address):
            raise CommandError(f"There is a tenant {name} already: delete it first.")
        old = identifier(database_of(manifest.database, name))
        statement = f"RESTORE DATABASE {old} AS {identifier(address.database)}"
        try:
            with _backup_connection(settings.data_dir) as client:
                client.execute(f"{statement} FROM File({_quoted(source / CLICKHOUSE)})")
            prepare_database(address, {})
            for journals in (source / TENANTS).glob(f"{name}.*/{FOLDER}"):
                shutil.copytree(journals, settings.data_dir / TENANTS / tenant.folder / FOLDER)
        except BaseException:
            drop_database(address)  # else nothing of this name could be added or restored
            raise
        # Last: from here on processes use it.
        change_configuration(store, lambda *_: (None, [put_tenant(tenant)]))
        server = Server(settings, default, store)
        print_login(server, make_login(server, name))
        record_command(store, f"restore --tenant {name}", str(source.absolute()))
    print_status(f"{name} is restored: make a key with  raymap key add NAME --tenant {name}")


def _require_embedded(settings: StoreSettings) -> None:
    if settings.clickhouse:
        raise CommandError(
            "This is for the embedded ClickHouse. Back up your own, each cell of several, with its BACKUP DATABASE, and copy "
            f"the folder {FOLDER} of each collector's data directory before that."
        )


def _new_folder(path: Path) -> Path:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CommandError(f"{path} exists and is not empty.")
    return path


def _read_manifest(folder: Path) -> Manifest:
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise CommandError(f"{folder} is no complete backup: it has no {MANIFEST}.") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise CommandError(f"{folder / MANIFEST}: {error}.") from None


def _copy_journals(root: Path, target: Path) -> None:
    """The newest files first: a process deletes the oldest meanwhile, once ClickHouse has them."""
    for folder in folders(root):
        copy = target / folder.name
        copy.mkdir(parents=True)
        for _, path in reversed(files_of(folder)):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(path, copy / path.name)
    quarantine = Quarantine(root)
    if quarantine.path.exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(quarantine.path, target / quarantine.path.name)


def _databases(default: str, tenants: Sequence[str]) -> list[str]:
    """The default tenant's, and those of others."""
    return [default, *(database_of(default, name) for name in tenants)]


def _backup_connection(data_dir: Path) -> AbstractContextManager[Client]:
    """Of the user who may do this, and without a database, which may not exist yet."""
    return long_connection(address_of_engine(data_dir, user=BACKUP_USER, database=""))


def _back_up_clickhouse(
    data_dir: Path, names: Sequence[str], target: Path, base: Path | None
) -> None:
    databases = ", ".join(f"DATABASE {identifier(name)}" for name in names)
    options = f" SETTINGS base_backup = File({_quoted(base / CLICKHOUSE)})" if base else ""
    with _backup_connection(data_dir) as client:
        client.execute(f"BACKUP {databases} TO File({_quoted(target / CLICKHOUSE)}){options}")


def _schema(address: Address) -> int:
    with long_connection(address) as client:
        return int(schema_state(client).version)


def _quoted(path: Path) -> str:
    text = str(path.absolute()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"

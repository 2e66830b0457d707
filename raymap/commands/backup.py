"""`raymap backup` and `restore`: the embedded ClickHouse, the journals, and the server's secret, of all
tenants.

The journals are copied first. What leaves them afterwards is in ClickHouse before its backup begins;
what is in both is inserted again after a restore, as rows that replace their equals. So a backup under
load contains every document that was acknowledged before it began, and each counts once.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec import Struct

from collector.durable import sync_folder
from collector.ingest import FOLDER
from collector.journal.adopt import folders
from collector.journal.quarantine import Quarantine
from collector.journal.reader import files_of
from raymap.auth.audit import record_command
from raymap.auth.secret import FILE as SECRET
from raymap.auth.tenants import FOLDER as TENANTS
from raymap.auth.tenants import database_of
from raymap.commands.open_store import long_connection, open_store
from raymap.data_dir import prepare_data_dir
from raymap.embedded import EmbeddedClickHouse
from raymap.errors import CommandError, print_status
from raymap.processes import prepare_command, raymap_version
from raymap.schema_check import require_schema
from raymap.settings import StoreSettings
from raymap.tenants.databases import stored_tenants
from raymap.units import format_size
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.sql import identifier
from store.clickhouse.embedded import EmbeddedError
from store.clickhouse.schema.version import schema_state

MANIFEST, CLICKHOUSE = "raymap.json", "clickhouse"


class Manifest(Struct):
    """Written last: a folder without it is no complete backup. ``base``: an absolute path; ``tenants``:
    the names of those beside the default one."""

    version: str
    schema: int
    created: float
    database: str
    base: str | None = None
    tenants: list[str] = []


def back_up(settings: StoreSettings, target: Path, base: Path | None) -> None:
    """Write a backup to a new folder, beside a running server."""
    _require_embedded(settings)
    address = prepare_command(settings)
    require_schema(address)
    since = _read_manifest(base) if base else None
    if since and since.schema != _schema(address):
        raise CommandError(f"{base} has another schema: make a full backup, without --base.")
    prepare_data_dir(_new_folder(target))
    for root in (Path(FOLDER), *_journals_of_tenants(settings.data_dir)):
        _copy_journals(settings.data_dir / root, target / root)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(settings.data_dir / SECRET, target / SECRET)
    with open_store(address) as store:
        record_command(store, "backup", str(target.absolute()))
    tenants = [tenant.name for tenant in stored_tenants(address).values() if not tenant.deleting]
    _back_up_clickhouse(address, tenants, target, base)
    manifest = Manifest(
        raymap_version(),
        _schema(address),
        time.time(),
        address.database,
        str(base.absolute()) if base else None,
        tenants,
    )
    (target / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    sync_folder(target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    print_status(f"{target}: {format_size(size)}" + (f", since {base}" if base else ""))


def restore(settings: StoreSettings, source: Path) -> None:
    """Make a data directory of a backup. `raymap serve` then inserts what waits in the journals."""
    _require_embedded(settings)
    manifest = _read_manifest(source)
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
            with long_connection(replace(engine.address, database="")) as client:
                client.execute(statement)
            require_schema(engine.address)
    except EmbeddedError as error:
        raise CommandError(f"ClickHouse did not start: {error}") from None
    for folder in (FOLDER, TENANTS):
        if (source / folder).is_dir():
            shutil.copytree(source / folder, data_dir / folder, dirs_exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(source / SECRET, data_dir / SECRET)
    prepare_data_dir(data_dir)
    print_status(f"{data_dir}: restored; start it with raymap serve --data-dir {data_dir}")


def _require_embedded(settings: StoreSettings) -> None:
    if settings.clickhouse:
        raise CommandError(
            "This is for the embedded ClickHouse. Back up your own with its BACKUP DATABASE, and copy "
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


def _journals_of_tenants(data_dir: Path) -> list[Path]:
    """Relative to the data directory."""
    return [path.relative_to(data_dir) for path in sorted(data_dir.glob(f"{TENANTS}/*/{FOLDER}"))]


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


def _back_up_clickhouse(
    address: Address, tenants: Sequence[str], target: Path, base: Path | None
) -> None:
    names = map(identifier, _databases(address.database, tenants))
    databases = ", ".join(f"DATABASE {name}" for name in names)
    options = f" SETTINGS base_backup = File({_quoted(base / CLICKHOUSE)})" if base else ""
    with long_connection(address) as client:
        client.execute(f"BACKUP {databases} TO File({_quoted(target / CLICKHOUSE)}){options}")


def _schema(address: Address) -> int:
    with long_connection(address) as client:
        return int(schema_state(client).version)


def _quoted(path: Path) -> str:
    text = str(path.absolute()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"

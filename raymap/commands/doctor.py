"""`raymap doctor`: looks for what commonly goes wrong and names the command that helps.

It connects to ClickHouse itself, so it works with and without a running server. Host checks concern
the machine it runs on: run it where collectors and APIs run.
"""

from __future__ import annotations

import json
import platform
import resource
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from clickhouse_driver import Client

from raymap.commands.access_checks import backup_check, certificate_checks, key_checks, secret_check
from raymap.commands.checks import Check, Status
from raymap.commands.replica_checks import replica_checks
from raymap.commands.tenant_checks import journal_checks, login_checks
from raymap.errors import CommandError, describe
from raymap.processes import raymap_version, resolve_command_cells
from raymap.settings import DoctorSettings
from raymap.units import format_size
from store.cells.topology import TopologyMismatch, cell_names, read_topology
from store.clickhouse import damage, diagnostics
from store.clickhouse.config import audit
from store.clickhouse.config.configuration import read_configuration
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import first_line
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import RunQuery, execute
from store.clickhouse.rollup.dirty import dirty_buckets
from store.clickhouse.rollup.lag import BEHIND
from store.clickhouse.schema.version import schema_state
from store.times import PER_MINUTE, SECOND

TESTED_CLICKHOUSE = (26, 1)
"""Older servers may work; the tests run on this or a newer one."""
SKEW_WARN, SKEW_FAIL = 1.0, 30.0
"""Seconds between two clocks: minutes settle, and traces expire, by both."""
DISK_WARN, DISK_FAIL = 0.10, 0.02
"""Free share of a disk. ClickHouse needs room for its merges."""
MIN_OPEN_FILES = 4096
"""Each connection of a sender takes a file descriptor."""
BEHIND_FAIL = 600.0
RMEM_MAX = Path("/proc/sys/net/core/rmem_max")


class Repairs(NamedTuple):
    """What to repair before the checks."""

    detach_damaged: bool = False
    drop_broken: bool = False


def doctor(settings: DoctorSettings, repairs: Repairs, *, as_json: bool) -> bool:
    """Print every check; whether none failed."""
    checks = [
        *host_checks(settings.data_dir),
        *journal_checks(settings.data_dir),
        secret_check(settings.data_dir),
        *certificate_checks(settings.tls_cert, settings.tls_key, time.time()),
        *_clickhouse_checks(settings, repairs),
    ]
    if as_json:
        print(json.dumps([check._asdict() for check in checks], indent=1))
    else:
        for check in checks:
            print(f"{check.status:<5} {check.name}: {check.detail}")
            if check.help:
                print(f"      try: {check.help}")
    return all(check.status != "fail" for check in checks)


def host_checks(data_dir: Path) -> Iterator[Check]:
    """Checks of this machine."""
    yield Check("versions", "ok", f"raymap {raymap_version()}, Python {platform.python_version()}")
    yield disk_check("data folder", *_space(data_dir), help=f"df -h {data_dir}")
    yield udp_check(RMEM_MAX)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = 0 <= soft < MIN_OPEN_FILES
    yield Check(
        "open files",
        "warn" if few else "ok",
        f"at most {soft:,} per process" if soft >= 0 else "unlimited",
        f"ulimit -n {MIN_OPEN_FILES * 16}" if few else "",
    )


def _space(folder: Path) -> tuple[int, int]:
    """Free and total bytes of the disk that a folder is on or will be on."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


def disk_check(name: str, free: int, total: int, *, help: str) -> Check:
    """Whether a disk has room."""
    share = free / total
    status: Status = "fail" if share < DISK_FAIL else "warn" if share < DISK_WARN else "ok"
    detail = f"{format_size(free)} of {format_size(total)} are free"
    return Check(name, status, detail, help if status != "ok" else "")


def udp_check(rmem_max: Path) -> Check:
    """Whether the kernel grants the UDP receiver the buffer that it requests."""
    from collector.receivers.udp import RECEIVE_BUFFER, SMALL_BUFFER

    try:
        granted = int(rmem_max.read_text())
    except (OSError, ValueError):
        return Check("UDP buffer", "ok", "the limit is not known on this system")
    detail = f"at most {format_size(granted)} of the {format_size(RECEIVE_BUFFER)} requested"
    if granted >= RECEIVE_BUFFER:
        return Check("UDP buffer", "ok", f"{format_size(RECEIVE_BUFFER)}, as requested")
    # The kernel doubles what is requested.
    status: Status = "warn" if granted * 2 < SMALL_BUFFER else "ok"
    help = f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER}" if status == "warn" else ""
    return Check("UDP buffer", status, detail, help)


def _clickhouse_checks(settings: DoctorSettings, repairs: Repairs) -> Iterator[Check]:
    try:
        cells = resolve_command_cells(settings)
    except CommandError as error:
        yield Check("ClickHouse", "fail", str(error), "raymap serve")
        return
    yield from topology_checks(cells)
    for place, (name, address) in enumerate(zip(cell_names(cells), cells, strict=True)):
        for check in _cell_checks(address, settings, repairs, home=place == 0):
            yield check._replace(name=f"{name}: {check.name}") if name else check


def topology_checks(cells: Sequence[Address]) -> Iterator[Check]:
    """Whether these are all cells, in their order; nothing of a ClickHouse alone."""
    try:
        member = read_topology(cells, wait_for_it=True)
    except TopologyMismatch as error:
        yield Check("topology", "fail", str(error), "raymap topology list, with all cells")
        return
    except Exception:
        return  # a cell that cannot be read fails by itself
    if member is not None:
        yield Check("topology", "ok", f"epoch {member.epoch}, {len(cells)} cells")


def _cell_checks(
    address: Address, settings: DoctorSettings, repairs: Repairs, *, home: bool
) -> Iterator[Check]:
    with _connected(replace(address, database="")) as client:
        run = partial(execute, client)
        try:
            version = diagnostics.server_version(run)
        except Exception as error:
            detail = f"{address.name} does not answer: {first_line(error)}"
            yield Check("ClickHouse", "fail", detail, "raymap serve, or name it with --clickhouse")
            return
        yield version_check(address, version)
        yield clock_check(diagnostics.clock_offset(run))
        yield from replica_checks(address)
        for disk in diagnostics.disks(run):
            name = f"ClickHouse disk {disk.name}"
            yield disk_check(name, disk.free, disk.total, help="raymap retention --traces 14d")
    with _connected(address) as client:
        yield from _database_checks(client, address, settings, repairs, home=home)


@contextmanager
def _connected(address: Address) -> Iterator[Client]:
    client = connect(address, timeout=10.0)
    try:
        yield client
    finally:
        client.disconnect()


def version_check(address: Address, version: str) -> Check:
    """Whether a server is one that the tests have seen."""
    detail = f"{version} at {address.name}"
    if tuple(map(int, version.split(".")[:2])) >= TESTED_CLICKHOUSE:
        return Check("ClickHouse", "ok", detail)
    tested = ".".join(map(str, TESTED_CLICKHOUSE))
    return Check(
        "ClickHouse", "warn", f"{detail}; tested are {tested} and newer", "upgrade ClickHouse"
    )


def _database_checks(
    client: Client, address: Address, settings: DoctorSettings, repairs: Repairs, *, home: bool
) -> Iterator[Check]:
    run = partial(execute, client)
    state = schema_state(client)
    if state.problem:
        yield Check("schema", "fail", f"{address.database} {state.problem}", "raymap migrate")
        return
    newer = f"compatible with {state.expected}, which this Raymap knows"
    fits = newer if state.version > state.expected else "as expected"
    yield Check("schema", "ok", f"version {state.version}, {fits}")
    backed_up_here = not settings.clickhouse and not settings.tenant
    checks: tuple[Callable[[], Iterable[Check]], ...] = (
        lambda: parts_checks(diagnostics.most_parts(run)),
        lambda: _damage_checks(client, run, repairs),
        lambda: _map_checks(run),
        lambda: key_checks(read_configuration(client), time.time()) if home else (),
        lambda: login_checks(settings) if home else (),
        lambda: backup_check(audit.last_backup(client), time.time()) if backed_up_here else (),
    )
    for check in checks:
        try:
            yield from check()
        except Exception as error:
            yield Check("ClickHouse", "fail", describe(error), "see ClickHouse's log")


def clock_check(offset: float) -> Check:
    """Whether this machine and ClickHouse agree on the time."""
    ahead = "ahead of" if offset > 0 else "behind"
    detail = f"ClickHouse is {abs(offset):.2f} s {ahead} this machine"
    status: Status = (
        "fail" if abs(offset) >= SKEW_FAIL else "warn" if abs(offset) >= SKEW_WARN else "ok"
    )
    return Check("clocks", status, detail, "timedatectl set-ntp true" if status != "ok" else "")


def parts_checks(most: diagnostics.MostParts | None) -> Iterator[Check]:
    """Whether merges keep up with inserts."""
    if most is None:
        yield Check("parts", "ok", "none yet")
        return
    detail = (
        f"at most {most.parts:,} in a partition ({most.table} {most.partition}); "
        f"inserts are slowed down from {most.delay_from:,} on"
    )
    full = most.parts >= most.delay_from
    status: Status = "fail" if full else "warn" if most.parts * 2 >= most.delay_from else "ok"
    yield Check(
        "parts", status, detail, "a larger --linger, fewer --workers" if status != "ok" else ""
    )


def _damage_checks(client: Client, run: RunQuery, repairs: Repairs) -> Iterator[Check]:
    """Damaged parts; those that are repaired first are warnings with what was lost."""
    damaged, broken = damage.damaged_parts(run), damage.broken_parts(run)
    if repairs.detach_damaged:
        damage.detach(client, damaged)
        yield from (_repaired(f"{part.table} {part.name} is set aside", part) for part in damaged)
        damaged = []
    if repairs.drop_broken:
        damage.drop(client, broken)
        yield from (_repaired(f"{part.table} {part.name} is deleted", part) for part in broken)
        broken = []
    for part in (*damaged, *broken):
        detail, _, help = str(part).rpartition(": ")
        yield Check("damaged parts", "fail", detail, help)
    if not damaged and not broken:
        yield Check("damaged parts", "ok", "none known")


def _repaired(done: str, part: damage.DamagedPart | damage.BrokenPart) -> Check:
    detail, _, _ = str(part).partition(": ")
    return Check("damaged parts", "warn", f"{done}; {detail}", "raymap verify --from -1d")


def _map_checks(run: RunQuery) -> Iterator[Check]:
    """Whether the map's aggregates are up to date."""
    waiting = [each for each in dirty_buckets(run) if not each.confirming]
    seconds = max((each.waited for each in waiting), default=0) / SECOND
    detail = f"{len({each.bucket // PER_MINUTE for each in waiting}):,} minutes wait to be aggregated, the longest for {seconds:,.0f} s"
    status: Status = "fail" if seconds >= BEHIND_FAIL else "warn" if seconds >= BEHIND else "ok"
    yield Check("map", status, detail, "raymap api (one must run)" if status != "ok" else "")

"""`raymap doctor`: a line for each check, with the command that helps, and the exit code."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from raymap.auth.secret import server_secret
from raymap.auth.tenants import new_tenant, put_tenant
from raymap.cli import app
from raymap.commands import doctor
from raymap.commands.checks import Check
from raymap.commands.doctor import (
    clock_check,
    disk_check,
    parts_checks,
    udp_check,
    version_check,
)
from store.audit import event
from store.clickhouse.config.audit import last_backup
from store.clickhouse.connection.address import Address
from store.clickhouse.diagnostics import MostParts
from store.clickhouse.store import ClickHouseStore
from store.config.change import change
from store.times import SECOND
from tests.builders import segment

GIB = 1 << 30


def run(address: Address, data_dir: Path, *options: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        app, ["doctor", "--clickhouse", address.url, "--data-dir", str(data_dir), *options]
    )
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def logging_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command sets up logging for its process."""
    monkeypatch.setattr("raymap.logging.set_up_logging", lambda *_: None)


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of the machine that runs the tests does not matter."""
    monkeypatch.setattr(doctor, "DISK_WARN", 0.0)
    monkeypatch.setattr(doctor, "DISK_FAIL", 0.0)


@pytest.mark.usefixtures("roomy")
def test_all_is_well(clickhouse_store: ClickHouseStore, tmp_path: Path) -> None:
    clickhouse_store.put([segment(1)], "doctor")
    code, output = run(clickhouse_store.address, tmp_path)
    assert code == 0, output
    names = [line[6:].partition(":")[0] for line in output.splitlines() if line[:1] != " "]
    assert names == [
        "versions",
        "data folder",
        "UDP buffer",
        "open files",
        "journals",
        "auth secret",
        "ClickHouse",
        "clocks",
        *[name for name in names if name.startswith("ClickHouse disk")],
        "schema",
        "parts",
        "damaged parts",
        "map",
        "keys",
    ]
    assert re.search(r"schema: version \d+, as expected", output)


def test_the_last_backup_is_known_from_the_audit_log(clickhouse_store: ClickHouseStore) -> None:
    """As `raymap backup` writes it down; other events are none."""
    with clickhouse_store._client() as client:
        assert last_backup(client) == 0
        now = float(int(time.time()))  # events of long ago expire at once
        for at, action in ((now - 20, "backup"), (now - 10, "backup"), (now, "pin")):
            clickhouse_store.write_audit([event(at, "ana", "command", "host", action)])
        assert last_backup(client) == (now - 10) * SECOND


@pytest.mark.usefixtures("roomy")
def test_json_for_programs(clickhouse_store: ClickHouseStore, tmp_path: Path) -> None:
    code, output = run(clickhouse_store.address, tmp_path, "--json")
    checks = {check["name"]: check for check in json.loads(output)}
    assert code == 0, output
    assert set(checks["schema"]) == {"name", "status", "detail", "help"}
    assert checks["damaged parts"]["status"] == "ok"


@pytest.mark.usefixtures("roomy")
def test_a_database_without_tables_fails(clickhouse: Address, tmp_path: Path) -> None:
    code, output = run(replace(clickhouse, database="doctor_empty"), tmp_path)
    assert code == 1
    assert "fail  schema: doctor_empty contains no Raymap tables" in output
    assert "      try: raymap migrate" in output


def test_an_unreachable_clickhouse_fails(tmp_path: Path) -> None:
    """The checks of this machine are still printed."""
    code, output = run(Address("127.0.0.1", 1), tmp_path)
    assert code == 1
    assert "UDP buffer" in output
    assert "fail  ClickHouse: 127.0.0.1:1 does not answer: Code: 210. Connection refused" in output
    assert "Traceback" not in output


def test_no_clickhouse_is_a_failed_check(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "fail  ClickHouse: Which ClickHouse? Name one with --clickhouse" in result.output


@pytest.mark.parametrize(
    ("free", "status"), [(50 * GIB, "ok"), (9 * GIB, "warn"), (1 * GIB, "fail"), (0, "fail")]
)
def test_disks(free: int, status: str) -> None:
    check = disk_check("data folder", free, 100 * GIB, help="df -h /data")
    assert (check.status, check.help) == (status, "" if status == "ok" else "df -h /data")


@pytest.mark.parametrize(
    ("offset", "status", "says"),
    [
        (0.4, "ok", "0.40 s ahead of this machine"),
        (-1.5, "warn", "1.50 s behind this machine"),
        (90.0, "fail", "90.00 s ahead of this machine"),
    ],
)
def test_clocks(offset: float, status: str, says: str) -> None:
    check = clock_check(offset)
    assert (check.status, says in check.detail) == (status, True)
    assert bool(check.help) is (status != "ok")


@pytest.mark.parametrize(
    ("limit", "status"), [("212992\n", "warn"), ("8388608\n", "ok"), ("67108864\n", "ok")]
)
def test_udp_buffer(tmp_path: Path, limit: str, status: str) -> None:
    file = tmp_path / "rmem_max"
    file.write_text(limit)
    check = udp_check(file)
    assert check.status == status
    if status == "warn":
        assert check.detail == "at most 208.0 KiB of the 64.0 MiB requested"
        assert check.help == "sysctl -w net.core.rmem_max=67108864"


def test_a_system_without_that_limit(tmp_path: Path) -> None:
    assert udp_check(tmp_path / "none").status == "ok"


@pytest.mark.parametrize(("parts", "status"), [(10, "ok"), (500, "warn"), (1000, "fail")])
def test_parts(parts: int, status: str) -> None:
    (check,) = parts_checks(MostParts("segments", "20261126", parts, 1000))
    assert check.status == status
    assert f"at most {parts:,} in a partition (segments 20261126)" in check.detail


def test_an_old_clickhouse_is_a_warning() -> None:
    assert version_check(Address("db"), "99.1.2.3").status == "ok"
    old = version_check(Address("db"), "23.8.1.1")
    assert (old.status, old.help) == ("warn", "upgrade ClickHouse")


def test_checks_are_values() -> None:
    assert Check("a", "ok", "b")._asdict() == {
        "name": "a",
        "status": "ok",
        "detail": "b",
        "help": "",
    }


@pytest.mark.usefixtures("roomy")
def test_tenants_whose_users_clickhouse_refuses_are_named(
    clickhouse_store: ClickHouseStore, tmp_path: Path
) -> None:
    changes = [put_tenant(new_tenant(name, 1)) for name in ("acme", "globex")]
    change(clickhouse_store, lambda *_: (None, changes), time.time)
    address = clickhouse_store.address
    assert " tenants: " not in run(address, tmp_path)[1]  # nothing is known of their passwords here
    server_secret(tmp_path)
    code, output = run(address, tmp_path)
    assert code == 0, output
    assert "warn  tenants: ClickHouse refuses the users of 2 of 2 (acme, globex): " in output
    assert "      try: raymap tenant add acme" in output

"""What an operator has to look after shows in /metrics, whatever cannot be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from raymap import installation_metrics as module
from raymap.auth.keys import issue_key, put_key
from raymap.auth.permissions import Role
from raymap.installation_metrics import InstallationMetrics
from raymap.metrics_folder import note_death
from store.config.protocol import Configuration
from store.errors import StoreError
from store.memory import MemoryStore
from store.times import SECOND
from tests.raymap.auth.certificates import write_certificate

NOW = 1_900_000_000.0
DAY = 86_400
EMPTY = MemoryStore()


def shown(metrics: InstallationMetrics) -> dict[str, float]:
    """Each sample by its name and labels."""
    lines = metrics.render().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def metrics_of(
    folder: Path,
    configuration: Callable[[], Configuration] = EMPTY.read_configuration,
    last_backup: Callable[[], int] = lambda: 0,
    cert: Path | None = None,
) -> InstallationMetrics:
    key = cert and cert.with_name("key.pem")
    return InstallationMetrics(folder, folder, (cert, key), configuration, last_backup, lambda: NOW)


def test_what_does_not_exist_has_no_value(tmp_path: Path) -> None:
    found = shown(metrics_of(tmp_path))
    assert found.keys() == {"raymap_disk_free_bytes", "raymap_disk_size_bytes"}
    assert 0 < found["raymap_disk_free_bytes"] <= found["raymap_disk_size_bytes"]


def test_everything_is_shown(tmp_path: Path) -> None:
    """Of the keys the next that expires: not one that has, or was revoked, or never does."""
    store = MemoryStore()
    for name, expires in {
        "never": 0,
        "over": NOW - 1,
        "next": NOW + DAY,
        "late": NOW + 9 * DAY,
    }.items():
        key = issue_key(name, Role.INGEST, b"m" * 32, now=1, expires=int(expires)).key
        after = store.read_configuration().revision
        store.change_configuration([put_key(key)], after=after, at=1)
    write_certificate(tmp_path, 1, timedelta(days=3))
    for name in ("api", "api", "clickhouse"):
        note_death(tmp_path, name)
    found = shown(
        metrics_of(
            tmp_path,
            store.read_configuration,
            lambda: round(NOW - 2 * DAY) * SECOND,
            tmp_path / "cert.pem",
        )
    )
    assert found["raymap_key_expires_timestamp_seconds"] == NOW + DAY
    assert found["raymap_backup_timestamp_seconds"] == NOW - 2 * DAY
    ends = found["raymap_certificate_expires_timestamp_seconds"]
    assert ends == pytest.approx(time.time() + 3 * DAY, abs=60)
    assert found['raymap_process_deaths_total{process="api"}'] == 2
    assert found['raymap_process_deaths_total{process="clickhouse"}'] == 1


def test_what_cannot_be_read_hides_nothing_else(tmp_path: Path) -> None:
    """ClickHouse is unavailable, and a certificate is none."""

    def unavailable() -> Configuration:
        raise StoreError("ClickHouse is unavailable")

    cert = tmp_path / "cert.pem"
    cert.write_text("no certificate")
    cert.with_name("key.pem").write_text("no key")
    note_death(tmp_path, "api")
    found = shown(metrics_of(tmp_path, unavailable, lambda: round(NOW) * SECOND, cert))
    assert found.keys() == {
        "raymap_disk_free_bytes",
        "raymap_disk_size_bytes",
        "raymap_backup_timestamp_seconds",
        'raymap_process_deaths_total{process="api"}',
    }


def test_scrapes_in_a_row_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []

    def last_backup() -> int:
        reads.append(1)
        return 0

    metrics = metrics_of(tmp_path, last_backup=last_backup)
    assert metrics.render() == metrics.render()
    assert len(reads) == 1
    monkeypatch.setattr(module, "FRESH", 0.0)
    metrics.render()
    assert len(reads) == 2

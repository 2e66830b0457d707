"""What `raymap doctor` says of certificates, keys, the server's secret and backups."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from raymap.auth.keys import issue_key, put_key
from raymap.auth.permissions import Role
from raymap.commands.access_checks import (
    DAY,
    backup_check,
    certificate_checks,
    key_checks,
    secret_check,
)
from store.memory import MemoryStore
from store.times import SECOND
from tests.raymap.auth.certificates import write_certificate

NOW = 1_900_000_000.0
MASTER = b"m" * 32


@pytest.mark.parametrize(
    ("valid", "status", "says"),
    [
        (timedelta(days=90), "ok", "90 days more"),
        (timedelta(days=20), "warn", "20 days more"),
        (timedelta(hours=30), "warn", "30 hours more"),
        (timedelta(days=-1), "fail", "has expired"),
    ],
)
def test_certificates(tmp_path: Path, valid: timedelta, status: str, says: str) -> None:
    write_certificate(tmp_path, 1, valid)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    (check,) = certificate_checks(cert, key, time.time())
    assert check.status == status
    assert says in check.detail
    assert bool(check.help) == (status != "ok")


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    """A file that is missing, one that is none, a key of another certificate."""
    assert list(certificate_checks(None, None, NOW)) == []
    write_certificate(tmp_path, 1)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    (missing,) = certificate_checks(tmp_path / "none.pem", key, NOW)
    other = tmp_path / "other"
    other.mkdir()
    write_certificate(other, 2)
    (foreign,) = certificate_checks(cert, other / "key.pem", NOW)
    cert.write_text("no certificate")
    (broken,) = certificate_checks(cert, key, NOW)
    for check in (missing, foreign, broken):
        assert check.status == "fail"
        assert str(tmp_path) in check.detail


def test_the_secret_is_its_users_alone(tmp_path: Path) -> None:
    assert secret_check(tmp_path).status == "ok"
    path = tmp_path / "auth-secret"
    path.write_text("s" * 40)
    path.chmod(0o600)
    assert secret_check(tmp_path).status == "ok"
    path.write_text("")
    check = secret_check(tmp_path)
    assert (check.status, check.help) == ("fail", "restore it from a backup")
    assert "auth-secret is too short: expected 32 characters" in check.detail
    path.unlink()
    path.symlink_to("elsewhere")
    check = secret_check(tmp_path)
    assert (check.status, "symbolic link" in check.detail) == ("fail", True)
    path.unlink()
    path.write_text("s" * 40)
    path.chmod(0o640)
    check = secret_check(tmp_path)
    assert check.status == "fail"
    assert check.help == f"chmod 600 {path}"
    assert "0640" in check.detail


def test_keys_that_expire_soon() -> None:
    """Revoked and expired ones no longer matter."""
    store = MemoryStore()
    lives = {"lasting": 0, "late": NOW + 30 * DAY, "soon": NOW + 3 * DAY, "over": NOW - 1}
    issued = {
        name: issue_key(name, Role.INGEST, MASTER, now=1, expires=int(expires))
        for name, expires in lives.items()
    }
    for name in ("lasting", "late", "over"):
        change = [put_key(issued[name].key)]
        store.change_configuration(change, after=store.read_configuration().revision, at=1)
    (check,) = key_checks(store.read_configuration(), NOW)
    assert (check.status, check.help) == ("ok", "")
    assert "2 valid keys, 0 people" in check.detail
    change = [put_key(issued["soon"].key)]
    store.change_configuration(change, after=store.read_configuration().revision, at=1)
    (check,) = key_checks(store.read_configuration(), NOW)
    assert check.status == "warn"
    assert "1 expire within a week, the first, soon, in 3 days" in check.detail
    assert check.help == f"raymap key rotate {issued['soon'].key.id}"


@pytest.mark.parametrize(
    ("days", "status", "says"),
    [(1, "ok", "24 hours ago"), (7, "ok", "7 days ago"), (9, "warn", "9 days ago")],
)
def test_backups(days: float, status: str, says: str) -> None:
    (check,) = backup_check(int((NOW - days * DAY) * SECOND), NOW)
    assert check.status == status
    assert says in check.detail


def test_no_backup() -> None:
    (check,) = backup_check(0, NOW)
    assert (check.status, check.help) == ("warn", "raymap backup FOLDER")

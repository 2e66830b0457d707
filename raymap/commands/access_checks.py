"""What `raymap doctor` says of certificates, keys, the server's secret and backups."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

from raymap.auth.keys import read_keys
from raymap.auth.people import read_people
from raymap.auth.secret import FILE as SECRET
from raymap.auth.secret import read_secret
from raymap.certificate import not_after
from raymap.commands.checks import Check, Status
from raymap.errors import CommandError
from store.config.protocol import Configuration
from store.times import SECOND

DAY = 24 * 3600
CERTIFICATE_WARN = 21 * DAY
KEY_WARN = 7 * DAY
BACKUP_WARN = 8 * DAY
"""Seconds: what runs each week is late by then."""
EXPIRED, NOT_YET_VALID = 10, 9
"""X509_V_ERR_CERT_HAS_EXPIRED and …_NOT_YET_VALID."""


def certificate_checks(cert: Path | None, key: Path | None, now: float) -> Iterator[Check]:
    """Whether the certificate can be used, and until when; nothing without one."""
    if cert is None:
        return
    renew = f"renew {cert}, then send SIGHUP to raymap"
    try:
        left = not_after(cert, key) - now
    except ssl.SSLCertVerificationError as error:
        words = {EXPIRED: "has expired", NOT_YET_VALID: "is not valid yet"}
        said = words.get(error.verify_code, error.verify_message)
        yield Check("certificate", "fail", f"{cert} {said}", renew)
        return
    except OSError as error:  # ssl.SSLError, too
        yield Check("certificate", "fail", f"{cert}: {error.strerror or error}", renew)
        return
    status: Status = "warn" if left < CERTIFICATE_WARN else "ok"
    detail = f"{cert} is valid for {_span(left)} more"
    yield Check("certificate", status, detail, renew if status != "ok" else "")


def secret_check(data_dir: Path) -> Check:
    """Whether the secret from which keys and sessions are derived can be used, and others on this machine
    cannot read it."""
    path = data_dir / SECRET
    try:
        read_secret(path)
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        return Check("auth secret", "ok", f"none at {path}: made when it is first needed")
    except PermissionError as error:
        return Check("auth secret", "warn", f"{path}: {error.strerror}", "run as the server's user")
    except OSError as error:
        return Check("auth secret", "fail", f"{path}: {error.strerror}", "restore it from a backup")
    except CommandError as error:
        return Check("auth secret", "fail", str(error), "restore it from a backup")
    if mode & 0o077:
        return Check("auth secret", "fail", f"{path} has mode {mode:04o}", f"chmod 600 {path}")
    return Check("auth secret", "ok", f"{path}, mode {mode:04o}")


def key_checks(configuration: Configuration, now: float) -> Iterator[Check]:
    """Keys and people, and which keys end soon."""
    keys = [
        key
        for key in read_keys(configuration).values()
        if not key.revoked and not 0 < key.expires <= now
    ]
    people = read_people(configuration).users
    detail = f"{len(keys):,} valid keys, {len(people):,} people who can sign in"
    soon = [key for key in keys if 0 < key.expires < now + KEY_WARN]
    if not soon:
        yield Check("keys", "ok", detail)
        return
    first = min(soon, key=lambda key: key.expires)
    yield Check(
        "keys",
        "warn",
        f"{detail}; {len(soon):,} expire within a week, the first, {first.name}, in {_span(first.expires - now)}",
        f"raymap key rotate {first.id}",
    )


def backup_check(last: int, now: float) -> Iterator[Check]:
    """When the last backup was made; ``last`` in microseconds, 0 for never."""
    if not last:
        yield Check("backup", "warn", "none was made yet", "raymap backup FOLDER")
        return
    age = now - last / SECOND
    status: Status = "warn" if age > BACKUP_WARN else "ok"
    yield Check(
        "backup",
        status,
        f"the last was made {_span(age)} ago",
        "raymap backup FOLDER" if status != "ok" else "",
    )


def _span(seconds: float) -> str:
    if seconds < 2 * DAY:
        return f"{max(0.0, seconds) / 3600:.0f} hours"
    return f"{seconds / DAY:.0f} days"

"""Creates the data directory, whose files only their owner may read: they contain traces.

A directory that existed before may be shared on purpose (`--data-dir .`), so only what is ours in it
is made private. What we write in it is not reached through symbolic links; it may be one itself, which the
operator has named.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from raymap.errors import CommandError
from store.private_files import make_private, refuse_link

OURS = ("run", "journal", "tenants", "clickhouse")


def prepare_data_dir(data_dir: Path) -> None:
    """Create the directory with mode 0700 and let new files be private: 0600, folders 0700.

    Raises as `require_owner`, and OSError for a symbolic link in a place of ours.
    """
    require_owner(data_dir)
    os.umask(0o077)
    data_dir.mkdir(parents=True, exist_ok=True)
    for path in _places(data_dir):
        refuse_link(path)
    for folder in map(data_dir.joinpath, OURS):
        if folder.is_dir():
            make_private(folder)


def require_owner(data_dir: Path) -> None:
    """Raise CommandError for root where the server is another user, which could not read root's files."""
    found = [folder for name in OURS if (folder := data_dir / name).is_dir()]
    owners = {folder.stat().st_uid for folder in found}
    if os.geteuid() != 0 or owners <= {0}:
        return
    owner = max(owners)
    raise CommandError(
        f"{data_dir} belongs to user {_name_of(owner)}, who could not read what root writes there: run this "
        f"as that user (systemd: deploy/systemd/raymap; containers: without --user root)."
    )


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _places(data_dir: Path) -> Iterator[Path]:
    """Our folders, and what is in them. Below `clickhouse/data` links are ClickHouse's own."""
    for name in OURS:
        yield data_dir / name
        for folder, folders, files in os.walk(data_dir / name):
            yield from (Path(folder, each) for each in (*folders, *files))
            if name == "clickhouse":
                break

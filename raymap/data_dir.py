"""Creates the data directory, whose files only their owner may read: they contain traces.

A directory that existed before may be shared on purpose (`--data-dir .`), so only what is ours in it
is made private.
"""

from __future__ import annotations

import os
from pathlib import Path

OURS = ("run", "journal", "tenants", "clickhouse")


def prepare_data_dir(data_dir: Path) -> None:
    """Create the directory with mode 0700 and let new files be private: 0600, folders 0700."""
    os.umask(0o077)
    data_dir.mkdir(parents=True, exist_ok=True)
    for folder in map(data_dir.joinpath, OURS):
        if folder.is_dir():
            folder.chmod(0o700)

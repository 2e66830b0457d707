"""`raymap` of a release with more migrations: ``python -m tests.raymap.next_release FOLDER command …``."""

from __future__ import annotations

import sys
from pathlib import Path

from raymap import cli
from store.clickhouse.schema import migrate, version


def main() -> None:
    """The command line, with the migrations of a folder in place of its own."""
    folder = Path(sys.argv.pop(1))
    vars(migrate)["FOLDER"] = vars(version)["FOLDER"] = folder
    defaults = migrate.migrate.__kwdefaults__ or {}
    defaults["folder"] = folder
    cli.main()


if __name__ == "__main__":
    main()

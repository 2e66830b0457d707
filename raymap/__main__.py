"""The entry point, as console script and as `python -m raymap`."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGES = Path(__file__).with_name("_packages")
"""Where a wheel has the packages collector, store, api and ui: their names are common, and a package
of the same name beside Raymap must neither replace one of ours nor be replaced."""


def main() -> None:
    """The console script."""
    put_packages_first()
    from raymap.cli import main

    main()


def put_packages_first() -> None:
    """Let this process import our packages in place of others of the same name.

    For processes of Raymap only: an import of `raymap` changes nothing for the program that does it.
    """
    folder = PACKAGES if PACKAGES.is_dir() else PACKAGES.parents[1]  # a source tree
    sys.path.insert(0, str(folder))


if __name__ == "__main__":
    main()

"""The pages of docs/reference/, which are written from the code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.docs import commands, metrics, operations

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"


def pages(data_dir: Path) -> Mapping[str, str]:
    """Text by name; the data directory is scratch space for the apps whose routes are read."""
    return {
        "commands.md": commands.page(),
        "metrics.md": metrics.page(),
        "http-api.md": operations.page(data_dir),
    }

"""Prints the OpenAPI document without a server: ``python -m api.openapi``."""

from __future__ import annotations

import json
import sys
from typing import Any

from api.app import create_app
from store.memory import MemoryStore


def document(version: str = "0") -> dict[str, Any]:
    """The document as GET /api/openapi.json serves it, without the collector's routes."""
    return create_app(MemoryStore(), version=version).openapi()


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")

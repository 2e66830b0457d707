"""The key with which commands send to a server that requires one."""

from __future__ import annotations

import os

VARIABLE = "RAYMAP_TOKEN"


def authorization() -> dict[str, str]:
    """The header with the token in RAYMAP_TOKEN; none without one. Not a flag, which others could read."""
    token = os.environ.get(VARIABLE, "")
    return {"Authorization": f"Bearer {token}"} if token else {}

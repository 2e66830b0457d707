"""Names of tenants: what is one."""

from __future__ import annotations

import re

MAX_NAME = 40
DEFAULT = "default"
"""What messages call the tenant without a name."""
_NAME = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{MAX_NAME - 1}}}")


def check_name(name: str) -> None:
    """Raises ValueError for what is no tenant's name."""
    if not _NAME.fullmatch(name) or name == DEFAULT:
        raise ValueError(
            f"{name!r} is no tenant's name: expected 1 to {MAX_NAME} lower-case letters, digits and "
            f"hyphens, beginning with a letter or digit, and not {DEFAULT!r}"
        )

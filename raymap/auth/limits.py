"""The limits that a key may have; `raymap.auth.quotas` counts them."""

from __future__ import annotations

from msgspec import Struct


class KeyLimits(Struct, frozen=True, omit_defaults=True):
    """0 means no limit."""

    documents_per_second: float = 0
    names_per_minute: int = 0
    bytes_per_day: int = 0

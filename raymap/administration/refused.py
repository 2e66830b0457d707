"""Refusals that the command line prints and the HTTP API answers, and what several things must be."""

from __future__ import annotations

import math

from raymap.auth.limits import KeyLimits
from raymap.errors import CommandError


class Refused(CommandError):
    """What cannot be done. ``message`` names the member that is wrong, and what was expected; ``code`` and
    ``status`` are those of HTTP; ``hint``: what helps on a command line."""

    def __init__(
        self, message: str, *, code: str = "InvalidRequest", status: int = 400, hint: str = ""
    ) -> None:
        super().__init__(sentence(f"{message}: {hint}" if hint else message))
        self.message, self.code, self.status = message, code, status


def sentence(words: str) -> str:
    """The words with a capital and a full stop."""
    return f"{words[0].upper()}{words[1:]}."


MAX_NAME = 100
NO_LIMITS = KeyLimits()
MOST = {
    "documents_per_second": 1_000_000_000,
    "names_per_minute": 1_000_000_000,
    "bytes_per_day": 10**15,
}
"""What a limit may be: more is none."""


def check_name(name: str) -> None:
    """Refuses what cannot name a key or a member."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise Refused(
            f"name must have 1 to {MAX_NAME} printable characters, none of them a space at its ends"
        )


def check_limits(limits: KeyLimits) -> KeyLimits | None:
    """The limits as they are stored. Raises Refused."""
    for name, most in MOST.items():
        check_between(name, getattr(limits, name), most)
    return None if limits == NO_LIMITS else limits


def check_between(name: str, number: float, most: float) -> None:
    """Refuses a number beyond its bounds."""
    if not math.isfinite(number) or not 0 <= number <= most:
        raise Refused(f"{name} must lie between 0 and {most:,}, got {number:g}")

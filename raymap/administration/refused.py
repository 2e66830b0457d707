"""Refusals that the command line prints and the HTTP API answers."""

from __future__ import annotations

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


def check_name(name: str) -> None:
    """Refuses what cannot name a key or a member."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise Refused(
            f"name must have 1 to {MAX_NAME} printable characters, none of them a space at its ends"
        )

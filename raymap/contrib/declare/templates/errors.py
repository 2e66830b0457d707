"""The one error of reading templates."""

from __future__ import annotations

from raymap.errors import CommandError


class InvalidTemplate(CommandError):
    """A template cannot be read: which file, the line if it is known, and what is wrong."""

    def __init__(self, file: str, problem: str, line: int | None = None) -> None:
        super().__init__(f"{file}{f', line {line}' if line else ''}: {problem}")

"""Why an expression cannot be read, and where."""

from __future__ import annotations


class FilterError(ValueError):
    """An expression that cannot be read. ``position`` counts characters from 0; ``message``
    ends with the hint, if there is one."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        suffix = f"; {hint}" if hint else ""
        super().__init__(f"{message} at position {position + 1}{suffix}")
        self.message = f"{message}{suffix}"
        self.position = position
        self._parts = message, hint

    def moved(self, by: int) -> FilterError:
        """The same error of a text that begins elsewhere."""
        message, hint = self._parts
        return FilterError(message, max(0, self.position + by), hint)

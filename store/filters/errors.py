"""Why an expression cannot be read, and where."""

from __future__ import annotations


class FilterError(ValueError):
    """An expression that cannot be read. ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} at position {position + 1}")
        self.message = message
        self.position = position

    def moved(self, by: int) -> FilterError:
        """The same error of a text that begins elsewhere."""
        return FilterError(self.message, max(0, self.position + by))

"""Arrays whose last axis is the series, which grow with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

DAY = 1440
"""Minutes."""


class Columns:
    """The attributes that subclasses name in ``columns`` (words) are arrays with an element per series at their end."""

    columns = ""
    fills: ClassVar[Mapping[str, float]] = {}
    """By attribute: what a new series has, if that is not 0."""

    def __init__(self) -> None:
        self.size = 0

    def grow(self, size: int) -> None:
        """Let the arrays have room for so many series."""
        if size <= self.size:
            return
        room = max(size, min(2 * self.size, self.size + 4096), 64)
        for name in self.columns.split():
            fill = self.fills.get(name, 0)
            old: NDArray[Any] = getattr(self, name)
            new = np.full((*old.shape[:-1], room), fill, old.dtype)
            new[..., : old.shape[-1]] = old
            setattr(self, name, new)
        self.size = room

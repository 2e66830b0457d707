"""What an answer lacks: cells that did not answer while it was made.

Code that can say so gathers their names (`gathering`), as the API does around each request. Elsewhere a cell that does not
answer is an error: alarms and problems judge nothing from a part of the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Lacking:
    """Names of cells, in an answer that is being made. Shared by the threads that make it."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()
        self.closed = False
        """Whether the answer has begun, so that nothing can be said in it any more."""

    @property
    def names(self) -> list[str]:
        """In order."""
        return sorted(self._names)

    def add(self, names: Iterable[str]) -> None:
        """Also lacks these."""
        self._names |= frozenset(names)


_GATHERED: ContextVar[Lacking | None] = ContextVar("lacking", default=None)


@contextmanager
def gathering() -> Iterator[Lacking]:
    """Accept answers that lack something, and gather what."""
    lacking = Lacking()
    token = _GATHERED.set(lacking)
    try:
        yield lacking
    finally:
        _GATHERED.reset(token)


@contextmanager
def whole() -> Iterator[None]:
    """Accept no answer that lacks something: it is to be judged."""
    token = _GATHERED.set(None)
    try:
        yield
    finally:
        _GATHERED.reset(token)


def note(names: Iterable[str]) -> bool:
    """Whether it can be said that the answer lacks these."""
    lacking = _GATHERED.get()
    if lacking is None or lacking.closed:
        return False
    lacking.add(names)
    return True


def lacks() -> list[str]:
    """What the answer that is being made lacks so far."""
    lacking = _GATHERED.get()
    return [] if lacking is None else lacking.names

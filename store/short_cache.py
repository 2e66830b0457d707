"""A bounded cache of a function's results: bounded in entries, as `lru_cache`, and in their size."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

T = TypeVar("T")

MAX_LENGTH = 1000
"""Characters of the arguments that are worth caching: longer ones do not repeat, and senders could
fill the memory with them."""


def short_cache(entries: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Cache results for short arguments: texts, numbers and tuples of these."""

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        cached: Callable[..., T] = lru_cache(entries, typed=True)(function)

        @wraps(function)
        def call(*arguments: Any) -> T:
            return cached(*arguments) if _length(arguments) <= MAX_LENGTH else function(*arguments)

        return call

    return decorate


def _length(values: tuple[Any, ...]) -> int:
    length = 0
    for value in values:
        if isinstance(value, str):
            length += len(value)
        elif isinstance(value, tuple):
            length += _length(value)
    return length

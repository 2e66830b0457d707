"""Runs decoding off the event loop when the body is large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

INLINE_BYTES = 128 << 10
"""Smaller bodies are decoded on the event loop: 2 ms of X-Ray documents, 10 ms of OTLP spans. Handing
one to a thread costs more than it saves while other threads hold the interpreter's lock."""

_T = TypeVar("_T")


async def decode_off_loop(size: int, decode: Callable[[], _T]) -> _T:
    """``decode()``, in a thread when the body has more than `INLINE_BYTES`."""
    if size <= INLINE_BYTES:
        return decode()
    return await asyncio.to_thread(decode)  # in the context of the request

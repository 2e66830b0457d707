"""Runs decoding off the event loop when the body is large, and the largest one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from collector.budget import LARGE

INLINE_BYTES = 128 << 10
"""Smaller bodies are decoded on the event loop: 2 ms of X-Ray documents, 10 ms of OTLP spans. Handing
one to a thread costs more than it saves while other threads hold the interpreter's lock."""

_T = TypeVar("_T")
_one_at_a_time = ThreadPoolExecutor(1, "decode-large")
"""Decoding takes several times the memory of the body, and two at once are not done sooner, as threads share
the interpreter's lock."""


async def decode_off_loop(size: int, decode: Callable[[], _T]) -> _T:
    """``decode()``, in a thread when the body has more than `INLINE_BYTES`."""
    if size <= INLINE_BYTES:
        return decode()
    if size < LARGE:
        return await asyncio.to_thread(decode)  # in the context of the request
    loop, context = asyncio.get_running_loop(), copy_context()
    return await loop.run_in_executor(_one_at_a_time, context.run, decode)

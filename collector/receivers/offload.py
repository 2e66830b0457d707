"""Runs decoding off the event loop when the body is large, one after the other."""

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
_ordinary, _large = ThreadPoolExecutor(1, "decode"), ThreadPoolExecutor(1, "decode-large")
"""Threads share the interpreter's lock: with several, decoding is not done sooner, costs more and takes
several times the memory of all bodies. A large body does not delay ordinary ones."""


async def decode_off_loop(size: int, decode: Callable[[], _T]) -> _T:
    """``decode()``, in a thread when the body has more than `INLINE_BYTES`."""
    if size <= INLINE_BYTES:
        return decode()
    executor = _ordinary if size < LARGE else _large
    context = copy_context()  # of the request
    return await asyncio.get_running_loop().run_in_executor(executor, context.run, decode)

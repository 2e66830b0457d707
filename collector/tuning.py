"""Process-wide settings of the allocator and the garbage collector."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_M_ARENA_MAX = -8
"""A parameter of mallopt(3)."""


def limit_malloc_arenas() -> None:
    """Let all threads allocate from two glibc arenas.

    Here one thread allocates what another frees. With an arena per thread, much of it stays with
    the process: 70 MB more at the end of an outage (measured).
    """
    with suppress(AttributeError, OSError, TypeError):  # not glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def give_back_memory() -> None:
    """Return to the system what has been freed, which glibc by itself retains for the most part."""
    with suppress(AttributeError, OSError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


def collect_less_often() -> None:
    """Let garbage collections visit many new objects at once.

    Imports make objects that stay, which Python's own thresholds visit again and again: a sixth of the
    CPU time of a start (measured).
    """
    gc.set_threshold(20_000, 20, 100)


def tune_gc() -> None:
    """Exclude all present objects from garbage collection, and collect new ones less often.

    Documents rarely form cycles and are freed before a collection sees them: a tenth of the CPU time
    (measured).
    """
    gc.collect()
    give_back_memory()  # what imports have freed
    gc.freeze()
    collect_less_often()

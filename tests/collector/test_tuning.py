"""Settings of the allocator and the garbage collector, where the platform has them."""

from __future__ import annotations

import ctypes
import gc
import platform
import weakref
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest

from collector import tuning


class Cycle:
    """Refers to itself, so that only a collection frees it."""

    itself: Cycle


@pytest.fixture
def collector_as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


@pytest.mark.usefixtures("collector_as_before")
def test_what_is_there_is_not_collected_again() -> None:
    gc.disable()
    garbage = Cycle()
    garbage.itself, gone = garbage, weakref.ref(garbage)
    del garbage
    assert gone() is not None
    tuning.tune_gc()
    gc.enable()
    assert gone() is None, "garbage was collected before the rest was set aside"
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == (20_000, 20, 100)


@pytest.mark.usefixtures("collector_as_before")
def test_new_objects_are_collected_less_often() -> None:
    gc.set_threshold(700, 10, 10)
    tuning.collect_less_often()
    assert gc.get_threshold() == (20_000, 20, 100)
    assert gc.isenabled()


def test_two_arenas(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *arguments: said.append(arguments))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    tuning.limit_malloc_arenas()
    assert said == [(-8, 2)]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others give it back by themselves")
def test_freed_memory_is_given_back() -> None:
    """glibc by itself retains what is freed below a block that is in use."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = [libc.malloc(4096) for _ in range(1 << 14)]
    for block in blocks:
        ctypes.memset(block, 1, 4096)
    top = libc.malloc(4096)
    for block in blocks:
        libc.free(block)
    retained = psutil.Process().memory_info().rss
    tuning.give_back_memory()
    given_back = retained - psutil.Process().memory_info().rss
    libc.free(top)
    assert given_back > 48 << 20


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_allocator_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def load(name: object) -> object:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", load)
    tuning.limit_malloc_arenas()

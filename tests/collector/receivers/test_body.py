"""Bodies piece by piece."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from collector import budget as budget_module
from collector.budget import LARGE, Budget, NoRoom
from collector.charges import UNKNOWN
from collector.receivers.body import Bodies, BodyError


def request(*pieces: bytes, end: bool = True, **headers: str) -> Request:
    """A request whose body arrives in these pieces, and then ends or breaks off."""
    messages: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    last: Message = {"type": "http.request"} if end else {"type": "http.disconnect"}
    left = iter([*messages, last])

    async def receive() -> Message:
        return next(left)

    named = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": named}, receive)


def bodies(max_bytes: int = 1000, budget: Budget | None = None) -> Bodies:
    """A reader with small bounds."""
    return Bodies(max_bytes=max_bytes, timeout=20.0, budget=budget or Budget(10_000))


def read(reader: Bodies, what: Request, during: Callable[[], None] = lambda: None) -> bytes:
    """The body."""

    async def whole() -> bytes:
        async with reader.read(what) as body:
            during()
            return body

    return asyncio.run(whole())


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_pieces_are_joined(pieces: list[bytes]) -> None:
    """Plain or packed, wherever it was cut."""
    whole = b"".join(pieces)
    assert read(bodies(), request(*pieces)) == whole
    encoded = gzip.compress(whole)
    cut = [encoded[start : start + 7] for start in range(0, len(encoded), 7)]
    assert read(bodies(), request(*cut, content_encoding="GZIP")) == whole


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (request(b"x" * 600, b"x" * 600), 413),
        (request(b"x", content_length="1001"), 413),
        (request(gzip.compress(b"x" * 1001), content_encoding="gzip"), 413),
        (request(b"x", end=False), 400),
        (request(b"nonsense", content_encoding="gzip"), 400),
        (request(gzip.compress(b"x")[:-1], content_encoding="gzip"), 400),
        (request(zlib.compress(b"x"), content_encoding="gzip"), 400),
        (request(b"x", content_encoding="br"), 415),
    ],
)
def test_not_taken(what: Request, status: int) -> None:
    """And nothing stays counted."""
    budget = Budget(10_000)
    with pytest.raises(BodyError) as caught:
        read(bodies(budget=budget), what)
    assert caught.value.status == status
    assert budget.reserved == 0


def test_all_bodies_together_are_bounded() -> None:
    """Reserved while the first is being processed, free afterwards."""
    budget = Budget(1500)
    reader, other = bodies(budget=budget), bodies(budget=budget)

    def another() -> None:
        assert budget.reserved == 1000
        with pytest.raises(NoRoom):
            budget.reserve(501, UNKNOWN)

    read(reader, request(b"x" * 1000), another)
    assert budget.reserved == 0
    assert read(other, request(b"x" * 1000)) == b"x" * 1000


def test_a_body_without_room_is_refused_for_now() -> None:
    with pytest.raises(BodyError) as caught:
        read(bodies(budget=Budget(999)), request(b"x" * 1000))
    assert caught.value.status == 503


@pytest.mark.parametrize(("size", "times"), [(LARGE, 1), (LARGE - 1, 0)])
@pytest.mark.parametrize("compressed", [False, True])
def test_after_a_large_body_memory_is_given_back(
    monkeypatch: pytest.MonkeyPatch, size: int, times: int, compressed: bool
) -> None:
    """Soon, and once for several; a small one is not worth it. What counts is the size decompressed."""
    given_back: list[int] = []
    monkeypatch.setattr(budget_module, "GIVE_BACK_AFTER", 0.0)
    monkeypatch.setattr(budget_module, "give_back_memory", lambda: given_back.append(1))
    reader = bodies(max_bytes=8 << 20, budget=Budget(64 << 20))
    raw = gzip.compress(bytes(size), 1) if compressed else bytes(size)
    headers: dict[str, Any] = {"content_encoding": "gzip"} if compressed else {}

    async def whole() -> None:
        for _ in range(2):
            async with reader.read(request(raw, **headers)):
                pass
        for _ in range(10):
            await asyncio.sleep(0)
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(whole())
    assert len(given_back) == times

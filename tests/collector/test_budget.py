"""Shares of the bytes that requests may take."""

from __future__ import annotations

import asyncio

import pytest

from collector import budget as module
from collector.budget import Budget, NoRoom
from collector.charges import UNKNOWN, Sender

KEY, SAME_TENANT, OTHER = Sender("t", "a"), Sender("t", "b"), Sender("", "c")


def test_a_key_and_a_tenant_have_a_share_each() -> None:
    budget = Budget(60)
    budget.reserve(20, KEY)
    with pytest.raises(NoRoom):
        budget.reserve(1, KEY)
    budget.reserve(10, SAME_TENANT)
    with pytest.raises(NoRoom):
        budget.reserve(1, SAME_TENANT)
    budget.reserve(20, OTHER)
    budget.reserve(10, UNKNOWN)
    with pytest.raises(NoRoom):
        budget.reserve(1, UNKNOWN)
    budget.release(20, KEY)
    budget.reserve(10, SAME_TENANT)
    for size, sender in ((20, SAME_TENANT), (20, OTHER), (10, UNKNOWN)):
        budget.release(size, sender)
    assert budget.reserved == 0


def test_calls_wait_for_room_and_one_that_does_not_fit_delays_no_other() -> None:
    async def scenario() -> None:
        budget = Budget(60)
        await budget.wait(20, KEY)
        second = asyncio.create_task(budget.wait(10, KEY))
        await asyncio.sleep(0)
        await asyncio.wait_for(budget.wait(20, OTHER), 1)
        assert not second.done()
        budget.release(20, KEY)
        await asyncio.wait_for(second, 1)
        assert budget.reserved == 30

    asyncio.run(scenario())


def test_who_gives_up_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAIT", 0.01)

    async def scenario() -> None:
        budget = Budget(60)
        budget.reserve(60, UNKNOWN)
        with pytest.raises(NoRoom):
            await budget.wait(1, UNKNOWN)
        gone = asyncio.create_task(budget.wait(1, UNKNOWN))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        budget.release(60, UNKNOWN)
        assert budget.reserved == 0

    asyncio.run(scenario())

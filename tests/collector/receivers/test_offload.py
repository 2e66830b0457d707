"""Large bodies are decoded in a thread, so that the event loop goes on answering others."""

from __future__ import annotations

import asyncio
import threading

import pytest

from collector.receivers.offload import INLINE_BYTES, decode_off_loop
from tests.waiting import SECONDS


@pytest.mark.parametrize(("size", "inline"), [(INLINE_BYTES, True), (INLINE_BYTES + 1, False)])
def test_where_it_is_decoded(size: int, inline: bool) -> None:
    async def scenario() -> bool:
        return await decode_off_loop(size, threading.get_ident) == threading.get_ident()

    assert asyncio.run(scenario()) is inline


def test_the_loop_goes_on_meanwhile() -> None:
    answered = threading.Event()

    async def scenario() -> bool:
        decoding = asyncio.ensure_future(
            decode_off_loop(INLINE_BYTES + 1, lambda: answered.wait(SECONDS))
        )
        await asyncio.sleep(0)
        answered.set()
        return await decoding

    assert asyncio.run(scenario())


@pytest.mark.parametrize("size", [1, INLINE_BYTES + 1])
def test_errors_are_the_decoders_own(size: int) -> None:
    def decode() -> None:
        raise ValueError("bytes 3 to 5")

    with pytest.raises(ValueError, match="bytes 3 to 5"):
        asyncio.run(decode_off_loop(size, decode))

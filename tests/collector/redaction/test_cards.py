"""Which digits are the number of a card: real test numbers of issuers, and what is none."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from collector.redaction.cards import NUMBER, is_card

TEST_NUMBERS = [
    "4111111111111111", "4012888888881881", "4222222222222", "5555555555554444", "5105105105105100",
    "2223003122003222", "378282246310005", "371449635398431", "6011111111111117", "6011000990139424",
    "3530111333300000", "30569309025904", "38520000023237", "36227206271667", "6200000000000005",
    "5555 5555 5555 4444", "3782-822463-10005",
]  # fmt: skip


@pytest.mark.parametrize("text", TEST_NUMBERS)
def test_cards(text: str) -> None:
    assert is_card(text)
    found = NUMBER.search(f"paid with {text}, thanks")
    assert found is not None
    assert found[0] == text


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111121", "1234567812345670", "41111111111111111", "411111111111116", "9999999999999995",
        "7000000000000005", "5055555555555550", "2721000000000004", "411111111111",
    ],
)  # fmt: skip
def test_others(text: str) -> None:
    """A wrong check digit, no issuer, or a length that the issuer does not use."""
    assert not is_card(text)


def test_the_share_of_random_numbers_and_timestamps() -> None:
    draw = random.Random(7)
    numbers = [
        str(draw.randrange(10 ** (n - 1), 10**n)) for n in range(13, 20) for _ in range(2_000)
    ]
    assert sum(map(is_card, numbers)) / len(numbers) < 0.02
    start = datetime(2020, 1, 1)
    times = [
        start + timedelta(milliseconds=draw.randrange(10 * 365 * 86_400_000)) for _ in range(5_000)
    ]
    assert not any(is_card(f"{time:%Y%m%d%H%M%S%f}"[:17]) for time in times)
    assert not any(is_card(str(int(time.timestamp() * 1e6))) for time in times)

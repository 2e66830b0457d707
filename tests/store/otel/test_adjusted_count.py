"""Adjusted counts of sampled spans (OpenTelemetry's ``ot=th``)."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.otel.adjusted_count import LARGEST, adjusted_count

HIGHEST = b"\xff" * 16
"""A trace that every threshold keeps."""


def trace(randomness: int) -> bytes:
    return bytes(9) + randomness.to_bytes(7, "big")


@pytest.mark.parametrize(
    ("state", "count"),
    [
        ("", 1),
        ("ot=th:0", 1),
        ("ot=th:8", 2),
        ("ot=th:c", 4),
        ("ot=th:e", 8),
        ("ot=th:f", 16),
        ("ot=th:fc00", 64),
        ("ot=rv:ffffffffffffff;th:c", 4),
        ("ot=p:8;th:c;r:62", 4),
        ("vendor=x, ot=th:c ,other=ot=th:8", 4),
        ("vendor=x;th:8,ot=th:c", 4),
        ("ot=th:c,ot=th:8", 4),
        ("ot=p:0", 1),
        ("ot=p:3", 8),
        ("ot=p:3;r:5", 8),
        ("ot=r:3;p:3", 8),
        ("ot=r:62;p:20", 1 << 20),
        ("ot=p:21", LARGEST),
        ("ot=p:62;r:62", LARGEST),
        ("vendor=p:9,ot=p:2", 4),
        ("ot=th:ffffffffffffff", LARGEST),
        ("ot=th:fffff", LARGEST),
        ("ot=th:ffffe", LARGEST // 2),
    ],
)
def test_counts(state: str, count: int) -> None:
    """The tables of the specification; trailing zeros are left out, other members are others'."""
    assert adjusted_count(state, HIGHEST) == count


@pytest.mark.parametrize(
    "state",
    [
        "ot",
        "ot=",
        "ot=th",
        "ot=th:",
        "ot=th:g",
        "ot=th:C",
        "ot=th:0x8",
        "ot=th: c",
        "ot=th:c;",
        "ot=th:c;x",
        "ot=th:c000000000000000",
        "ot=th:-1",
        "ot=th:c;th:8",
        "ot=rv:ffffffffffffff",
        "ot=rv:ff;th:c",
        "ot=rv:FFFFFFFFFFFFFF;th:c",
        "ot=th:c;x:" + "y" * 256,
        "ot=r:3",
        "ot=p:",
        "ot=p:-1",
        "ot=p:3.0",
        "ot=p:0x3",
        "ot=p:٣",
        "ot=p:003",
        "ot=p:64",
        "ot=p:73;r:4",
        "ot=p:63",
        "ot=p:63;r:4",
        "ot=p:3;r:2",
        "ot=p:10;r:100",
        "ot=p:10;r:63",
        "ot=p:10;r:x",
        "ot=th:g;p:3",
        "tenant@ot=th:c",
        "xot=th:c",
        "OT=th:c",
    ],
)
def test_no_threshold(state: str) -> None:
    """What is malformed is as if it were not there."""
    assert adjusted_count(state, HIGHEST) == 1


@pytest.mark.parametrize(
    ("state", "id", "count"),
    [
        ("ot=th:c", trace(0xC0000000000000), 4),
        ("ot=th:c", trace(0xBFFFFFFFFFFFFF), 1),
        ("ot=th:c;rv:bfffffffffffff", HIGHEST, 1),
        ("ot=th:c;rv:c0000000000000", trace(0), 4),
    ],
)
def test_a_trace_that_would_not_have_been_sampled(state: str, id: bytes, count: int) -> None:
    """Its threshold is wrong: the span represents itself."""
    assert adjusted_count(state, id) == count


def test_powers_estimate_what_there_was() -> None:
    """Of 200,000 traces a tenth, selected as the former specification says: by 1/8 in six of ten, else 1/16."""
    random, total, counted = Random(5), 200_000, 0
    for _ in range(total):
        greatest = min(62, 62 - random.getrandbits(62).bit_length())
        power = 3 if random.random() < 0.6 else 4
        if power <= greatest:
            counted += adjusted_count(f"ot=p:{power};r:{greatest}", HIGHEST)
    assert counted == pytest.approx(total, rel=0.03)


@given(st.integers(0, 2**56 - 1), st.integers(0, 2**56 - 1))
def test_within_one_of_the_fraction(rejected: int, randomness: int) -> None:
    exact = Fraction(2**56, 2**56 - rejected)
    count = adjusted_count(f"ot=th:{rejected:014x}", trace(randomness))
    if randomness < rejected:
        assert count == 1
    else:
        assert 1 <= count <= LARGEST
        assert abs(count - exact) < 1 or count == LARGEST < exact


@pytest.mark.parametrize("digits", ["5", "aaab", "ccd", "e66", "fd70a"])
def test_rounding_is_fair(digits: str) -> None:
    """Over the randomness of sampled traces the mean is the fraction: exactly, by counting in steps."""
    rejected = int(digits.ljust(14, "0"), 16)
    sampled = 2**56 - rejected
    steps = 1 << (16 if len(digits) < 5 else 20)
    step = Fraction(2**56, steps)
    counts = [
        adjusted_count(f"ot=th:{digits}", trace(int(number * step)))
        for number in range(int(rejected / step), steps)
    ]
    assert abs(Fraction(sum(counts), len(counts)) - Fraction(2**56, sampled)) <= Fraction(
        1, len(counts)
    )


def test_the_sum_estimates_what_there_was() -> None:
    """Of 200,000 traces a third is sampled; these count for about all of them."""
    random, rejected = Random(11), 2**56 // 3 * 2
    state = f"ot=th:{rejected:014x}"
    ids = [random.randbytes(16) for _ in range(200_000)]
    sampled = [id for id in ids if int.from_bytes(id[-7:], "big") >= rejected]
    assert sum(adjusted_count(state, id) for id in sampled) == pytest.approx(200_000, rel=0.01)


@given(st.text(), st.binary(min_size=16, max_size=16))
def test_any_text(state: str, id: bytes) -> None:
    """Whatever a sender writes is a count."""
    assert 1 <= adjusted_count(f"ot={state}", id) <= LARGEST
    assert 1 <= adjusted_count(f"ot=th:{state}", id) <= LARGEST
    assert 1 <= adjusted_count(f"ot=p:{state}", id) <= LARGEST

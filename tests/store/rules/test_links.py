"""Which links are valid, and in which direction they lead (docs/xray-format.md §2.9)."""

from __future__ import annotations

import pytest

from store.model import Link
from store.rules.links import read_link

OWN, OTHER = bytes(15) + b"\1", bytes(15) + b"\2"


def test_without_a_reference_type_the_other_end_is_upstream() -> None:
    assert read_link(OWN, OTHER, 7, None, None) == Link(OTHER, 7, True, 0)
    assert read_link(OWN, OTHER, 7, "parent", 1.5, 3) == Link(OTHER, 7, True, 1_500_000, 3)


def test_a_child_is_downstream() -> None:
    assert read_link(OWN, OTHER, 7, "child", 2) == Link(OTHER, 7, False, 2_000_000)


@pytest.mark.parametrize("received", [True, "1.5", -1, 1e12, None])
def test_an_invalid_receipt_is_unknown(received: object) -> None:
    assert read_link(OWN, OTHER, 7, None, received) == Link(OTHER, 7)


@pytest.mark.parametrize(("trace_id", "id"), [(OWN, 7), (OTHER, 0), (b"\1", 7), (bytes(16), 7)])
def test_invalid_links(trace_id: bytes, id: int) -> None:
    assert read_link(OWN, trace_id, id, None, None) is None

"""Ids of documents, and of calls that come without one."""

from __future__ import annotations

import pytest

from collector.decode.ids import Identity, further_call_id, read_id, synthetic_id
from tests.builders import T0, TRACE


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("00000000000000a1", 0xA1),
        ("FFFFFFFFFFFFFFFF", (1 << 64) - 1),
        ("0000000000000000", 0),
        ("a1", 0),
        ("00000000000000a1f", 0),
        ("00000000000000g1", 0),
        ("0x000000000000a1", 0),
        ("０００００００００００００００１", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_read_id(text: str | None, value: int) -> None:
    assert read_id(text) == value


def test_a_made_id_depends_on_its_document_and_place_alone() -> None:
    """So that the same document, delivered again, has the same calls."""
    document = Identity(TRACE, 0xA1, 0, False, T0, T0 + 1)
    again = Identity(TRACE, 0xA1, 0xB1, True, T0, T0 + 9)
    other = Identity(TRACE, 0xA2, 0, False, T0, T0 + 1)
    assert synthetic_id(document, 3) == synthetic_id(again, 3)
    made = [synthetic_id(d, at) for d in (document, other) for at in range(50)]
    made += [further_call_id(TRACE, id, at) for id in (0xA1, 0xA2) for at in range(50)]
    assert len(set(made)) == 200
    assert all(0 < id < 1 << 64 for id in made)

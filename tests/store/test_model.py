"""Small rules of the domain model."""

from __future__ import annotations

from store.model import NodeKey, State, TimeRange, client_of, precedence
from tests.builders import T0


def test_complete_takes_precedence_then_the_latest() -> None:
    in_progress, complete = State.IN_PROGRESS, State.OK
    assert precedence(complete, 1) > precedence(in_progress, 2)
    assert precedence(complete, 2) > precedence(complete, 1)
    assert precedence(in_progress, 2) > precedence(in_progress, 1)


def test_windows_are_half_open() -> None:
    window = TimeRange(T0, T0 + 120_000_000)
    assert T0 in window
    assert T0 + 120_000_000 not in window
    assert window.minutes == 2


def test_a_client_has_the_roots_name() -> None:
    client = client_of(NodeKey("123456789012", "shop", "AWS::Lambda"))
    assert client.is_client
    assert client.name == "shop"

"""Which nodes pass messages on, and what answers a call."""

from __future__ import annotations

import itertools

import pytest

from store.model import Fetched, Kind, NodeKey
from store.rules.brokers import AWS_BROKERS, answers, is_broker

TYPES = {
    **dict.fromkeys((*AWS_BROKERS, "Messaging::Kafka", "Messaging::Other"), True),
    **dict.fromkeys(
        ("", "remote", "AWS::SQSx", "AWS::Lambda", "Database::SQL", "AMessaging::X"), False
    ),
}


@pytest.mark.parametrize(("type", "expected"), TYPES.items())
def test_is_broker(type: str, expected: bool) -> None:
    assert is_broker(NodeKey("", "orders", type)) is expected


def test_who_gets_or_fetches_messages_answers_nothing() -> None:
    answering = {each for each in itertools.product(Kind, Fetched) if answers(*each)}
    assert answering == {(kind, Fetched.NO) for kind in Kind if kind is not Kind.CONSUMER}

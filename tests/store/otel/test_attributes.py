"""OpenTelemetry attributes as plain values."""

from __future__ import annotations

from store.otel.attributes import number, read_attributes, text, texts
from tests.collector.otlp_samples import pairs


def test_values_of_every_kind() -> None:
    given = {"t": "x", "n": 7, "f": 0.5, "b": False, "l": ["a", 1], "m": {"k": [None]}, "e": ""}
    assert read_attributes(pairs(given)) == given
    assert read_attributes(pairs({"raw": b"\0\1"})) == {"raw": "AAE="}


def test_the_first_alternative_of_the_right_type_wins() -> None:
    attributes = {"old": "a", "new": 7, "empty": "", "list": [1, "b", ""]}
    assert text(attributes, "new", "empty", "old") == "a"
    assert text(attributes, "new") == ""
    assert texts(attributes, "empty", "list", "old") == ["b"]
    assert texts(attributes, "old") == ["a"]


def test_digits_are_numbers() -> None:
    """Zipkin's senders write all values as text."""
    assert number({"a": True, "b": "503", "c": 1}, "a", "b", "c") == 503
    assert number({"a": "-1", "b": "٣", "c": "9" * 10, "d": 2.0}, "a", "b", "c", "d") is None

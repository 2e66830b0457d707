"""The one classification function, case by case (docs/xray-format.md §5.6, §13)."""

from __future__ import annotations

import pytest

from store.model import State
from store.rules.classify import classify, failure_label, statuses_called

OK, ERROR, THROTTLE, FAULT = State.OK, State.ERROR, State.THROTTLE, State.FAULT


@pytest.mark.parametrize(
    ("flags", "status", "state"),
    [
        ("", 0, OK),
        ("", 200, OK),
        ("", 302, OK),
        ("", 399, OK),
        ("", 400, ERROR),
        ("", 404, ERROR),
        ("", 429, THROTTLE),
        ("", 499, ERROR),
        ("", 500, FAULT),
        ("", 503, FAULT),
        ("e", 0, ERROR),
        ("e", 200, ERROR),
        ("e", 404, ERROR),
        ("e", 429, THROTTLE),
        ("e", 500, ERROR),
        ("t", 0, THROTTLE),
        ("t", 200, THROTTLE),
        ("et", 429, THROTTLE),
        ("et", 400, THROTTLE),
        ("f", 0, FAULT),
        ("f", 200, FAULT),
        ("f", 404, FAULT),
        ("f", 429, FAULT),
        ("f", 503, FAULT),
        ("ft", 503, FAULT),
        ("ft", 429, FAULT),
        ("ef", 0, FAULT),
        ("ef", 200, FAULT),
        ("ef", 400, ERROR),
        ("ef", 404, ERROR),
        ("ef", 429, THROTTLE),
        ("ef", 500, FAULT),
        ("eft", 400, THROTTLE),
        ("eft", 429, THROTTLE),
        ("eft", 500, FAULT),
        ("eft", 0, FAULT),
    ],
)
def test_flags_and_status(flags: str, status: int, state: State) -> None:
    for in_progress, expected in ((False, state), (True, State.IN_PROGRESS)):
        found = classify(
            error="e" in flags,
            throttle="t" in flags,
            fault="f" in flags,
            status=status,
            in_progress=in_progress,
        )
        assert found == expected


def test_the_status_of_an_aws_call_beats_a_lone_fault_flag() -> None:
    """The X-Ray SDK for Go (1.8.5) sets fault, and throttle, for every failed call of its v1 SDK."""
    assert classify(fault=True, status=400, aws=True) == ERROR
    assert classify(fault=True, throttle=True, status=400, aws=True) == THROTTLE
    assert classify(fault=True, status=429, aws=True) == THROTTLE
    name = "dynamodb.ProvisionedThroughputExceededException"
    assert classify(fault=True, status=400, aws=True, exception=name) == THROTTLE
    assert classify(fault=True, status=503, aws=True) == FAULT
    assert classify(fault=True, aws=True) == FAULT


def test_a_throttled_dynamodb_call_is_purple_in_every_sdk() -> None:
    """HTTP 400 and an exception's name is all that Python's SDK gives."""
    name = "ProvisionedThroughputExceededException"
    assert classify(error=True, fault=True, status=400, exception=name) == THROTTLE
    java = "software.amazon.awssdk.services.dynamodb.model." + name
    assert classify(error=True, fault=True, status=400, exception=java) == THROTTLE
    assert classify(error=True, status=400, exception="ValidationException") == ERROR
    assert classify(fault=True, status=503, exception=name) == FAULT


def test_failures_are_named_by_exception_then_status() -> None:
    assert failure_label("KeyError", 500) == "KeyError"
    assert failure_label("", 503) == "HTTP 503"
    assert failure_label("", 0) == failure_label("", 200) == "No exception recorded"


def test_failures_that_say_nothing_have_statuses_too() -> None:
    assert statuses_called("No exception recorded") == [*range(400)]
    assert statuses_called("HTTP 503") == [503]
    assert statuses_called("HTTP 399") == statuses_called("Boom") == statuses_called("") == []

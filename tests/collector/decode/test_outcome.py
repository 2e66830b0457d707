"""How documents and calls ended, and the exception they are known by."""

from __future__ import annotations

from typing import Any

import pytest

from store.model import State
from tests.collector.decode.subsegments import call, flat, sub


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, State.OK),
        ({"error": False, "fault": False, "throttle": False}, State.OK),
        ({"error": True}, State.ERROR),
        ({"fault": True}, State.FAULT),
        ({"throttle": True}, State.THROTTLE),
        ({"http": {"response": {"status": 503}}}, State.FAULT),
        ({"http": {"response": {"status": 404}}}, State.ERROR),
        ({"http": {"response": {"status": 429}}}, State.THROTTLE),
        ({"error": True, "fault": True, "http": {"response": {"status": 400}}}, State.ERROR),
        ({"in_progress": True, "fault": True}, State.IN_PROGRESS),
        ({"end_time": None}, State.IN_PROGRESS),
        ({"end_time": 1.8e12}, State.IN_PROGRESS),
        (
            {"error": True, "cause": {"exceptions": [{"id": "1", "type": "ThrottlingException"}]}},
            State.THROTTLE,
        ),
    ],
)
def test_states(change: dict[str, Any], state: State) -> None:
    """One rule for segments and calls (`store.rules.classify`); unfinished calls have no length."""
    found = call(**change)
    assert found.state is state
    assert (found.end == found.start) is (state is State.IN_PROGRESS)
    if "end_time" not in change:
        assert flat(**change).state is state


def failed(id: str, exception: str, *inside: dict[str, Any], **change: Any) -> dict[str, Any]:
    """A local subsegment that failed with an exception."""
    cause = {"exceptions": [{"id": id, "type": exception}]}
    ended = {"fault": True, "cause": cause, "namespace": None, "subsegments": list(inside)}
    return sub(id, **{**ended, **change})


def test_a_failed_segment_is_known_by_its_deepest_exception() -> None:
    """Whether or not the segment repeats it; the first of equally deep ones."""
    inner = failed("00000000000000b2", "TaskTimedOut")
    other = failed("00000000000000b4", "Later", failed("00000000000000b5", "Second"))
    outer = failed("00000000000000b1", "HandlerFailed", inner)
    assert flat(outer, other, fault=True).exception == "TaskTimedOut"
    own = {"exceptions": [{"id": "e", "type": "RequestFailed"}]}
    assert flat(outer, fault=True, cause=own).exception == "TaskTimedOut"
    assert flat(sub(namespace=None), fault=True, cause=own).exception == "RequestFailed"


def test_handled_exceptions_do_not_name_a_failure() -> None:
    """Those of a document that succeeded, and of subsegments that ended otherwise than it did."""
    handled = failed("00000000000000b2", "ConditionalCheckFailed", fault=None, error=True)
    assert flat(handled).exception == ""
    own = {"exceptions": [{"id": "e", "type": "RequestFailed"}]}
    assert flat(handled, fault=True, cause=own).exception == "RequestFailed"
    assert flat(handled, fault=True).exception == "ConditionalCheckFailed"


def test_a_throttle_further_down_does_not_change_the_state() -> None:
    """Only the document's own exception classifies it."""
    thrown = failed("00000000000000b2", "ThrottlingException", fault=None, error=True)
    document = flat(thrown, error=True)
    assert (document.state, document.exception) == (State.ERROR, "ThrottlingException")


def test_exceptions() -> None:
    """The first exception's type, followed by id to where in the document it was recorded."""
    cause = {"exceptions": [{"id": "e1", "type": "KeyError"}, {"id": "e2", "type": "Other"}]}
    document = flat(sub(cause=cause, fault=True), fault=True, cause="e1")
    assert document.exception == "KeyError"
    assert document.calls[0].exception == "KeyError"
    assert flat(fault=True, cause="elsewhere").exception == ""
    assert flat(fault=True, cause={"exceptions": [{"id": "e"}]}).exception == ""

"""Two spellings, one id."""

from __future__ import annotations

import pytest

from store.times import DAY
from store.trace_id import format_trace_id, parse_trace_id, trace_time

X_RAY = "1-5759e988-bd862e3fe1be46a994272793"
W3C = "5759e988bd862e3fe1be46a994272793"


def test_both_forms_are_one_id() -> None:
    assert parse_trace_id(X_RAY) == parse_trace_id(W3C) == parse_trace_id(W3C.upper())
    assert format_trace_id(parse_trace_id(W3C)) == X_RAY


@pytest.mark.parametrize(
    "text",
    ["", "1-", X_RAY + "0", X_RAY[:-1], "2" + X_RAY[1:], W3C[:-1] + "g", "0" * 32, X_RAY + "\n"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"trace id|expected"):
        parse_trace_id(text)


def test_the_epoch_counts_only_when_plausible() -> None:
    epoch = 0x5759E988 * 1_000_000
    id = parse_trace_id(X_RAY)
    assert trace_time(id, epoch + DAY) == epoch
    assert trace_time(id, epoch + DAY + 1) == epoch + DAY + 1

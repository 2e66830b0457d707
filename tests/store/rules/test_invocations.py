"""Which ids the segments of an invocation have, and records as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from store.model import MAX_RANK
from store.rules.invocations import Evidence, made_id, pair_of, rank_of, read_record
from store.times import SECOND
from tests.lambda_samples import (
    END,
    FUNCTION_ID,
    SERVICE_ID,
    TRACE_ID,
    invocation,
    telemetry,
)

OTHER = 0xABC


@pytest.mark.parametrize("value", [None, [], {}, {"source": "text"}, {"source": "x", "end": 1}])
def test_anything_else_is_no_record(value: Any) -> None:
    assert read_record(TRACE_ID, value) is None


def test_a_segment_id_is_the_functions_until_the_trace_says_otherwise() -> None:
    assert pair_of(invocation()).function == FUNCTION_ID
    confirmed = pair_of(invocation(), Evidence(parent=FUNCTION_ID))
    assert confirmed == pair_of(invocation())
    # Subsegments name another parent: then the line named the service's segment.
    assert pair_of(invocation(), Evidence(parent=OTHER)) == (OTHER, FUNCTION_ID)


def test_without_a_segment_id_the_trace_names_the_function() -> None:
    bare = invocation(segment_id=0)
    assert pair_of(bare).function == made_id(bare, "function")
    assert pair_of(bare, Evidence(parent=OTHER)) == (OTHER, made_id(bare, "function"))


def test_tracing_names_both_segments() -> None:
    assert pair_of(telemetry()) == (FUNCTION_ID, SERVICE_ID)
    # Were the header's Parent what subsegments name, it would be the function's.
    assert pair_of(telemetry(), Evidence(parent=SERVICE_ID)).function == SERVICE_ID


def test_records_of_one_attempt_make_the_same_ids_and_a_retry_others() -> None:
    bare = invocation(segment_id=0)
    assert pair_of(bare) == pair_of(invocation(segment_id=0, billed_ms=7.0, version="9"))
    retry = invocation(segment_id=0, end=END + 60 * SECOND)
    assert not set(pair_of(bare)) & set(pair_of(retry))
    assert not bare.is_attempt_of(retry)


def test_a_record_that_knows_more_has_the_greater_rank() -> None:
    assert rank_of(invocation(account="")) < rank_of(invocation()) < rank_of(telemetry(region=""))
    assert rank_of(telemetry(account="")) < rank_of(telemetry())
    assert rank_of(invocation(account=""), Evidence()) > rank_of(telemetry())
    assert rank_of(telemetry(), Evidence()) <= MAX_RANK

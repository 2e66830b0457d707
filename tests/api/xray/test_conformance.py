"""docs/xray-api.md is what the operations do."""

from __future__ import annotations

import pytest

from tests.api.xray.conformance import (
    PAGE,
    REASONS,
    member_paths,
    page,
    reason,
)
from tests.api.xray.scenario import OPERATIONS, filled_paths


@pytest.mark.slow
def test_the_page_is_current() -> None:
    """Otherwise: python -m tests.api.xray.conformance"""
    text = page()
    assert text == PAGE.read_text(encoding="utf-8")
    assert [why for _, why in REASONS if why not in text] == []


def test_paths_of_members() -> None:
    shape = OPERATIONS["GetTraceSummaries"].output_shape
    paths = list(member_paths(shape))
    assert "TraceSummaries[].Annotations.*[].AnnotationValue.StringValue" in paths
    answer = {
        "TraceSummaries": [{"Annotations": {"k": [{"AnnotationValue": {"StringValue": ""}}]}}]
    }
    assert list(filled_paths(answer, shape)) == [
        "TraceSummaries[].Annotations.*[].AnnotationValue.StringValue"
    ]


def test_what_is_never_filled_needs_a_reason() -> None:
    assert reason("GetInsightEvents", "NextToken")
    with pytest.raises(ValueError, match="no reason is given"):
        reason("GetServiceGraph", "Services[].Name")

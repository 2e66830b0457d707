"""Properties of the wrong type: coerced if unambiguous, else dropped and counted by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from collector.decode.document import decode_document
from collector.decode.lenient import DROPPED
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from store.memory import MemoryStore
from store.model import State
from tests.collector.samples import START, segment_bytes


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ({"http": {"response": {"status": "429"}}}, State.THROTTLE),
        ({"http": {"response": {"status": 503.0}}}, State.FAULT),
        ({"error": "true"}, State.ERROR),
        ({"error": "True", "throttle": "TRUE"}, State.THROTTLE),
        ({"fault": "false", "error": None}, State.OK),
        ({"in_progress": "true"}, State.IN_PROGRESS),
    ],
)
def test_unambiguous_values_are_coerced(properties: dict[str, Any], state: State) -> None:
    DROPPED.take()
    assert decode_document(segment_bytes(**properties), 1).state == state
    assert DROPPED.take() == {}


@pytest.mark.parametrize(
    ("properties", "counts"),
    [
        ({"http": {"response": {"status": "4xx"}}}, {"http.response.status": 1}),
        ({"error": "yes", "fault": 2, "user": 7}, {"error": 1, "fault": 1, "user": 1}),
        ({"aws": [], "annotations": "x"}, {"aws": 1, "annotations": 1}),
        ({"links": [1, {"trace_id": 2}]}, {"links": 1, "links.trace_id": 1}),
        ({"cause": {"exceptions": [{"type": 7}]}}, {"cause.exceptions.type": 1}),
    ],
)
def test_other_values_are_dropped_and_counted(
    properties: dict[str, Any], counts: dict[str, int]
) -> None:
    DROPPED.take()
    assert decode_document(segment_bytes(**properties), 1).state == State.OK
    assert DROPPED.take() == counts


def test_subsegments_are_counted_by_the_same_names() -> None:
    inner = {"id": "b" * 16, "name": "x", "start_time": START, "end_time": START, "error": "?"}
    DROPPED.take()
    decode_document(segment_bytes(subsegments=[{**inner, "subsegments": [inner]}, 7]), 1)
    assert DROPPED.take() == {"error": 2, "subsegments": 1}


def test_the_pipeline_reports_them(tmp_path: Path) -> None:
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=metrics)
    DROPPED.take()
    pipeline.decode([segment_bytes(fault="maybe"), segment_bytes()], "http")
    value = metrics.registry.get_sample_value(
        "raymap_properties_dropped_total", {"property": "fault"}
    )
    assert value == 1

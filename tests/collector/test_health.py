"""Readiness, problems in words with the command that helps, and changes of availability."""

from __future__ import annotations

from typing import Any

import pytest
import structlog

from collector.health import IngestHealth, StoreAvailability
from store.errors import SchemaMismatch, StoreUnavailable


def health(**changes: Any) -> IngestHealth:
    fields: dict[str, Any] = {
        "store_available": True,
        "spool_full": False,
        "spool_bytes": 0,
        "spool_limit": 100,
        "queued": 0,
        "oldest": 0.0,
        "spool_folder": "/data/spool",
    }
    return IngestHealth(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "ready", "says"),
    [
        ({}, True, []),
        ({"spool_full": True}, True, []),
        ({"store_available": False}, True, ["unavailable or slow: documents wait on disk"]),
        ({"store_available": False, "spool_full": True}, False, ["documents are deferred"]),
        (
            {"store_available": False, "schema_problem": "older schema: run  raymap migrate  first."},
            False,
            ["run  raymap migrate  first; documents wait on disk"],
        ),
        (
            {"store_available": False, "spool_full": True, "disk_error": "No space left on device"},
            False,
            ["documents are deferred", "No space left on device): make room on its disk, see  df -h /data"],
        ),
        ({"corrupt_files": 2}, True, ["2 damaged spool files are lost", ]),
    ],
)  # fmt: skip
def test_problems(changes: dict[str, Any], ready: bool, says: list[str]) -> None:
    body = health(**changes).as_dict()
    assert body["ready"] is ready
    assert len(body["problems"]) == len(says)
    for problem, expected in zip(body["problems"], says, strict=True):
        assert expected in problem


def test_changes_are_logged_once() -> None:
    store = StoreAvailability()
    with structlog.testing.capture_logs() as lines:
        for _ in range(3):
            store.mark_unavailable(StoreUnavailable("connection refused"))
        assert not store.available
        store.mark_unavailable("an insert takes more than 5 s")
        store.mark_unavailable(SchemaMismatch("older schema"))
        assert store.schema_problem == "older schema"
        store.mark_unavailable("an insert takes more than 5 s")
        assert store.schema_problem == "older schema"
        store.mark_available(0)
        assert (store.available, store.schema_problem) == (True, "")
    assert [line["event"] for line in lines] == [
        "store_unavailable",
        "store_schema_mismatch",
        "store_available",
    ]

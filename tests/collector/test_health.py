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
        "journal_full": False,
        "journal_bytes": 0,
        "journal_limit": 100,
        "queued": 0,
        "oldest": 0.0,
        "journal_folder": "/data/journal",
    }
    return IngestHealth(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "ready", "says"),
    [
        ({}, True, []),
        ({"store_available": False}, True, ["unavailable or slow: documents wait in the journal"]),
        ({"journal_full": True}, False, ["documents are deferred"]),
        (
            {"store_available": False, "journal_full": True},
            False,
            ["the journal is full: documents are deferred", "unavailable or slow"],
        ),
        (
            {"store_available": False, "schema_problem": "older schema: run  raymap migrate  first."},
            False,
            ["run  raymap migrate  first; documents wait in the journal"],
        ),
        (
            {"journal_full": True, "disk_error": "No space left on device"},
            False,
            ["(No space left on device), documents are deferred: make room on its disk, see  df -h /data"],
        ),
        ({"refusal": "Code 1001"}, True, ["refuses a batch, which is tried again: Code 1001"]),
        ({"quarantined": 2}, True, ["2 documents could not be stored and are in quarantine"]),
        ({"damaged_files": 2}, True, ["2 damaged journal files are lost"]),
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
        store.mark_unavailable("no answer for 5 s")
        store.mark_unavailable(SchemaMismatch("older schema"))
        assert store.schema_problem == "older schema"
        store.mark_unavailable("no answer for 5 s")
        assert store.schema_problem == "older schema"
        store.mark_available(0)
        assert (store.available, store.schema_problem) == (True, "")
    assert [line["event"] for line in lines] == [
        "store_unavailable",
        "store_schema_mismatch",
        "store_available",
    ]

"""Canonical names of AWS services (docs/xray-format.md §4.2, §5.4)."""

from __future__ import annotations

from store.rules.service_names import canonical_service, displayed_service


def test_spellings_differ_in_case() -> None:
    assert canonical_service("DYNAMODB") == "DynamoDB"


def test_processed_traces_keep_a_name_that_is_no_prefix() -> None:
    """What X-Ray returns: canonical names for lower-case prefixes only."""
    assert displayed_service("dynamodb") == "DynamoDB"
    assert displayed_service("states") == "Sfn"
    for name in ("StepFunctions", "AmazonS3", "SimpleSystemsManagement", "x.example.com"):
        assert displayed_service(name) == name

"""Settings of an account: encryption, indexing rules, destination (docs/xray-format.md §9.2)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from api.xray.changes import change, not_found
from store.config import records
from store.config.protocol import Change, Configuration
from store.config.records import IndexingRule

Json = dict[str, Any]

ENCRYPTION: Json = {"EncryptionConfig": {"Status": "ACTIVE", "Type": "NONE"}}
"""Encryption at rest is left to the database and its disk."""
DESTINATION: Json = {"Destination": "XRay", "Status": "ACTIVE"}
"""Segments go to this server."""
INDEXED = 100.0
"""Percentage of traces that are indexed: all of them, whatever is desired."""
DEFAULT_INDEXING = IndexingRule("Default", INDEXED, 0)


def get_encryption_config(_: Context, body: JsonBody) -> Json:
    """GetEncryptionConfig: NONE; encryption at rest is the database's."""
    return ENCRYPTION


def put_encryption_config(_: Context, body: JsonBody) -> Json:
    """PutEncryptionConfig: NONE is what there is, keys of KMS are refused."""
    kind = body.required_text("Type")
    if kind not in ("NONE", "KMS"):
        raise ApiError(f"Type must be NONE or KMS, got {kind!r}")
    if kind == "KMS":
        raise ApiError(
            "Type: this server cannot encrypt with a KMS key; encrypt the disk of its database"
        )
    if body.text("KeyId", most=3000):
        raise ApiError("KeyId must be absent when Type is NONE")
    return ENCRYPTION


def get_trace_segment_destination(_: Context, body: JsonBody) -> Json:
    """GetTraceSegmentDestination: XRay, which is this server."""
    return DESTINATION


def update_trace_segment_destination(_: Context, body: JsonBody) -> Json:
    """UpdateTraceSegmentDestination: there are no CloudWatch Logs to write to."""
    destination = body.text("Destination") or "XRay"
    if destination not in ("XRay", "CloudWatchLogs"):
        raise ApiError(f"Destination must be XRay or CloudWatchLogs, got {destination!r}")
    if destination == "CloudWatchLogs":
        raise ApiError("Destination: this server stores segments itself, expected XRay")
    if body.has("CloudWatchLogsConfiguration"):
        raise ApiError("CloudWatchLogsConfiguration must be absent when Destination is XRay")
    return DESTINATION


def get_indexing_rules(context: Context, body: JsonBody) -> Json:
    """GetIndexingRules: the one rule there is."""
    return {"IndexingRules": [_render(_rule(context.store.read_configuration()))]}


def update_indexing_rule(context: Context, body: JsonBody) -> Json:
    """UpdateIndexingRule: the desired percentage is stored; everything is indexed nevertheless."""
    name = body.required_text("Name")
    rule = body.inner("Rule")
    value = rule.inner("Probabilistic") if rule is not None else None
    if value is None:
        raise ApiError("Rule.Probabilistic is missing; expected an object")
    desired = value.number("DesiredSamplingPercentage")
    if desired is None or not 0 <= desired <= 100:
        raise ApiError(
            f"Rule.Probabilistic.DesiredSamplingPercentage must lie between 0 and 100, got {desired}"
        )
    if name != DEFAULT_INDEXING.name:
        raise not_found(f"Name: there is no indexing rule {name!r}", name)

    def decide(configuration: Configuration, now: int) -> tuple[IndexingRule, list[Change]]:
        made = replace(_rule(configuration), desired=desired, modified=now)
        return made, [records.put(name, made)]

    return {"IndexingRule": _render(change(context, decide))}


def _rule(configuration: Configuration) -> IndexingRule:
    rules = records.read(configuration, IndexingRule)
    return rules.get(DEFAULT_INDEXING.name, DEFAULT_INDEXING)


def _render(rule: IndexingRule) -> Json:
    percentages = {
        "DesiredSamplingPercentage": rule.desired,
        "ActualSamplingPercentage": INDEXED,
    }
    return {
        "Name": rule.name,
        "ModifiedAt": rule.modified / 1_000_000,
        "Rule": {"Probabilistic": percentages},
    }

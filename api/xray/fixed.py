"""X-Ray operations with a constant response, and unsupported ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody

Json = dict[str, Any]

DEFAULT_GROUP: Json = {
    "GroupName": "Default",
    "GroupARN": "arn:aws:xray:local:000000000000:group/Default",
    "InsightsConfiguration": {"InsightsEnabled": False, "NotificationsEnabled": False},
}
"""The group of all traces (docs/xray-format.md §9.1)."""


def check_group(body: JsonBody) -> None:
    """ApiError unless GroupName and GroupARN are absent or name the Default group."""
    for member in ("GroupName", "GroupARN"):
        value = body.text(member)
        if value and value != DEFAULT_GROUP[member]:
            raise ApiError(f"{member}: there is no group {value!r}; this version has Default only")


def get_groups(_: Context, body: JsonBody) -> Json:
    """GetGroups; Grafana uses it as a health check."""
    return {"Groups": [DEFAULT_GROUP]}


def get_group(_: Context, body: JsonBody) -> Json:
    """GetGroup."""
    check_group(body)
    if not body.text("GroupName") and not body.text("GroupARN"):
        raise ApiError("GroupName or GroupARN is missing; expected one of them")
    return {"Group": DEFAULT_GROUP}


def get_encryption_config(_: Context, body: JsonBody) -> Json:
    """GetEncryptionConfig: encryption at rest is left to the database."""
    return {"EncryptionConfig": {"Status": "ACTIVE", "Type": "NONE"}}


def get_trace_segment_destination(_: Context, body: JsonBody) -> Json:
    """GetTraceSegmentDestination."""
    return {"Destination": "XRay", "Status": "ACTIVE"}


def get_indexing_rules(_: Context, body: JsonBody) -> Json:
    """GetIndexingRules: every trace is indexed."""
    everything = {"DesiredSamplingPercentage": 100.0, "ActualSamplingPercentage": 100.0}
    rule = {"Name": "Default", "ModifiedAt": 0.0, "Rule": {"Probabilistic": everything}}
    return {"IndexingRules": [rule]}


def get_insight_summaries(_: Context, body: JsonBody) -> Json:
    """GetInsightSummaries: no group has insights enabled."""
    check_group(body)
    body.window()
    return {"InsightSummaries": []}


def list_resource_policies(_: Context, body: JsonBody) -> Json:
    """ListResourcePolicies: none can be put."""
    return {"ResourcePolicies": []}


def list_tags_for_resource(_: Context, body: JsonBody) -> Json:
    """ListTagsForResource: nothing can be tagged."""
    body.required_text("ResourceARN", most=1011)
    return {"Tags": []}


def _not_supported(name: str) -> Callable[[Context, JsonBody], Json]:
    def operation(_: Context, body: JsonBody) -> Json:
        raise ApiError(f"{name} is not supported by this version")

    return operation


NOT_SUPPORTED: dict[str, Callable[[Context, JsonBody], Json]] = {
    f"/{path}": _not_supported(name)
    for path, name in {
        "CancelTraceRetrieval": "CancelTraceRetrieval",
        "CreateGroup": "CreateGroup",
        "CreateSamplingRule": "CreateSamplingRule",
        "DeleteGroup": "DeleteGroup",
        "DeleteResourcePolicy": "DeleteResourcePolicy",
        "DeleteSamplingRule": "DeleteSamplingRule",
        "GetRetrievedTracesGraph": "GetRetrievedTracesGraph",
        "Insight": "GetInsight",
        "InsightEvents": "GetInsightEvents",
        "InsightImpactGraph": "GetInsightImpactGraph",
        "ListRetrievedTraces": "ListRetrievedTraces",
        "PutEncryptionConfig": "PutEncryptionConfig",
        "PutResourcePolicy": "PutResourcePolicy",
        "StartTraceRetrieval": "StartTraceRetrieval",
        "TagResource": "TagResource",
        "TimeSeriesServiceStatistics": "GetTimeSeriesServiceStatistics",
        "UntagResource": "UntagResource",
        "UpdateGroup": "UpdateGroup",
        "UpdateIndexingRule": "UpdateIndexingRule",
        "UpdateSamplingRule": "UpdateSamplingRule",
        "UpdateTraceSegmentDestination": "UpdateTraceSegmentDestination",
    }.items()
}
"""Unsupported operations by path."""

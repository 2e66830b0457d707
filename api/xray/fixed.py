"""Operations with one truthful answer on this server, and those it does not have."""

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


def check_group(asked: JsonBody) -> None:
    """Refuse a GroupName or GroupARN that names another group than Default."""
    for member in ("GroupName", "GroupARN"):
        value = asked.text(member)
        if value and value != DEFAULT_GROUP[member]:
            raise ApiError(f"{member}: there is no group {value!r}; this version has Default only")


def get_groups(_: Context, asked: JsonBody) -> Json:
    """GetGroups. Grafana asks it to see whether the server lives."""
    return {"Groups": [DEFAULT_GROUP]}


def get_group(_: Context, asked: JsonBody) -> Json:
    """GetGroup."""
    check_group(asked)
    if not asked.text("GroupName") and not asked.text("GroupARN"):
        raise ApiError("GroupName or GroupARN is missing; expected one of them")
    return {"Group": DEFAULT_GROUP}


def get_encryption_config(_: Context, asked: JsonBody) -> Json:
    """GetEncryptionConfig: encryption at rest is the database's business."""
    return {"EncryptionConfig": {"Status": "ACTIVE", "Type": "NONE"}}


def get_trace_segment_destination(_: Context, asked: JsonBody) -> Json:
    """GetTraceSegmentDestination."""
    return {"Destination": "XRay", "Status": "ACTIVE"}


def get_indexing_rules(_: Context, asked: JsonBody) -> Json:
    """GetIndexingRules: every trace is indexed."""
    everything = {"DesiredSamplingPercentage": 100.0, "ActualSamplingPercentage": 100.0}
    rule = {"Name": "Default", "ModifiedAt": 0.0, "Rule": {"Probabilistic": everything}}
    return {"IndexingRules": [rule]}


def get_insight_summaries(_: Context, asked: JsonBody) -> Json:
    """GetInsightSummaries: no group has insights enabled."""
    check_group(asked)
    asked.window()
    return {"InsightSummaries": []}


def list_resource_policies(_: Context, asked: JsonBody) -> Json:
    """ListResourcePolicies: none can be put."""
    return {"ResourcePolicies": []}


def list_tags_for_resource(_: Context, asked: JsonBody) -> Json:
    """ListTagsForResource: nothing can be tagged."""
    asked.required_text("ResourceARN", most=1011)
    return {"Tags": []}


def _not_supported(name: str) -> Callable[[Context, JsonBody], Json]:
    def operation(_: Context, asked: JsonBody) -> Json:
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
"""Operations by path whose answer is that there is none yet."""

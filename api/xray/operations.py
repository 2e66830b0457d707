"""X-Ray's operations by path.

PutTraceSegments and PutTelemetryRecords are the collector's; the composition root mounts them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from api.context import Answer, Context, json_response, run_cancellable
from api.request import JsonBody, read_body
from api.xray import (
    account,
    groups,
    insights,
    policies,
    retrieval,
    sampling,
    sampling_rules,
    service_graph,
    tags,
    time_series,
    traces,
)

Operation = Callable[[Context, JsonBody], dict[str, Any] | Answer]

OPERATIONS: dict[str, Operation] = {
    "/CancelTraceRetrieval": retrieval.cancel_trace_retrieval,
    "/CreateGroup": groups.create_group,
    "/CreateSamplingRule": sampling_rules.create_sampling_rule,
    "/DeleteGroup": groups.delete_group,
    "/DeleteResourcePolicy": policies.delete_resource_policy,
    "/DeleteSamplingRule": sampling_rules.delete_sampling_rule,
    "/EncryptionConfig": account.get_encryption_config,
    "/GetGroup": groups.get_group,
    "/GetIndexingRules": account.get_indexing_rules,
    "/GetRetrievedTracesGraph": retrieval.get_retrieved_traces_graph,
    "/GetSamplingRules": sampling_rules.get_sampling_rules,
    "/GetTraceSegmentDestination": account.get_trace_segment_destination,
    "/Groups": groups.get_groups,
    "/Insight": insights.get_insight,
    "/InsightEvents": insights.get_insight_events,
    "/InsightImpactGraph": insights.get_insight_impact_graph,
    "/InsightSummaries": insights.get_insight_summaries,
    "/ListResourcePolicies": policies.list_resource_policies,
    "/ListRetrievedTraces": retrieval.list_retrieved_traces,
    "/ListTagsForResource": tags.list_tags_for_resource,
    "/PutEncryptionConfig": account.put_encryption_config,
    "/PutResourcePolicy": policies.put_resource_policy,
    "/SamplingStatisticSummaries": sampling.get_sampling_statistic_summaries,
    "/SamplingTargets": sampling.get_sampling_targets,
    "/ServiceGraph": service_graph.get_service_graph,
    "/StartTraceRetrieval": retrieval.start_trace_retrieval,
    "/TagResource": tags.tag_resource,
    "/TimeSeriesServiceStatistics": time_series.get_time_series_service_statistics,
    "/TraceGraph": service_graph.get_trace_graph,
    "/TraceSummaries": traces.get_trace_summaries,
    "/Traces": traces.batch_get_traces,
    "/UntagResource": tags.untag_resource,
    "/UpdateGroup": groups.update_group,
    "/UpdateIndexingRule": account.update_indexing_rule,
    "/UpdateSamplingRule": sampling_rules.update_sampling_rule,
    "/UpdateTraceSegmentDestination": account.update_trace_segment_destination,
}
COLLECTORS_OPERATIONS = {
    "/TelemetryRecords": "PutTelemetryRecords: what a daemon tells of itself; counted and discarded.",
    "/TraceSegments": "PutTraceSegments: segment documents as strings; the answer names the rejected.",
}
"""What the operations that write do, by path."""
OTHER_METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]


def xray_router(context: Context) -> APIRouter:
    """All operations except the two that write; other methods than POST are 405."""
    router = APIRouter()
    for path, operation in OPERATIONS.items():
        endpoint = _endpoint(context, operation)
        router.add_route(path, endpoint, methods=["POST"], include_in_schema=False)
    for path in (*OPERATIONS, *COLLECTORS_OPERATIONS):
        router.add_route(path, _refuse, methods=OTHER_METHODS, include_in_schema=False)
    return router


def _endpoint(context: Context, operation: Operation) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        text = await read_body(request)
        body = JsonBody.parse(text)
        if operation is service_graph.get_service_graph:
            return await context.share_graph(request, text, lambda: operation(context, body))
        return await run_cancellable(request, lambda: json_response(operation(context, body)))

    return endpoint


async def _refuse(request: Request) -> Response:
    detail = f"{request.url.path} is an operation: expected POST, got {request.method}"
    raise HTTPException(405, detail, headers={"Allow": "POST"})

"""X-Ray's operations by path.

PutTraceSegments and PutTelemetryRecords are the collector's; the composition root mounts them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response

from api.context import Context, json_response, run_cancellable
from api.request import JsonBody, read_body
from api.xray import fixed, sampling, service_graph, traces
from api.xray.fixed import Json

Operation = Callable[[Context, JsonBody], Json]

STORE_OPERATIONS: dict[str, Operation] = {
    "/ServiceGraph": service_graph.get_service_graph,
    "/TraceGraph": service_graph.get_trace_graph,
    "/TraceSummaries": traces.get_trace_summaries,
    "/Traces": traces.batch_get_traces,
}
"""Operations that query the store, in a thread."""

IMMEDIATE_OPERATIONS: dict[str, Operation] = {
    "/EncryptionConfig": fixed.get_encryption_config,
    "/GetGroup": fixed.get_group,
    "/GetIndexingRules": fixed.get_indexing_rules,
    "/GetSamplingRules": sampling.get_sampling_rules,
    "/GetTraceSegmentDestination": fixed.get_trace_segment_destination,
    "/Groups": fixed.get_groups,
    "/InsightSummaries": fixed.get_insight_summaries,
    "/ListResourcePolicies": fixed.list_resource_policies,
    "/ListTagsForResource": fixed.list_tags_for_resource,
    "/SamplingStatisticSummaries": sampling.get_sampling_statistic_summaries,
    "/SamplingTargets": sampling.get_sampling_targets,
}


def xray_router(context: Context) -> APIRouter:
    """All operations except the two that write."""
    router = APIRouter()
    operations: dict[str, Callable[[Request], Awaitable[Response]]] = {}
    for path, operation in STORE_OPERATIONS.items():
        operations[path] = _in_thread(context, operation)
    for path, operation in (IMMEDIATE_OPERATIONS | fixed.NOT_SUPPORTED).items():
        operations[path] = _immediate(context, operation)
    for path, endpoint in operations.items():
        router.add_route(path, endpoint, methods=["POST"], include_in_schema=False)
    return router


def _in_thread(context: Context, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        text = await read_body(request)
        body = JsonBody.parse(text)
        if operation is service_graph.get_service_graph:
            return await context.share_graph(request, text, lambda: operation(context, body))
        return await run_cancellable(request, lambda: json_response(operation(context, body)))

    return endpoint


def _immediate(context: Context, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return json_response(operation(context, JsonBody.parse(await read_body(request))))

    return endpoint

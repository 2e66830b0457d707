"""X-Ray's operations on their fixed paths: read the request, ask, answer in X-Ray's form.

PutTraceSegments and PutTelemetryRecords belong to the collector, which mounts them itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response

from api.context import Context, json_response, run_cancellable
from api.request import JsonBody, read_body
from api.xray import fixed, sampling, service_graph, traces
from api.xray.fixed import Json

Operation = Callable[[Context, JsonBody], Json]

ASKS_STORE: dict[str, Operation] = {
    "/ServiceGraph": service_graph.get_service_graph,
    "/TraceGraph": service_graph.get_trace_graph,
    "/TraceSummaries": traces.get_trace_summaries,
    "/Traces": traces.batch_get_traces,
}
"""Operations that may wait for the database."""

AT_ONCE: dict[str, Operation] = {
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
    """All operations but the two that write."""
    router = APIRouter()
    operations: dict[str, Callable[[Request], Awaitable[Response]]] = {}
    for path, operation in ASKS_STORE.items():
        operations[path] = _asking(context, operation)
    for path, operation in (AT_ONCE | fixed.NOT_SUPPORTED).items():
        operations[path] = _at_once(context, operation)
    for path, endpoint in operations.items():
        router.add_route(path, endpoint, methods=["POST"], include_in_schema=False)
    return router


def _asking(context: Context, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        asked = JsonBody.parse(await read_body(request))
        return await run_cancellable(request, lambda: json_response(operation(context, asked)))

    return endpoint


def _at_once(context: Context, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return json_response(operation(context, JsonBody.parse(await read_body(request))))

    return endpoint

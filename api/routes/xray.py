"""X-Ray's operations on their fixed paths: read the request, ask, answer in X-Ray's form.

PutTraceSegments and PutTelemetryRecords belong to the collector, which mounts them itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response

from api.asked import Asked, read_body
from api.context import Context, in_thread, reply
from api.routes import constants, graph, sampling, traces
from api.routes.constants import Json

Operation = Callable[[Context, Asked], Json]

ASKS_STORE: dict[str, Operation] = {
    "/ServiceGraph": graph.get_service_graph,
    "/TraceGraph": graph.get_trace_graph,
    "/TraceSummaries": traces.get_trace_summaries,
    "/Traces": traces.batch_get_traces,
}
"""Operations that may wait for the database."""

AT_ONCE: dict[str, Operation] = {
    "/EncryptionConfig": constants.get_encryption_config,
    "/GetGroup": constants.get_group,
    "/GetIndexingRules": constants.get_indexing_rules,
    "/GetSamplingRules": sampling.get_sampling_rules,
    "/GetTraceSegmentDestination": constants.get_trace_segment_destination,
    "/Groups": constants.get_groups,
    "/InsightSummaries": constants.get_insight_summaries,
    "/ListResourcePolicies": constants.list_resource_policies,
    "/ListTagsForResource": constants.list_tags_for_resource,
    "/SamplingStatisticSummaries": sampling.get_sampling_statistic_summaries,
    "/SamplingTargets": sampling.get_sampling_targets,
}


def xray_router(context: Context) -> APIRouter:
    """All operations but the two that write."""
    router = APIRouter()
    operations: dict[str, Callable[[Request], Awaitable[Response]]] = {}
    for path, operation in ASKS_STORE.items():
        operations[path] = _asking(context, operation)
    for path, operation in (AT_ONCE | constants.NOT_SUPPORTED).items():
        operations[path] = _at_once(context, operation)
    for path, endpoint in operations.items():
        router.add_route(path, endpoint, methods=["POST"], include_in_schema=False)
    return router


def _asking(context: Context, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        asked = Asked.parse(await read_body(request))
        return await in_thread(request, lambda: reply(operation(context, asked)))

    return endpoint


def _at_once(context: Context, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return reply(operation(context, Asked.parse(await read_body(request))))

    return endpoint

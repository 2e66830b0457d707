"""The versions of a service, and the verdict on a new one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.console.map_json import counts, times
from api.console.scope import EnvironmentExpression
from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.errors import ApiError
from api.graph.build import Graph, build_graph, stats_of
from api.graph.find import find_node, require_node
from api.request import require_short
from api.schemas.v1 import NodeVersions, VerdictReply, VersionLine, VersionList, VersionsByNode
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from api.v1.verdict import VerdictQuery, reach_verdict
from store.filters.ast import Expression
from store.model import NodeKey, TimeRange
from store.query import OTHER_VERSIONS
from store.times import SECOND
from store.verdict import MIN_REQUESTS, Outcome

MOST_NODES = 20
NODES = Query(
    min_length=1,
    description=f"ids of at most {MOST_NODES} nodes, separated by commas; one without traffic in the "
    "window is left out",
)
SERVICE = Query(min_length=1, max_length=200, description="name of a service")
TYPE = Query(max_length=200, description="its type, where several services have the name")
ACCOUNT = Query(max_length=200, description="its account, likewise")
REGION = Query(max_length=200, description="its region, likewise")
BASELINE = Query(
    max_length=200, description="version to compare with; the other one with most requests"
)
CANDIDATE = Query(min_length=1, max_length=200, description="version to judge")
LEAST = Query(ge=1, le=1_000_000, description="finished requests that each version needs")
VANISHED = Query(description="a node that the candidate no longer calls fails it")
STATUSES = {Outcome.PASS: 200, Outcome.FAIL: 412, Outcome.INSUFFICIENT: 425}
"""Of a POST: webhooks read nothing but the status."""


def _query(
    window: Window,
    environment: EnvironmentExpression,
    service: Annotated[str, SERVICE],
    candidate: Annotated[str, CANDIDATE],
    baseline: Annotated[str, BASELINE] = "",
    type: Annotated[str, TYPE] = "",
    account: Annotated[str, ACCOUNT] = "",
    region: Annotated[str, REGION] = "",
    min_requests: Annotated[int, LEAST] = MIN_REQUESTS,
    vanished_fails: Annotated[bool, VANISHED] = False,
) -> VerdictQuery:
    if baseline == candidate:
        raise ApiError("baseline and candidate must differ")
    return VerdictQuery(
        require_short(window),
        service,
        type,
        account,
        region,
        baseline,
        candidate,
        min_requests,
        vanished_fails,
        environment,
    )


Judged = Annotated[VerdictQuery, Depends(_query)]


def versions_router(context: Context) -> APIRouter:
    """/api/v1/versions, /api/v1/nodes/<id>/versions and /api/v1/verdict."""
    router = v1_part()

    @router.get("/versions", response_class=Response, responses={200: {"model": VersionsByNode}})
    async def list_versions_of_nodes(
        request: Request,
        window: Window,
        environment: EnvironmentExpression,
        nodes: Annotated[str, NODES],
    ) -> Response:
        """The versions of several services in one answer, as each alone has them."""
        ids = list(dict.fromkeys(nodes.split(",")))
        if len(ids) > MOST_NODES:
            raise ApiError(f"nodes has {len(ids)} ids; expected at most {MOST_NODES}")
        return await run_cancellable(
            request, lambda: json_response(versions_by_node(context, ids, window, environment))
        )

    @router.get(
        "/nodes/{id}/versions", response_class=Response, responses={200: {"model": VersionList}}
    )
    async def list_versions(
        request: Request, id: str, window: Window, environment: EnvironmentExpression
    ) -> Response:
        """The versions of a service that reported segments, and what each did."""
        return await run_cancellable(
            request, lambda: json_response(version_list(context, id, window, environment))
        )

    @router.get("/verdict", response_class=Response, responses={200: {"model": VerdictReply}})
    async def get_verdict(request: Request, query: Judged) -> Response:
        """Whether a new version does worse than the one before: `pass`, `fail`, or `insufficient`,
        which is no pass."""
        return await run_cancellable(request, lambda: json_response(reach_verdict(context, query)))

    @router.post(
        "/verdict",
        response_class=Response,
        responses={
            200: {"model": VerdictReply},
            412: {"model": VerdictReply, "description": "fail"},
            425: {"model": VerdictReply, "description": "insufficient"},
        },
    )
    async def check_verdict(request: Request, query: Judged) -> Response:
        """The same for webhooks: the status says it, too, and a body is ignored."""

        def work() -> Response:
            reply = reach_verdict(context, query)
            return json_response(reply, status=STATUSES[Outcome(reply["verdict"])])

        return await run_cancellable(request, work)

    return router


def version_list(
    context: Context, id: str, window: TimeRange, environment: Expression | None = None
) -> VersionList:
    """The versions of a node, in traces of an environment; ApiError (404) when it had no traffic."""
    require_short(window)
    counted = context.counted_window(window)
    node = require_node(graph := build_graph(counted.graph), id)
    lines = _lines(context, graph, node, window, environment)
    return {
        **span(window),
        **freshness(window, counted.backlog),
        "node": id,
        "versions": lines,
    }


def versions_by_node(
    context: Context, ids: Iterable[str], window: TimeRange, environment: Expression | None = None
) -> VersionsByNode:
    """The same for several nodes, of which those without traffic are left out."""
    require_short(window)
    counted = context.counted_window(window)
    graph = build_graph(counted.graph)
    found: list[NodeVersions] = [
        {"node": id, "versions": _lines(context, graph, node, window, environment)}
        for id in ids
        if (node := find_node(graph, id)) is not None
    ]
    return {**span(window), **freshness(window, counted.backlog), "nodes": found}


def _lines(
    context: Context,
    graph: Graph,
    node: NodeKey,
    window: TimeRange,
    environment: Expression | None,
) -> list[VersionLine]:
    keys = stats_of(graph, node).keys
    found = context.store.version_statistics(keys, window, within=environment)
    total = sum(each.statistics.total for each in found.values())
    lines: list[VersionLine] = [
        {
            "version": version,
            "named": version not in ("", OTHER_VERSIONS),
            "share": round(each.statistics.total / total, 6) if total else 0.0,
            "first": each.first / SECOND,
            "last": each.last / SECOND,
            **counts(each.statistics),
            "in_progress": each.statistics.in_progress,
            "observed": each.statistics.observed,
            **times(each.statistics),
        }
        for version, each in found.items()
    ]
    lines.sort(key=lambda line: (-line["observed"], line["version"]))
    return lines

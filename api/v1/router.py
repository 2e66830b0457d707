"""All routes of /api/v1 (docs/api.md): numbers without layouts and figures, for programs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends

from api.context import Context
from api.parameters import refuse_unknown_parameters
from api.schemas.common import ErrorReply
from api.v1.alarms import alarms_router
from api.v1.annotations import annotations_router
from api.v1.compare import compare_router
from api.v1.declarations import declarations_router
from api.v1.deployments import deployments_router
from api.v1.dimensions import dimensions_router
from api.v1.errors import errors_router
from api.v1.genai import genai_router
from api.v1.graph import graph_router
from api.v1.history import history_router
from api.v1.impact import impact_router
from api.v1.logs import logs_router
from api.v1.missing import missing_router
from api.v1.node_metrics import node_metrics_router
from api.v1.notebooks import notebooks_router
from api.v1.operations import operations_router
from api.v1.places import places_router
from api.v1.problems import problems_router
from api.v1.states import states_router
from api.v1.stats import stats_router
from api.v1.time_series import time_series_router
from api.v1.traces import traces_router
from api.v1.trust import trust_router
from api.v1.versions import versions_router
from api.v1.views import views_router

TAG = {
    "name": "v1",
    "description": "The versioned API for programs. Windows take relative times (`from=-1h`), lists "
    "have cursors, unknown parameters are refused.",
}
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorReply, "description": "InvalidRequest, UnknownParameter, InvalidFilter"},
    404: {
        "model": ErrorReply,
        "description": "NoSuchNode, NoSuchEdge: no traffic in the window; NoSuchAlarm, NoSuchProblem, NoSuchDeployment, NoSuchNotebook",
    },
    500: {"model": ErrorReply, "description": "InternalFailure: the server's log says why"},
    503: {"model": ErrorReply, "description": "ServiceUnavailable: the store does not answer"},
}


def v1_router(context: Context, environment_annotation: str) -> APIRouter:
    """Everything below /api/v1."""
    router = APIRouter(
        prefix="/api/v1",
        tags=[str(TAG["name"])],
        responses=ERRORS,
        dependencies=[Depends(refuse_unknown_parameters)],
    )
    parts = (
        graph_router,
        genai_router,
        compare_router,
        impact_router,
        missing_router,
        trust_router,
        time_series_router,
        stats_router,
        dimensions_router,
        history_router,
        traces_router,
        logs_router,
        node_metrics_router,
        errors_router,
        annotations_router,
        operations_router,
        versions_router,
        states_router,
        deployments_router,
        declarations_router,
        alarms_router,
        problems_router,
        views_router,
        notebooks_router,
    )
    for part in parts:
        router.include_router(part(context))
    router.include_router(places_router(context, environment_annotation))
    return router

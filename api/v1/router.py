"""All routes of /api/v1 (docs/api.md): numbers without layouts and figures, for programs."""

from __future__ import annotations

from fastapi import APIRouter

from api.context import Context
from api.v1.alarms import alarms_router
from api.v1.compare import compare_router
from api.v1.declarations import declarations_router
from api.v1.deployments import deployments_router
from api.v1.dimensions import annotations_router, dimensions_router, places_router
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
from api.v1.part import v1_part
from api.v1.problems import problems_router
from api.v1.states import states_router
from api.v1.stats import stats_router
from api.v1.time_series import time_series_router
from api.v1.traces import traces_router
from api.v1.trust import trust_router
from api.v1.versions import versions_router
from api.v1.views import views_router


def v1_router(context: Context, environment_annotation: str) -> APIRouter:
    """Everything below /api/v1."""
    router = v1_part()
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
        router.routes += part(context).routes
    router.routes += places_router(context, environment_annotation).routes
    return router

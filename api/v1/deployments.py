"""Deployments: reported by pipelines or CodeDeploy, drawn as marks on charts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.openapi_parts import json_body
from api.request import JsonBody, read_body
from api.schemas.v1 import DeploymentList, DeploymentMark
from api.v1.graph import span
from api.v1.params import MOST, Window
from api.v1.part import v1_part
from store.deployments import Deployment, InvalidDeployment, read_deployment
from store.model import TimeRange
from store.times import SECOND

MAX_BODY = 64_000
"""Bytes: an event of EventBridge has a few hundred."""
_BODY = json_body({"service": "checkout", "version": "42", "link": "https://ci.example.com/runs/7"})
OF = Query(max_length=200, description="only those of this service, and those of any")
OVERRIDE = Query(max_length=200, description="in place of the body's, for events that lack it")
Limit = Annotated[int, Query(ge=1, le=MOST, description="deployments in the answer")]


def deployments_router(context: Context) -> APIRouter:
    """/api/v1/deployments."""
    router = v1_part()

    @router.get("/deployments", response_class=Response, responses={200: {"model": DeploymentList}})
    async def list_deployments(
        request: Request, window: Window, service: Annotated[str, OF] = "", limit: Limit = 100
    ) -> Response:
        """Deployments of a window, the latest first."""
        return await run_cancellable(
            request, lambda: json_response(deployment_list(context, window, service, limit))
        )

    @router.post(
        "/deployments",
        response_class=Response,
        responses={200: {"model": DeploymentMark}},
        openapi_extra=_BODY,
    )
    async def put_deployment(
        request: Request,
        service: Annotated[str, OVERRIDE] = "",
        version: Annotated[str, OVERRIDE] = "",
        environment: Annotated[str, OVERRIDE] = "",
    ) -> Response:
        """Report a deployment, or an event of CodeDeploy; one with the same id is replaced."""
        body = await read_body(request, MAX_BODY)
        given = {"service": service, "version": version, "environment": environment}
        return await run_cancellable(request, lambda: json_response(_put(context, body, given)))

    @router.delete(
        "/deployments/{id:path}", response_class=Response, status_code=204, responses={204: {}}
    )
    async def remove_deployment(request: Request, id: str) -> Response:
        """Remove a deployment; also succeeds when there is none."""

        def work() -> Response:
            context.store.remove_deployment(id, _now(context))
            return Response(status_code=204)

        return await run_cancellable(request, work)

    return router


def deployment_list(
    context: Context, window: TimeRange, service: str, limit: int
) -> DeploymentList:
    """The deployments of a service, and those that name none."""
    found = context.store.deployments(window, limit=MOST)
    chosen = [each for each in found if not service or each.service in ("", service)]
    return {**span(window), "deployments": [mark(each) for each in chosen[:limit]]}


def mark(deployment: Deployment) -> DeploymentMark:
    """A deployment as charts show it."""
    return {
        "id": deployment.id,
        "at": deployment.at / SECOND,
        "service": deployment.service,
        "version": deployment.version,
        "environment": deployment.environment,
        "account": deployment.account,
        "region": deployment.region,
        "state": deployment.state,
        "note": deployment.note,
        "link": deployment.link,
    }


def _put(context: Context, body: bytes, given: dict[str, str]) -> DeploymentMark:
    now = _now(context)
    overrides = {name: value for name, value in given.items() if value}
    try:
        deployment = read_deployment(JsonBody.parse(body).members, now, overrides)
    except InvalidDeployment as error:
        raise ApiError(str(error)) from None
    context.store.put_deployment(deployment, now)
    return mark(deployment)


def _now(context: Context) -> int:
    return int(context.clock() * SECOND)

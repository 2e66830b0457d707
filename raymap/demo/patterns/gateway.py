"""API Gateway with a Cognito authorizer in front of Lambda: throttles, 401/403, integration."""

from __future__ import annotations

from dataclasses import dataclass

from raymap.demo import aws, http, latency
from raymap.demo.failures import NotAuthorizedException
from raymap.demo.functions import Function, Handler, invoke
from raymap.demo.http import Visitor
from raymap.demo.sdk import SERVICE
from raymap.demo.trace import Entity, Scope, Trace

API = "shop-api"
API_ID = "a1b2c3d4e5"
_WRONG_TOKEN = 0.012
_FORBIDDEN = 0.006


@dataclass(frozen=True, slots=True)
class Request:
    stage: str
    method: str
    path: str
    visitor: Visitor
    needs_user: bool = False

    @property
    def account(self) -> str:
        return aws.DEV_ACCOUNT if self.stage == "dev" else aws.ACCOUNT

    @property
    def url(self) -> str:
        return f"https://{self.stage}.api.shop.example.com{self.path}"


def answer(
    trace: Trace,
    request: Request,
    function: Function,
    handler: Handler,
    at: float,
    parent: str = "",
) -> tuple[int, float]:
    """The stage's segment and everything behind it; the status and the time of the answer."""
    segment = trace.segment(f"{API}/{request.stage}", at, "AWS::ApiGateway::Stage", parent)
    _describe(segment, request, trace)
    scope = Scope(trace, segment, at, SERVICE)
    scope.wait(latency.GATEWAY)
    status = _pass_on(scope, request, function, handler)
    scope.wait(latency.GATEWAY)
    segment.put_http_meta("status", status)
    segment.put_http_meta("content_length", 0 if status >= 500 else 1284)
    trace.finish(segment, scope.now)
    return status, scope.now


def _pass_on(scope: Scope, request: Request, function: Function, handler: Handler) -> int:
    flooded = request.stage == "prod" and scope.trace.calendar.gateway_flooded(scope.now)
    if scope.trace.chance(0.35 if flooded else 0.004):
        return 429
    if request.needs_user:
        try:
            aws.check_credentials(scope, "GetUser", _WRONG_TOKEN)
        except NotAuthorizedException:
            return 401
        if scope.trace.chance(_FORBIDDEN):
            return 403
    return invoke(scope, function, handler)


def _describe(segment: Entity, request: Request, trace: Trace) -> None:
    segment.resource_arn = (
        f"arn:aws:apigateway:{aws.REGION}::/restapis/{API_ID}/stages/{request.stage}"
    )
    http.set_request(
        segment, request.method, request.url, request.visitor.agent, request.visitor.address
    )
    request_id = f"{trace.random.getrandbits(128):032x}"
    segment.set_aws(
        {
            "api_gateway": {
                "account_id": request.account,
                "rest_api_id": API_ID,
                "stage": request.stage,
                "request_id": request_id,
            }
        }
    )
    # The service writes a colon that the SDK's put_annotation refuses.
    segment.annotations["aws:api_id"] = API_ID
    segment.annotations["aws:api_stage"] = request.stage
    segment.put_annotation("stage", request.stage)
    segment.put_metadata("request_id", request_id)

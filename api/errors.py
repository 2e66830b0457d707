"""Exceptions → responses: one place for statuses, codes, messages and error bodies.

X-Ray's operations answer in X-Ray's form (docs/xray-format.md §10), routes below /api/ in the
console's (docs/console-api.md), those of a plugin in its own.
Routers mounted by the composition root raise `HTTPException` and are rendered here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import plugins
from store.errors import InvalidCursor, QueryLimitExceeded, StoreUnavailable, TooManyTraces


class ApiError(Exception):
    """A rejected request: a sentence on what was wrong, where, and what was expected.

    ``position``: where in a filter expression, characters from 0. ``members``: further ones of
    X-Ray's error.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "InvalidRequest",
        status: int = 400,
        position: int | None = None,
        members: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.position = position
        self.members = members or {}


class ClientDisconnected(Exception):
    """The client closed the connection before the response was ready."""


class Problem(NamedTuple):
    """What an error response says: its HTTP status, a code for programs, a message for people."""

    status: int
    code: str
    message: str
    position: int | None = None
    members: Mapping[str, str] = {}


_CODES = {
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    413: "RequestEntityTooLarge",
    503: "ServiceUnavailable",
}


_TOO_MUCH = (
    "the answer takes more than a query may; a shorter time range or a narrower filter takes less"
)


def to_problem(error: Exception) -> Problem:
    """The response to an exception. An unexpected one reveals nothing of itself."""
    match error:
        case ApiError():
            return Problem(error.status, error.code, error.message, error.position, error.members)
        case InvalidCursor() | TooManyTraces():
            return Problem(400, "InvalidRequest", str(error))
        case StoreUnavailable():
            return Problem(503, "ServiceUnavailable", f"the store cannot be reached: {error}")
        case QueryLimitExceeded():
            return Problem(503, "ServiceUnavailable", f"{_TOO_MUCH}: {error}")
        case ClientDisconnected():
            return Problem(499, "ClientClosedRequest", "the client closed the connection")
        case RequestValidationError():
            return Problem(400, "InvalidRequest", _sentences(error))
        case HTTPException():
            code = _CODES.get(error.status_code, "InvalidRequest")
            return Problem(error.status_code, code, str(error.detail))
        case _:
            return Problem(500, "InternalFailure", "the server failed; its log says why")


def respond(path: str, error: Exception) -> Response:
    """The response to a request for ``path`` that ended in ``error``."""
    problem = to_problem(error)
    if path.startswith("/api/"):
        response = _console_error(problem)
    elif (plugin := plugins.plugin_of(path)) and plugin.error_response:
        response = plugin.error_response(path, error)
    else:
        response = _xray_error(problem)
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response


def plain_text(error: Exception) -> Response:
    """An error's message alone."""
    problem = to_problem(error)
    return Response(problem.message, problem.status, media_type="text/plain")


def install_handlers(app: FastAPI) -> None:
    """Render expected exceptions with `respond`; `api.middleware` renders the unexpected ones."""

    async def handle(request: Request, error: Exception) -> Response:
        return respond(request.url.path, error)

    for kind in (
        ApiError,
        InvalidCursor,
        TooManyTraces,
        StoreUnavailable,
        QueryLimitExceeded,
        ClientDisconnected,
        RequestValidationError,
        HTTPException,
    ):
        app.add_exception_handler(kind, handle)


def _xray_error(problem: Problem) -> Response:
    """The body and header that AWS SDKs read."""
    if problem.code == "NotFound":
        problem = problem._replace(code="UnknownOperation")
    name = problem.code.removesuffix("Exception") + "Exception"
    body = {"__type": name, "Message": problem.message, **problem.members}
    response = json_error(body, problem.status)
    response.headers["x-amzn-ErrorType"] = name
    return response


def _console_error(problem: Problem) -> Response:
    """`api.schemas.common.ErrorReply`."""
    body: dict[str, object] = {"code": problem.code, "message": problem.message}
    if problem.position is not None:
        body["position"] = problem.position
    return json_error({"error": body}, problem.status)


def _sentences(error: RequestValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


def json_error(body: object, status: int) -> Response:
    """A body in JSON."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")

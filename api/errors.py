"""The one place that turns what went wrong into a status, a name and a sentence.

X-Ray's operations return errors in X-Ray's form (docs/xray-format.md §10), the console's API in
its own.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from store.errors import InvalidCursor, StoreUnavailable


class ApiError(Exception):
    """A request that gets no answer but a reason: what was wrong, where, what was expected."""

    def __init__(self, message: str, *, code: str = "InvalidRequest", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class ClientDisconnected(Exception):
    """Nobody waits for the answer any more."""


class Problem(NamedTuple):
    status: int
    code: str
    message: str


def to_problem(error: Exception) -> Problem:
    """What to tell of an exception. Of the unexpected nothing but that it happened."""
    match error:
        case ApiError():
            return Problem(error.status, error.code, error.message)
        case InvalidCursor():
            return Problem(400, "InvalidRequest", str(error))
        case StoreUnavailable():
            return Problem(503, "ServiceUnavailable", f"the store cannot be reached: {error}")
        case ClientDisconnected():
            return Problem(499, "ClientClosedRequest", "the client closed the connection")
        case RequestValidationError():
            return Problem(400, "InvalidRequest", _sentences(error))
        case HTTPException():
            return Problem(error.status_code, _code_of(error.status_code), str(error.detail))
        case _:
            return Problem(500, "InternalFailure", "the server failed; its log says why")


def respond(path: str, error: Exception) -> Response:
    """The answer to a request for ``path`` that ended in ``error``."""
    status, code, message = to_problem(error)
    if path.startswith("/api/"):
        return _json({"error": {"code": code, "message": message}}, status)
    name = code if code.endswith("Exception") else code + "Exception"
    response = _json({"__type": name, "Message": message}, status)
    response.headers["x-amzn-ErrorType"] = name
    return response


def install_handlers(app: FastAPI) -> None:
    """Let the app answer every expected error through `respond`; `api.middleware` does the rest."""

    async def handle(request: Request, error: Exception) -> Response:
        return respond(request.url.path, error)

    for kind in (
        ApiError,
        InvalidCursor,
        StoreUnavailable,
        ClientDisconnected,
        RequestValidationError,
        HTTPException,
    ):
        app.add_exception_handler(kind, handle)


def _sentences(error: RequestValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


def _code_of(status: int) -> str:
    return {404: "NotFound", 405: "MethodNotAllowed"}.get(status, "InvalidRequest")


def _json(body: object, status: int) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")

"""Errors in Prometheus' form."""

from __future__ import annotations

from fastapi import Response

from api.errors import json_error, to_problem

_TYPES = {
    400: "bad_data",
    404: "not_found",
    422: "execution",
    499: "canceled",
    503: "unavailable",
}


def error_response(error: Exception) -> Response:
    """The response to a request that ended in ``error``."""
    problem = to_problem(error)
    kind = _TYPES.get(problem.status, "internal" if problem.status >= 500 else "bad_data")
    body = {"status": "error", "errorType": kind, "error": problem.message}
    return json_error(body, problem.status)

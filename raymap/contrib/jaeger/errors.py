"""Errors in the forms of Jaeger's two APIs."""

from __future__ import annotations

from fastapi import Response

from api.errors import Problem, json_error, to_problem


def error_response(path: str, error: Exception) -> Response:
    """The response to a request for ``path`` that ended in ``error``."""
    problem = to_problem(error)
    return _gateway(problem) if path.startswith("/jaeger/api/v3/") else _query(problem)


def _query(problem: Problem) -> Response:
    """`raymap.contrib.jaeger.schemas.JaegerFailure`."""
    error = {"code": problem.status, "msg": problem.message}
    body = {"data": None, "total": 0, "limit": 0, "offset": 0, "errors": [error]}
    return json_error(body, problem.status)


def _gateway(problem: Problem) -> Response:
    """`raymap.contrib.jaeger.schemas_v3.Failure`."""
    body = {"error": {"httpCode": problem.status, "message": problem.message}}
    return json_error(body, problem.status)

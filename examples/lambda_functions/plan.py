"""What is invoked, the map that X-Ray's SDK for Python gives of it, and why the others' differ."""

from __future__ import annotations

from typing import Any, NamedTuple

from examples.lambda_functions.programs import OTEL, REFERENCE, Run
from examples.two_sdks.diff import Edge, Figures, Graph, Node, differences

EVENTS: tuple[dict[str, Any], ...] = ({}, {"product": "coffee"}, {}, {"fail": True})
"""One event each; the function raises at the last and calls nothing then."""


class Result(NamedTuple):
    """What Raymap says of a run."""

    graph: Graph
    cold: list[bool]
    """Whether each invocation was a cold start, in their order."""
    reports: list[int]
    """How many REPORT lines are on the trace of each."""


COLD, REPORTS = [True, False, False, False], [1, 1, 1, 1]

CLIENT, WEB = Node("web", "client"), Node("web", "")
SERVICE, FUNCTION = Node("checkout", "AWS::Lambda"), Node("checkout", "AWS::Lambda::Function")
TABLE = Node("orders", "AWS::DynamoDB::Table")

ALL, STORED = Figures(ok=4), Figures(ok=3)
REPORTED = Figures(ok=3, fault=1)
"""Of a function that says itself that it raised."""


def expected(run: Run) -> Result:
    """Of a run."""
    function = REPORTED if run.tracer == OTEL else ALL
    nodes = {
        CLIENT: Figures(state="unknown"),
        WEB: ALL._replace(state="active", root=True),
        SERVICE: ALL._replace(state="active"),
        FUNCTION: function._replace(state="active"),
        TABLE: STORED._replace(state="unknown"),
    }
    edges = {
        Edge(CLIENT, WEB): ALL,
        Edge(WEB, SERVICE): ALL,
        Edge(SERVICE, FUNCTION): function,
        Edge(FUNCTION, TABLE): STORED,
    }
    return Result(Graph(nodes, edges), COLD, REPORTS)


RAISED = (
    "OpenTelemetry reports the function itself, and that it raised; X-Ray's SDK reports what is inside, "
    "and the platform's record says success"
)


def reason(run: Run, difference: str) -> str:
    """Why a run's map differs from the reference's; '' where there is no reason."""
    counts = (f"{FUNCTION}: {field} is " for field in ("ok", "fault"))
    return RAISED if run.tracer == OTEL and any(map(difference.__contains__, counts)) else ""


def compared(run: Run, result: Result) -> list[tuple[str, str]]:
    """Each difference of a run from the reference, and the reason."""
    wanted = expected(REFERENCE)
    said = differences(wanted.graph, result.graph, (str(REFERENCE), str(run)))
    if result.cold != wanted.cold:
        said.append(f"cold starts are {result.cold}, not {wanted.cold}")
    if result.reports != wanted.reports:
        said.append(f"REPORT lines are {result.reports}, not {wanted.reports}")
    return [(difference, reason(run, difference)) for difference in said]

"""What is invoked, and the map that every language and tracer gives of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from examples.lambda_functions.programs import REFERENCE, Run
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
RAISED = Figures(ok=3, fault=1)
"""Of the function, and of the service: X-Ray's SDKs send a subsegment around the handler, OpenTelemetry the function."""


def expected() -> Result:
    """The same of every run."""
    nodes = {
        CLIENT: Figures(state="unknown"),
        WEB: ALL._replace(state="active", root=True),
        SERVICE: RAISED._replace(state="active"),
        FUNCTION: RAISED._replace(state="active"),
        TABLE: STORED._replace(state="unknown"),
    }
    edges = {
        Edge(CLIENT, WEB): ALL,
        Edge(WEB, SERVICE): ALL,
        Edge(SERVICE, FUNCTION): RAISED,
        Edge(FUNCTION, TABLE): STORED,
    }
    return Result(Graph(nodes, edges), COLD, REPORTS)


def compared(run: Run, result: Result) -> list[str]:
    """Each difference of a run from the reference."""
    wanted = expected()
    said = differences(wanted.graph, result.graph, (str(REFERENCE), str(run)))
    if result.cold != wanted.cold:
        said.append(f"cold starts are {result.cold}, not {wanted.cold}")
    if result.reports != wanted.reports:
        said.append(f"REPORT lines are {result.reports}, not {wanted.reports}")
    return said

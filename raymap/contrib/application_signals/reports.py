"""What requests of an interval leave of the error budgets of service level objectives: the figures of the map."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import floor

from api.console.map_json import node_numbers
from api.console.place import Place, Scope, node_place
from api.context import Context
from api.errors import ApiError
from api.graph.build import Graph, stats_of
from api.v1.graph import read_graph
from raymap.contrib.application_signals.budget import budget_of
from raymap.contrib.application_signals.keys import nodes_of
from raymap.contrib.application_signals.objective_body import interval
from raymap.contrib.application_signals.requested import Json, Requested
from raymap.contrib.application_signals.shapes import arn_of, goal, id_name, indicator
from store.config import records
from store.errors import TooManyTraces
from store.graph import Statistics, total_statistics
from store.model import NodeKey, TimeRange
from store.objectives import Objective
from store.rules.invocations import FUNCTION, SERVICE
from store.times import SECOND

MOST_IDS = 50


def budget_reports(context: Context, request: Requested) -> Json:
    """BatchGetServiceLevelObjectiveBudgetReport: a report of each, or why there is none."""
    at = request.body.instant("Timestamp")
    ids = request.body.texts("SloIds")
    if not 1 <= len(ids) <= MOST_IDS:
        raise ApiError(f"SloIds must have 1 to {MOST_IDS} elements, got {len(ids)}")
    known = records.read(context.store.read_configuration(), Objective)
    figures = _Figures(context, at)
    reports: list[Json] = []
    errors: list[Json] = []
    for name in map(id_name, dict.fromkeys(ids)):
        if name not in known:
            errors.append(_error(name, "ResourceNotFoundException", "there is no such objective"))
            continue
        try:
            reports.append(_report(known[name], figures))
        except TooManyTraces as error:
            errors.append(_error(name, "ValidationException", str(error)))
    return {"Timestamp": at / SECOND, "Reports": reports, "Errors": errors}


class _Figures:
    """The statistics of services in windows that end at one instant, each read once."""

    def __init__(self, context: Context, at: int) -> None:
        self.at = at
        self._context = context
        self._graph = cache(self._read_graph)
        self._operations = cache(self._read_operations)

    def of(self, objective: Objective) -> Statistics:
        """The requests of an objective."""
        shown, graph = self._graph(interval(objective))
        places = [
            node_place(graph, node, Scope(shown)) for node in _counted(graph, shown, objective)
        ]
        return total_statistics([self._of_place(place, objective.operation) for place in places])

    def _of_place(self, place: Place, operation: str) -> Statistics:
        if not operation:
            return place.statistics
        units = place.units
        assert units.window is not None
        found = self._operations(units.nodes, units.window, units.background)
        return found.get(operation, Statistics())

    def _read_graph(self, length: int) -> tuple[TimeRange, Graph]:
        window = TimeRange(self.at - length, self.at)
        shown, graph, _ = read_graph(self._context, window, None, None)
        return shown, graph

    def _read_operations(
        self, nodes: frozenset[NodeKey], window: TimeRange, background: bool
    ) -> dict[str, Statistics]:
        return self._context.store.operation_statistics(nodes, window, background=background)


def _counted(graph: Graph, window: TimeRange, objective: Objective) -> Iterator[NodeKey]:
    """The nodes of a service, of a function's two only the one that is called."""
    name, environment = objective.service, objective.environment
    found = [
        node
        for node in graph
        if name in (stats_of(graph, node).shown, *stats_of(graph, node).names)
        and any(nodes_of([node_numbers(graph, node, window)], name, environment))
    ]
    functions = {node._replace(type=FUNCTION) for node in found if node.type == SERVICE}
    return (node for node in found if node not in functions)


def _report(objective: Objective, figures: _Figures) -> Json:
    report: Json = {
        "Arn": arn_of(objective.name),
        "Name": objective.name,
        "EvaluationType": "RequestBased",
        "BudgetStatus": "INSUFFICIENT_DATA",
        "RequestBasedSli": indicator(objective),
        "Goal": goal(objective),
    }
    if figures.at < objective.created // SECOND * SECOND:  # SDKs send whole seconds
        return report
    budget = budget_of(objective, figures.of(objective))
    if not budget.total:
        return report
    return {
        **report,
        "BudgetStatus": budget.status(objective.warning),
        "Attainment": 100 * budget.good / budget.total,
        "TotalBudgetRequests": floor(budget.allowed),
        "BudgetRequestsRemaining": budget.remaining,
    }


def _error(name: str, code: str, message: str) -> Json:
    return {"Name": name, "Arn": arn_of(name), "ErrorCode": code, "ErrorMessage": message}

"""The operations of Application Signals that declare and read service level objectives."""

from __future__ import annotations

from api.context import Context
from api.errors import ApiError
from raymap.contrib.application_signals.objective_body import created, read_name, updated
from raymap.contrib.application_signals.reports import budget_reports
from raymap.contrib.application_signals.requested import Json, Operation, Requested
from raymap.contrib.application_signals.shapes import arn_of, goal, id_name, indicator, keys, source
from store.config import records
from store.config.change import Contended, Decide, Result, change
from store.config.protocol import Change, Configuration
from store.objectives import MAX_OBJECTIVES, Objective
from store.times import SECOND


def create_service_level_objective(context: Context, request: Requested) -> Json:
    """A new objective; ApiError when there is one of its name (409), or too many (402)."""
    name = read_name(request.body)

    def decide(configuration: Configuration, now: int) -> tuple[Objective, list[Change]]:
        known = records.read(configuration, Objective)
        if name in known:
            raise ApiError(f"there is an objective {name!r} already", code="Conflict", status=409)
        if len(known) >= MAX_OBJECTIVES:
            raise ApiError(
                f"there are {MAX_OBJECTIVES} objectives, the most there can be",
                code="ServiceQuotaExceeded",
                status=402,
            )
        objective = created(name, request.body, now)
        return objective, [records.put(name, objective)]

    return {"Slo": _render(_change(context, decide))}


def update_service_level_objective(context: Context, request: Requested) -> Json:
    """What the request names is changed, the rest remains."""

    def decide(configuration: Configuration, now: int) -> tuple[Objective, list[Change]]:
        objective = updated(_known(configuration, request), request.body, now)
        return objective, [records.put(objective.name, objective)]

    return {"Slo": _render(_change(context, decide))}


def delete_service_level_objective(context: Context, request: Requested) -> Json:
    """One objective less."""

    def decide(configuration: Configuration, _: int) -> tuple[None, list[Change]]:
        return None, [records.remove(_known(configuration, request).name, Objective)]

    _change(context, decide)
    return {}


def get_service_level_objective(context: Context, request: Requested) -> Json:
    """One objective, by its name or ARN."""
    return {"Slo": _render(_known(context.store.read_configuration(), request))}


def list_service_level_objectives(context: Context, request: Requested) -> Json:
    """The objectives by name: of a service, of an operation, or of some sources. None is of a dependency or a metric."""
    body = request.body
    wanted = body.text_map("KeyAttributes")
    operation = request.parameters.get("OperationName", "")
    sources = body.texts("MetricSourceTypes") if body.has("MetricSourceTypes") else []
    elsewhere = body.has("DependencyConfig") or body.has("MetricSource")
    found = [
        _summary(each)
        for each in records.read(context.store.read_configuration(), Objective).values()
        if not elsewhere
        and wanted.items() <= keys(each).items()
        and operation in ("", each.operation)
        and (not sources or source(each) in sources)
    ]
    return request.page("SloSummaries", found)


OBJECTIVES: dict[tuple[str, str], Operation] = {
    ("POST", "/slo"): create_service_level_objective,
    ("GET", "/slo/{id:path}"): get_service_level_objective,
    ("PATCH", "/slo/{id:path}"): update_service_level_objective,
    ("DELETE", "/slo/{id:path}"): delete_service_level_objective,
    ("POST", "/slos"): list_service_level_objectives,
    ("POST", "/budget-report"): budget_reports,
}
"""An ARN, by which an address may name an objective, has a slash."""


def _known(configuration: Configuration, request: Requested) -> Objective:
    id = request.parameters["id"]
    found = records.read(configuration, Objective).get(id_name(id))
    if found is None:
        raise ApiError(
            f"there is no objective {id[:200]!r}",
            code="ResourceNotFound",
            status=404,
            members={"ResourceType": "ServiceLevelObjective", "ResourceId": id},
        )
    return found


def _change(context: Context, decide: Decide[Result]) -> Result:
    try:
        return change(context.store, decide, context.clock)
    except Contended as error:
        raise ApiError(str(error), code="Throttling", status=429) from None


def _render(objective: Objective) -> Json:
    described = {"Description": objective.description} if objective.description else {}
    return {
        "Arn": arn_of(objective.name),
        "Name": objective.name,
        **described,
        "CreatedTime": objective.created / SECOND,
        "LastUpdatedTime": objective.modified / SECOND,
        "EvaluationType": "RequestBased",
        "RequestBasedSli": indicator(objective),
        "Goal": goal(objective),
        "MetricSourceType": source(objective),
    }


def _summary(objective: Objective) -> Json:
    of = {"OperationName": objective.operation} if objective.operation else {}
    return {
        "Arn": arn_of(objective.name),
        "Name": objective.name,
        "KeyAttributes": keys(objective),
        **of,
        "CreatedTime": objective.created / SECOND,
        "EvaluationType": "RequestBased",
        "MetricSourceType": source(objective),
    }

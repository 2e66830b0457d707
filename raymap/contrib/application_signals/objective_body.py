"""A service level objective from the JSON of a request. ApiError (400) says which member is wrong, and what was expected."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from msgspec.structs import replace

from api.errors import ApiError
from api.request import MOST_DAYS, JsonBody
from raymap.contrib.application_signals.keys import ENVIRONMENTS, SERVICE
from store.objectives import Indicator, Objective
from store.times import DAY, MINUTE

MOST_NAME, MOST_OPERATION, MOST_DESCRIPTION = 1024, 255, 1024
MOST_MILLISECONDS = 86_400_000
LONGEST_DAYS = 366
"""Of an interval."""
UNITS = {"MINUTE": 1, "HOUR": 60, "DAY": 1440}
"""Minutes of an interval's units; of a rolling month AWS's model does not say how long it is."""
OPERATORS = {"LessThan": False, "LessThanOrEqualTo": True}
"""Whether the threshold itself is good."""
_NAME = re.compile(r"[0-9A-Za-z][-._0-9A-Za-z ]{0,126}[0-9A-Za-z]")


def read_name(body: JsonBody) -> str:
    """The name of a new objective."""
    name = body.required_text("Name")
    if not _NAME.fullmatch(name):
        raise ApiError(
            "Name must have 2 to 128 ASCII letters, digits, spaces and -._, the first and the last a letter or digit"
        )
    return name


def created(name: str, body: JsonBody, now: int) -> Objective:
    """The objective that CreateServiceLevelObjective describes; ``now``: microseconds."""
    _only(body, ("Name", "Description", "RequestBasedSliConfig", "Goal"))
    config = _required(body, "RequestBasedSliConfig")
    new = Objective(name=name, **_indicator(config), created=now, modified=now)
    return _checked(_with_goal(_with_description(new, body), body))


def updated(old: Objective, body: JsonBody, now: int) -> Objective:
    """The objective that UpdateServiceLevelObjective makes of one; what the request does not name remains."""
    _only(body, ("Description", "RequestBasedSliConfig", "Goal"))
    config = body.inner("RequestBasedSliConfig")
    indicator = {} if config is None else _indicator(config)
    new = replace(old, **indicator, modified=now)
    return _checked(_with_goal(_with_description(new, body), body))


def interval(objective: Objective) -> int:
    """The length of its interval in microseconds."""
    return objective.duration * UNITS[objective.unit] * MINUTE


def _indicator(config: JsonBody) -> dict[str, Any]:
    """The members of an objective that say which requests count, and which are good."""
    _only(config, ("RequestBasedSliMetricConfig", "MetricThreshold", "ComparisonOperator"))
    metric = _required(config, "RequestBasedSliMetricConfig")
    _only(metric, ("KeyAttributes", "OperationName", "MetricType"))
    indicator = metric.required_text("MetricType")
    if indicator not in list(Indicator):
        raise ApiError(
            f"MetricType must be one of {', '.join(Indicator)}, got {indicator[:60]!r}",
        )
    return {
        **_service(metric),
        "operation": metric.text("OperationName", most=MOST_OPERATION),
        "indicator": Indicator(indicator),
        **_threshold(config, Indicator(indicator)),
    }


def _service(metric: JsonBody) -> dict[str, str]:
    keys = _required(metric, "KeyAttributes")
    _only(keys, ("Type", "Name", "Environment"))
    if (type := keys.required_text("Type")) != SERVICE:
        raise ApiError(f"KeyAttributes.Type must be {SERVICE}, got {type[:60]!r}")
    environment = keys.required_text("Environment")
    if environment not in ENVIRONMENTS:
        known = ", ".join(ENVIRONMENTS)
        raise ApiError(
            f"KeyAttributes.Environment must be one of {known}, got {environment[:60]!r}"
        )
    return {"service": keys.required_text("Name", most=MOST_NAME), "environment": environment}


def _threshold(config: JsonBody, indicator: Indicator) -> dict[str, Any]:
    if indicator is Indicator.AVAILABILITY:
        if config.has("MetricThreshold") or config.has("ComparisonOperator"):
            raise ApiError(
                "MetricThreshold and ComparisonOperator are of LATENCY: requests without a fault are AVAILABILITY"
            )
        return {"threshold": 0.0, "inclusive": False}
    threshold = _number(config, "MetricThreshold", None, MOST_MILLISECONDS)
    operator = config.required_text("ComparisonOperator")
    if operator not in OPERATORS:
        raise ApiError(
            f"ComparisonOperator must be one of {', '.join(OPERATORS)}, got {operator[:60]!r}"
        )
    return {"threshold": threshold, "inclusive": OPERATORS[operator]}


def _with_description(objective: Objective, body: JsonBody) -> Objective:
    if not body.has("Description"):
        return objective
    return replace(objective, description=body.text("Description", most=MOST_DESCRIPTION))


def _with_goal(objective: Objective, body: JsonBody) -> Objective:
    goal = body.inner("Goal")
    if goal is None:
        return objective
    _only(goal, ("Interval", "AttainmentGoal", "WarningThreshold"))
    return replace(
        objective,
        goal=_number(goal, "AttainmentGoal", objective.goal, 100),
        warning=_number(goal, "WarningThreshold", objective.warning, 100),
        **_interval(goal),
    )


def _interval(goal: JsonBody) -> dict[str, Any]:
    given = goal.inner("Interval")
    if given is None:
        return {}
    _only(given, ("RollingInterval",))
    rolling = _required(given, "RollingInterval")
    unit = rolling.required_text("DurationUnit")
    if unit not in UNITS:
        raise ApiError(f"DurationUnit must be one of {', '.join(UNITS)}, got {unit[:60]!r}")
    most = LONGEST_DAYS * UNITS["DAY"] // UNITS[unit]
    return {"duration": rolling.whole("Duration", least=1, most=most), "unit": unit}


def _checked(objective: Objective) -> Objective:
    """The operations of a window are counted from rows, so that of one operation it must not be long."""
    if objective.operation and interval(objective) > MOST_DAYS * DAY:
        raise ApiError(f"the interval of an OperationName must be at most {MOST_DAYS} days")
    return objective


def _number(body: JsonBody, name: str, otherwise: float | None, below: float) -> float:
    """A number above 0 and below a limit."""
    value = body.number(name)
    value = otherwise if value is None else value
    if value is None or not 0 < value < below:
        raise ApiError(f"{name} must lie between 0 and {below:,}, both excluded, got {value}")
    return value


def _required(body: JsonBody, name: str) -> JsonBody:
    found = body.inner(name)
    if found is None:
        raise ApiError(f"{name} is missing; expected an object")
    return found


def _only(body: JsonBody, members: Collection[str]) -> None:
    """What AWS's model has and Raymap does not is refused: it would be ignored otherwise."""
    if others := sorted(body.names() - set(members)):
        known = ", ".join(members)
        raise ApiError(f"{others[0][:60]!r} is not supported; expected of {known}")

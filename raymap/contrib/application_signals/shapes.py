"""What AWS's model has of a service level objective."""

from __future__ import annotations

from raymap.contrib.application_signals.keys import SERVICE
from raymap.contrib.application_signals.requested import Json
from store.objectives import Indicator, Objective

_ARN = "arn:aws:application-signals:local:000000000000:slo/"


def arn_of(name: str) -> str:
    """The ARN of an objective."""
    return _ARN + name


def id_name(id: str) -> str:
    """The name in an ARN, or the name that an id is itself."""
    return id.removeprefix(_ARN)


def keys(objective: Objective) -> dict[str, str]:
    """The key attributes of its service."""
    return {"Type": SERVICE, "Name": objective.service, "Environment": objective.environment}


def source(objective: Objective) -> str:
    """What is measured: a service, or one operation of it."""
    return "ServiceOperation" if objective.operation else "Service"


def indicator(objective: Objective) -> Json:
    """Which requests count, and which are good. There are no CloudWatch metrics behind it."""
    metric: Json = {
        "KeyAttributes": keys(objective),
        "MetricType": objective.indicator.value,
        "TotalRequestCountMetric": [],
        "MonitoredRequestCountMetric": {"GoodCountMetric": []},
    }
    if objective.operation:
        metric["OperationName"] = objective.operation
    if objective.indicator is Indicator.AVAILABILITY:
        return {"RequestBasedSliMetric": metric}
    operator = "LessThanOrEqualTo" if objective.inclusive else "LessThan"
    return {
        "RequestBasedSliMetric": metric,
        "MetricThreshold": objective.threshold,
        "ComparisonOperator": operator,
    }


def goal(objective: Objective) -> Json:
    """What share is to be good, over which time."""
    rolling = {"DurationUnit": objective.unit, "Duration": objective.duration}
    return {
        "Interval": {"RollingInterval": rolling},
        "AttainmentGoal": objective.goal,
        "WarningThreshold": objective.warning,
    }

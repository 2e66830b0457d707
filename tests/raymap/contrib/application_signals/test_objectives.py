"""Service level objectives as boto3 declares and reads them, counted as the map counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from fastapi.testclient import TestClient

from api.app import create_app
from raymap.contrib.application_signals import objectives
from raymap.contrib.application_signals.shapes import arn_of
from store.errors import TooManyTraces
from store.memory import MemoryStore
from store.model import Document
from store.objectives import MAX_OBJECTIVES
from tests.api.botocore_model import complaints
from tests.api.shop import END, START, order, shop

MODEL = botocore.session.get_session().get_service_model("application-signals")
FRONT = {"Type": "Service", "Name": "front", "Environment": "ecs:default"}
LAMBDA = {"Type": "Service", "Name": "resize", "Environment": "lambda:default"}
STOCK = {"Type": "Service", "Name": "stock", "Environment": "generic:default"}
HOUR = {"RollingInterval": {"DurationUnit": "HOUR", "Duration": 1}}
NOW = END + 0.25


def operations() -> list[Document]:
    """Ten further orders, of an operation of their own."""
    return [order(number, operation="POST /pay") for number in range(20, 30)]


def available(keys: Any = FRONT, **more: Any) -> dict[str, Any]:
    return {
        "RequestBasedSliMetricConfig": {
            "KeyAttributes": keys,
            "MetricType": "AVAILABILITY",
            **more,
        }
    }


def fast(threshold: float, operator: str = "LessThanOrEqualTo") -> dict[str, Any]:
    return {
        "RequestBasedSliMetricConfig": {"KeyAttributes": FRONT, "MetricType": "LATENCY"},
        "MetricThreshold": threshold,
        "ComparisonOperator": operator,
    }


def request(name: str = "orders", **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "RequestBasedSliConfig": available(),
        "Goal": {"Interval": HOUR, "AttainmentGoal": 90.0, "WarningThreshold": 30.0},
        **more,
    }


@pytest.fixture(scope="module")
def app() -> Any:
    store = MemoryStore()
    store.put([*shop(), *operations()], "shop")
    return create_app(store, version="1", clock=lambda: NOW)


@pytest.fixture
def signals(client: Any) -> Iterator[Any]:
    """A client of a server without objectives."""
    yield client
    for each in client.list_service_level_objectives()["SloSummaries"]:
        client.delete_service_level_objective(Id=each["Name"])


@contextmanager
def refused(code: str, said: str = "") -> Iterator[Any]:
    with pytest.raises(ClientError) as error:
        yield error
    found = error.value.response["Error"]
    assert found["Code"] == code
    assert said in found["Message"]


def report(signals: Any, at: float = NOW, **of: Any) -> dict[str, Any]:
    """The report of a new objective."""
    signals.create_service_level_objective(**request("reported", **of))
    answer = signals.batch_get_service_level_objective_budget_report(
        Timestamp=at, SloIds=["reported"]
    )
    (found,) = answer["Reports"]
    assert answer["Errors"] == []
    return dict(found)


def test_an_objective_is_what_was_declared(signals: Any) -> None:
    made = signals.create_service_level_objective(**request(Description="of all orders"))["Slo"]
    assert made["Arn"] == arn_of("orders")
    assert made["Description"] == "of all orders"
    assert made["EvaluationType"] == "RequestBased"
    assert made["MetricSourceType"] == "Service"
    assert made["RequestBasedSli"]["RequestBasedSliMetric"]["KeyAttributes"] == FRONT
    assert made["Goal"] == request()["Goal"]
    assert made["CreatedTime"] == datetime.fromtimestamp(NOW, UTC)
    assert signals.get_service_level_objective(Id="orders")["Slo"] == made
    assert signals.get_service_level_objective(Id=made["Arn"])["Slo"] == made


def test_by_default_99_percent_of_a_week(signals: Any) -> None:
    signals.create_service_level_objective(Name="week", RequestBasedSliConfig=fast(250.5))
    made = signals.get_service_level_objective(Id="week")["Slo"]
    assert made["Goal"] == {
        "Interval": {"RollingInterval": {"DurationUnit": "DAY", "Duration": 7}},
        "AttainmentGoal": 99.0,
        "WarningThreshold": 50.0,
    }
    assert made["RequestBasedSli"]["MetricThreshold"] == 250.5
    assert made["RequestBasedSli"]["ComparisonOperator"] == "LessThanOrEqualTo"


def test_what_an_update_does_not_name_remains(signals: Any) -> None:
    made = signals.create_service_level_objective(**request(Description="old"))["Slo"]
    signals.update_service_level_objective(Id="orders", Goal={"AttainmentGoal": 50.0})
    changed = signals.get_service_level_objective(Id="orders")["Slo"]
    assert changed["Goal"] == {**made["Goal"], "AttainmentGoal": 50.0}
    assert changed["Description"] == "old"
    assert changed["RequestBasedSli"] == made["RequestBasedSli"]
    changed = signals.update_service_level_objective(
        Id=made["Arn"], Description="new", RequestBasedSliConfig=fast(100, "LessThan")
    )["Slo"]
    assert changed["Description"] == "new"
    assert changed["RequestBasedSli"]["ComparisonOperator"] == "LessThan"
    assert changed["Goal"]["AttainmentGoal"] == 50.0


def test_a_deleted_objective_is_gone(signals: Any) -> None:
    made = signals.create_service_level_objective(**request())["Slo"]
    signals.delete_service_level_objective(Id=made["Arn"])
    with refused("ResourceNotFoundException", "no objective 'orders'") as error:
        signals.get_service_level_objective(Id="orders")
    assert error.value.response["ResourceId"] == "orders"
    assert error.value.response["ResourceType"] == "ServiceLevelObjective"
    for change in (
        signals.delete_service_level_objective,
        signals.update_service_level_objective,
    ):
        with refused("ResourceNotFoundException"):
            change(Id="orders")


def test_lists_and_their_filters(signals: Any) -> None:
    assert signals.list_service_level_objectives()["SloSummaries"] == []
    pay = available(OperationName="POST /pay")
    signals.create_service_level_objective(**request("pay", RequestBasedSliConfig=pay))
    signals.create_service_level_objective(**request("all"))
    signals.create_service_level_objective(
        **request("resize", RequestBasedSliConfig=available(LAMBDA))
    )

    def named(**filters: Any) -> list[str]:
        found = signals.list_service_level_objectives(**filters)["SloSummaries"]
        return [each["Name"] for each in found]

    assert named() == ["all", "pay", "resize"]
    assert named(KeyAttributes=LAMBDA) == ["resize"]
    assert named(KeyAttributes={"Type": "Service", "Name": "front"}) == ["all", "pay"]
    assert named(KeyAttributes=FRONT, OperationName="POST /pay") == ["pay"]
    assert named(OperationName="GET /") == []
    assert named(MetricSourceTypes=["ServiceOperation"]) == ["pay"]
    assert named(MetricSourceTypes=["CloudWatchMetric"]) == []
    dependency = {"DependencyKeyAttributes": STOCK, "DependencyOperationName": "GET /"}
    assert named(DependencyConfig=dependency) == []
    pages = signals.get_paginator("list_service_level_objectives").paginate(
        PaginationConfig={"PageSize": 2}
    )
    assert [[each["Name"] for each in page["SloSummaries"]] for page in pages] == [
        ["all", "pay"],
        ["resize"],
    ]


def test_availability_is_the_maps_share_without_faults(signals: Any, app: Any) -> None:
    """Of sixteen orders one faulted; a caller's mistake and a throttled one are no faults."""
    services = TestClient(app).get(f"/api/v1/map?from={START - 60}&to={END}").json()["services"]
    (front,) = [each for each in services if each["name"] == "front" and each["requests"]]
    assert (front["requests"], front["fault"], front["error"]) == (16, 1, 1)
    found = report(signals)
    assert found["Attainment"] == pytest.approx(100 * 15 / 16)
    assert found["TotalBudgetRequests"] == 1
    assert found["BudgetRequestsRemaining"] == 0
    assert found["BudgetStatus"] == "OK", "37.5 % of the budget remain"
    assert found["Goal"] == request()["Goal"]


def test_a_warning_before_the_budget_is_used(signals: Any) -> None:
    goal = {"Interval": HOUR, "AttainmentGoal": 90.0, "WarningThreshold": 40.0}
    assert report(signals, Goal=goal)["BudgetStatus"] == "WARNING"


def test_a_breach(signals: Any) -> None:
    found = report(signals, Goal={"Interval": HOUR, "AttainmentGoal": 99.0})
    assert found["BudgetStatus"] == "BREACHED"
    assert found["BudgetRequestsRemaining"] == -1


def test_one_operation(signals: Any, app: Any) -> None:
    """As the console's list of operations counts it."""
    pay = available(OperationName="POST /pay")
    found = report(signals, RequestBasedSliConfig=pay)
    assert found["Attainment"] == 100.0
    assert found["TotalBudgetRequests"] == 1, "a tenth of ten"
    others = report_of_operation(app, "POST /pay")
    assert (others["requests"], others["fault"]) == (10, 0)


def report_of_operation(app: Any, operation: str) -> dict[str, Any]:
    client, window = TestClient(app), f"from={START - 60}&to={END}"
    services = client.get(f"/api/v1/services?{window}").json()["services"]
    (id,) = [each["id"] for each in services if each["name"] == "front" and each["requests"]]
    lines = client.get(f"/api/v1/services/{id}/operations?{window}").json()["operations"]
    (line,) = [each for each in lines if each["operation"] == operation]
    return dict(line)


@pytest.mark.parametrize(
    ("threshold", "operator", "attainment"),
    [(100, "LessThanOrEqualTo", 100.0), (100, "LessThan", 0.0), (99, "LessThanOrEqualTo", 0.0)],
)
def test_latency(signals: Any, threshold: float, operator: str, attainment: float) -> None:
    """Every order takes 100 ms."""
    found = report(signals, RequestBasedSliConfig=fast(threshold, operator))
    assert found["Attainment"] == attainment


def test_a_function_counts_once(signals: Any) -> None:
    """Both of its nodes have the one invocation."""
    found = report(
        signals,
        RequestBasedSliConfig=available(LAMBDA),
        Goal={"Interval": HOUR, "AttainmentGoal": 1.0},
    )
    assert (found["Attainment"], found["BudgetRequestsRemaining"]) == (100.0, 99)


@pytest.mark.parametrize(
    ("at", "keys"), [(NOW - 3, FRONT), (NOW + 7200, FRONT), (NOW, {**FRONT, "Name": "unseen"})]
)
def test_without_data(signals: Any, at: float, keys: Any) -> None:
    """Before the objective was declared, after the last request, and of a service without one."""
    found = report(signals, at, RequestBasedSliConfig=available(keys))
    assert found["BudgetStatus"] == "INSUFFICIENT_DATA"
    assert "Attainment" not in found


def test_reports_of_several_and_of_unknown_ones(signals: Any) -> None:
    for name in ("bb", "aa"):
        signals.create_service_level_objective(**request(name))
    answer = signals.batch_get_service_level_objective_budget_report(
        Timestamp=NOW, SloIds=["bb", arn_of("aa"), "bb", "nothing"]
    )
    assert [each["Name"] for each in answer["Reports"]] == ["bb", "aa"]
    (error,) = answer["Errors"]
    assert (error["Name"], error["ErrorCode"]) == ("nothing", "ResourceNotFoundException")
    with refused("ValidationException", "1 to 50"):
        signals.batch_get_service_level_objective_budget_report(Timestamp=NOW, SloIds=["a"] * 51)


def test_what_cannot_be_counted_spoils_no_other_report(
    signals: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise TooManyTraces("too many traces")

    monkeypatch.setattr(MemoryStore, "operation_statistics", refuse)
    pay = available(OperationName="POST /pay")
    signals.create_service_level_objective(**request("pay", RequestBasedSliConfig=pay))
    signals.create_service_level_objective(**request("all"))
    answer = signals.batch_get_service_level_objective_budget_report(
        Timestamp=NOW, SloIds=["pay", "all"]
    )
    assert [each["Name"] for each in answer["Reports"]] == ["all"]
    assert [each["Name"] for each in answer["Errors"]] == ["pay"]
    assert "too many traces" in answer["Errors"][0]["ErrorMessage"]


def test_a_name_is_taken_once(signals: Any) -> None:
    signals.create_service_level_objective(**request())
    with refused("ConflictException", "'orders' already"):
        signals.create_service_level_objective(**request())


def test_there_can_be_only_so_many(signals: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_OBJECTIVES > 1
    monkeypatch.setattr(objectives, "MAX_OBJECTIVES", 1)
    signals.create_service_level_objective(**request())
    with refused("ServiceQuotaExceededException", "there are 1 objectives"):
        signals.create_service_level_objective(**request("more"))


WEEKS = {"RollingInterval": {"DurationUnit": "DAY", "Duration": 8}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Name": "x"}, "Name must have 2 to 128"),
        ({"Name": "-orders"}, "the first and the last"),
        ({"RequestBasedSliConfig": None}, "RequestBasedSliConfig is missing"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "'Tags' is not supported"),
        ({"BurnRateConfigurations": [{"LookBackWindowMinutes": 5}]}, "'BurnRateConfigurations'"),
        ({"Goal": {"AttainmentGoal": 100.0}}, "AttainmentGoal must lie between 0 and 100"),
        ({"Goal": {"WarningThreshold": 0.0}}, "WarningThreshold must lie between"),
        (
            {"Goal": {"Interval": {"RollingInterval": {"DurationUnit": "MONTH", "Duration": 1}}}},
            "DurationUnit must be one of MINUTE, HOUR, DAY, got 'MONTH'",
        ),
        (
            {"Goal": {"Interval": {"RollingInterval": {"DurationUnit": "DAY", "Duration": 367}}}},
            "Duration must lie between 1 and 366",
        ),
        (
            {
                "Goal": {
                    "Interval": {
                        "CalendarInterval": {
                            "StartTime": END,
                            "DurationUnit": "MONTH",
                            "Duration": 1,
                        }
                    }
                }
            },
            "'CalendarInterval' is not supported",
        ),
        (
            {
                "RequestBasedSliConfig": available(OperationName="POST /pay"),
                "Goal": {"Interval": WEEKS},
            },
            "at most 7 days",
        ),
        ({"RequestBasedSliConfig": available({"Type": "Resource"})}, "must be Service"),
        (
            {"RequestBasedSliConfig": available({**FRONT, "Environment": "eks:prod/shop"})},
            "Environment must be one of ec2:default",
        ),
        ({"RequestBasedSliConfig": fast(0)}, "MetricThreshold must lie between"),
        ({"RequestBasedSliConfig": fast(5, "GreaterThan")}, "one of LessThan, LessThanOrEqualTo"),
        (
            {"RequestBasedSliConfig": {**available(), "MetricThreshold": 99.0}},
            "MetricThreshold and ComparisonOperator are of LATENCY",
        ),
        (
            {"RequestBasedSliConfig": available(MetricName="Latency")},
            "'MetricName' is not supported",
        ),
    ],
)
def test_what_is_refused(signals: Any, change: dict[str, Any], said: str) -> None:
    wanted = {name: each for name, each in request(**change).items() if each is not None}
    with refused("ValidationException", said):
        signals.create_service_level_objective(**wanted)
    assert signals.list_service_level_objectives()["SloSummaries"] == []


def test_an_update_to_what_cannot_be_is_refused(signals: Any) -> None:
    pay = available(OperationName="POST /pay")
    signals.create_service_level_objective(**request(RequestBasedSliConfig=pay))
    with refused("ValidationException", "at most 7 days"):
        signals.update_service_level_objective(Id="orders", Goal={"Interval": WEEKS})


def test_answers_conform_to_the_model(app: Any) -> None:
    client = TestClient(app)
    calls: list[tuple[str, str, Any]] = [
        ("CreateServiceLevelObjective", "/slo", request()),
        (
            "CreateServiceLevelObjective",
            "/slo",
            request("fast", RequestBasedSliConfig=fast(5), Description="of all"),
        ),
        ("UpdateServiceLevelObjective", "/slo/orders", {"Description": "new"}),
        ("GetServiceLevelObjective", "/slo/orders", None),
        ("ListServiceLevelObjectives", "/slos", {}),
        (
            "BatchGetServiceLevelObjectiveBudgetReport",
            "/budget-report",
            {"Timestamp": NOW, "SloIds": ["orders", "fast", "nothing"]},
        ),
        ("DeleteServiceLevelObjective", "/slo/orders", None),
    ]
    for name, path, body in calls:
        operation = MODEL.operation_model(name)
        answer = client.request(operation.http["method"], path, json=body)
        assert answer.status_code == 200, answer.text
        assert complaints(operation, answer.content) == []

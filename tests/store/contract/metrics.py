"""Points of metrics."""

from __future__ import annotations

from typing import Any

from store.model import NodeKey, TimeRange
from store.platform_metrics import MetricPoint, MetricStep
from store.protocol import Store
from store.times import HOUR, MINUTE
from tests.builders import T0

FUNCTION = "AWS::Lambda::Function"
NODE = NodeKey("1", "checkout", FUNCTION, "eu-west-1")
FIRST = T0 // HOUR * 60
WINDOW = TimeRange(FIRST * MINUTE, (FIRST + 10) * MINUTE)
INVOCATIONS = "AWS/Lambda/Invocations"


def point(minute: int = 0, value: float = 1.0, **members: Any) -> MetricPoint:
    """A point of the function, ``minute`` minutes after the window's start."""
    known = {
        "name": "checkout",
        "type": FUNCTION,
        "account": "1",
        "region": "eu-west-1",
        "metric": INVOCATIONS,
        "unit": "Count",
    }
    given = {"minute": FIRST + minute, "sum": value, "count": 1.0, "min": value, "max": value}
    return MetricPoint(**(known | given | members))


def steps(store: Store, node: NodeKey = NODE, step: int = 5) -> list[MetricStep]:
    return store.metric_steps(node, (FUNCTION,), WINDOW, step)


class MetricContract:
    """Every store passes every test."""

    def test_points_add_up_by_step(self, store: Store) -> None:
        points = [point(0, 2.5), point(1, 4), point(5, 1), point(-1), point(10)]
        store.put_metric_points([*points, point(0, 9, metric="AWS/Lambda/Duration")], "a")
        assert steps(store) == [
            MetricStep("AWS/Lambda/Duration", "Count", FIRST, 9, 1, 9, 9),
            MetricStep(INVOCATIONS, "Count", FIRST, 6.5, 2, 2.5, 4),
            MetricStep(INVOCATIONS, "Count", FIRST + 5, 1, 1, 1, 1),
        ]

    def test_a_point_counts_once_and_its_last_copy_counts(self, store: Store) -> None:
        store.put_metric_points([point(value=1), point(value=1, point=7)], "a")
        store.put_metric_points([point(value=2)], "b")
        store.put_metric_points([point(value=1, point=7)], "c")
        assert [(each.sum, each.count) for each in steps(store)] == [(3, 2)]

    def test_points_of_others_are_left_out(self, store: Store) -> None:
        others: list[dict[str, Any]] = [
            {"name": "other"},
            {"type": "AWS::SQS::Queue"},
            {"account": "2"},
            {"region": "us-east-1"},
            {"dimensions": "Resource=checkout:live"},
        ]
        store.put_metric_points([point(**members) for members in others], "a")
        assert steps(store) == []
        assert steps(store, NODE._replace(account="", region="")) != []

    def test_an_account_that_is_not_known_is_no_difference(self, store: Store) -> None:
        store.put_metric_points([point(account="", region="")], "a")
        assert len(steps(store)) == 1

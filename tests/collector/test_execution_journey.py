"""Executions of state machines from the receiver to the map: their logs alone, and beside AWS's own spans."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from api.graph.state_flow import state_flow
from api.v1.states import _rows
from store.model import NodeKey
from store.rules.executions import MACHINE, trace_of
from store.times import SECOND
from tests.aws_spans import delivered, records_of
from tests.collector.log_world import World, make_world, memory_world, world
from tests.execution_logs import (
    BEGIN,
    EXPRESS,
    FAILED,
    STANDARD,
    SUCCEEDED,
    chain,
    execution_batch,
    state,
)
from tests.lambda_samples import ACCOUNT, REGION, delivery, record

__all__ = ["make_world", "memory_world", "world"]
Json = dict[str, Any]
NODE = NodeKey(ACCOUNT, "fulfilment", MACHINE, REGION)
CLIENT = NodeKey("", "fulfilment", "client")
PATIENCE = 100 * SECOND


def post(world: World, *lines: str) -> None:
    world.post(delivery(record(execution_batch(*lines))))


def settle(world: World) -> None:
    """Rounds now, and when AWS's own segments would have arrived."""
    world.join(1)
    world.later = PATIENCE
    world.join(1)
    world.later = 0


def reported(**more: Any) -> list[Json]:
    """The express execution as AWS writes it to ``aws/spans``, in a trace of its own."""
    segment = {
        "id": f"{0x57A7E:016x}", "trace_id": "1-6b061437-00000000000000000000abcd",
        "name": "fulfilment", "origin": MACHINE,
        "resource_arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:fulfilment",
        "aws": {"account_id": ACCOUNT},
        "start_time": BEGIN / SECOND + 0.02, "end_time": BEGIN / SECOND + 9.05,
        "subsegments": [
            {"id": f"{0x57A73:016x}", "name": "ReserveStock",
             "start_time": BEGIN / SECOND + 1, "end_time": BEGIN / SECOND + 6},
        ], **more,
    }  # fmt: skip
    return records_of(segment)


def test_executions_in_several_deliveries_have_their_outcomes(world: World) -> None:
    """Express and standard; deliveries that come twice or in another order, and a damaged event, change nothing."""
    post(world, *SUCCEEDED[6:], '{"execution_arn": 5, "previous_event_id": "x", "id": {}}')
    post(world, *SUCCEEDED[:7])
    post(world, *FAILED[::-1])
    post(world, *SUCCEEDED, SUCCEEDED[0].replace(str(BEGIN // 1000), "never"))
    settle(world)
    assert world.nodes == {NODE: (1, 0, 0, 1)}
    assert world.edges == {(CLIENT, NODE): 2}
    settle(world)
    assert world.nodes == {NODE: (1, 0, 0, 1)}
    text = world.pipeline.metrics.render().decode()
    assert 'raymap_documents_rejected_total{reason="InvalidPlatformRecord"} 1.0' in text


def test_its_states_are_a_flow(world: World) -> None:
    """As those that AWS reports (`/api/v1/nodes/<id>/states`), and its events stand in its trace."""
    post(world, *SUCCEEDED)
    settle(world)
    trace_id = trace_of(EXPRESS)
    trace = world.store.get_traces([trace_id], raw=True)[trace_id]
    flow = state_flow([_rows(trace)], "fulfilment", MACHINE)
    assert flow.executions == 1
    assert [(each.name, dict(each.statuses)) for each in flow.states] == [
        ("ReserveStock", {"ok": 1}), ("Note", {"ok": 1}),
    ]  # fmt: skip


def test_a_log_of_failures_alone_counts_nothing(world: World) -> None:
    """Level ERROR: executions that succeeded write nothing, so one that failed says nothing of their share."""
    post(world, *FAILED[3:])
    settle(world)
    assert world.nodes == {}
    text = world.pipeline.metrics.render().decode()
    assert 'raymap_platform_records_total{outcome="no_start"} 1.0' in text


def test_one_that_runs_is_not_counted_until_it_ends(world: World) -> None:
    post(world, *SUCCEEDED[:-1])
    settle(world)
    assert world.nodes == {}
    post(world, SUCCEEDED[-1])
    settle(world)
    assert world.nodes == {NODE: (1, 0, 0, 0)}


def test_one_that_began_long_ago_is_found(world: World) -> None:
    start = json.loads(SUCCEEDED[0])
    start["event_timestamp"] = str(BEGIN // 1000 - 20 * 60 * 1000)
    post(world, json.dumps(start), *SUCCEEDED[1:])
    settle(world)
    assert world.nodes == {NODE: (1, 0, 0, 0)}


STEPS: dict[str, Callable[[World], None]] = {
    "log": lambda world: post(world, *SUCCEEDED),
    "spans": lambda world: world.post(delivered(*reported())),
    "settled": settle,
    "again": lambda world: post(world, *SUCCEEDED[3:]),
    "other": lambda world: post(world, *FAILED),
}


def test_in_any_order_with_awss_own_spans_counts_once(
    memory_world: Callable[[], World],
) -> None:
    """The other execution began at the same time and was not sampled by X-Ray."""
    for order in itertools.permutations(STEPS):
        world = memory_world()
        for step in order:
            STEPS[step](world)
        settle(world)
        assert world.nodes == {NODE: (1, 0, 0, 1)}, order
        assert world.edges == {(CLIENT, NODE): 2}, order
        world.pipeline.stop(5.0)


@pytest.mark.parametrize("first", ["log", "spans"])
def test_both_stores_count_once(world: World, first: str) -> None:
    for step in (first, "settled", "spans" if first == "log" else "log", "settled"):
        STEPS[step](world)
    assert world.nodes == {NODE: (1, 0, 0, 0)}


def test_an_arn_in_awss_segment_says_which_execution_it_is(world: World) -> None:
    """Of two that began at the same time."""
    both = chain("ExecutionStarted", state("PassStateEntered", "Note"),
                 state("PassStateExited", "Note"), "ExecutionSucceeded")  # fmt: skip
    twin = [line.replace(EXPRESS, STANDARD) for line in both]
    post(world, *both, *twin)
    aws = {"account_id": ACCOUNT, "execution_arn": STANDARD}
    world.post(delivered(*reported(aws=aws, fault=True, end_time=BEGIN / SECOND + 3.05)))
    settle(world)
    assert world.nodes == {NODE: (1, 0, 0, 1)}
    assert trace_of(EXPRESS) in world.store.get_traces([trace_of(EXPRESS)])
    assert world.store.get_traces([trace_of(STANDARD)]) == {}


@pytest.mark.parametrize("place", ["account", "region"])
def test_a_machine_of_that_name_elsewhere_is_another(world: World, place: str) -> None:
    """Though it ran at the same time, and whichever is known first."""
    text = json.dumps(reported())
    old, new = (ACCOUNT, "999988887777") if place == "account" else (REGION, "us-east-1")
    elsewhere = delivered(*json.loads(text.replace(old, new)), owner="999988887777")
    post(world, *SUCCEEDED)
    settle(world)
    world.post(elsewhere)
    settle(world)
    assert sum(sum(each) for each in world.nodes.values()) == 2
    assert len(world.nodes) == 2

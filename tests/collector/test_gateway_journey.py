"""Requests of API Gateway from the receiver to the map: access logs alone, and beside Lambda's records, AWS's own spans and SDKs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from raymap.gateway_joiner import OVERLAP
from store.model import NodeKey
from store.rules.gateway_requests import STAGE
from store.times import MINUTE, SECOND
from tests.access_logs import ANSWERED, START, THROTTLED, TRACED, access_line
from tests.aws_spans import delivered, records_of
from tests.collector.log_world import World, make_world, memory_world, world
from tests.lambda_samples import (
    ACCOUNT,
    END,
    FUNCTION_ID,
    REGION,
    REQUEST,
    SERVICE_ID,
    TRACE_TEXT,
    delivery,
    events,
    log_batch,
    record,
)

Json = dict[str, Any]
GATEWAY = NodeKey(ACCOUNT, "shop/prod", STAGE, REGION)
SERVICE = NodeKey(ACCOUNT, "checkout", "AWS::Lambda", REGION)
FUNCTION = NodeKey(ACCOUNT, "checkout", "AWS::Lambda::Function", REGION)
TABLE = NodeKey(ACCOUNT, "orders", "AWS::DynamoDB::Table", REGION)
CLIENT = NodeKey("", "shop/prod", "client")


def query() -> Json:
    """What the SDK in the function sends."""
    return {
        "id": f"{0x7AB1E:016x}", "type": "subsegment", "parent_id": f"{FUNCTION_ID:016x}",
        "trace_id": TRACE_TEXT, "name": "DynamoDB", "namespace": "aws",
        "start_time": END / SECOND - 0.09, "end_time": END / SECOND - 0.05,
        "aws": {"table_name": "orders", "operation": "GetItem", "region": REGION, "account_id": ACCOUNT},
    }  # fmt: skip


CALL_ID = 0xCA117


def reported_stage(**more: Any) -> Json:
    """The stage's segment as AWS writes it to X-Ray, with its call of the function."""
    call = {
        "id": f"{CALL_ID:016x}", "name": "Lambda", "namespace": "aws",
        "start_time": START / SECOND + 0.01, "end_time": END / SECOND + 0.01,
        "aws": {"function_name": "checkout", "operation": "Invoke", "region": REGION,
                "resource_names": ["checkout"]},
    }  # fmt: skip
    return {
        "id": f"{0x57A6E:016x}", "trace_id": TRACE_TEXT, "name": "shop/prod", "origin": STAGE,
        "start_time": START / SECOND, "end_time": END / SECOND + 0.01,
        "http": {"request": {"method": "POST"}, "response": {"status": 200}},
        "aws": {"api_gateway": {"account_id": ACCOUNT, "rest_api_id": "a1b2c3", "stage": "prod",
                                "request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}},
        "resource_arn": f"arn:aws:apigateway:{REGION}::/restapis/a1b2c3/stages/prod",
        "subsegments": [call], **more,
    }  # fmt: skip


def reported_function() -> list[Json]:
    """Lambda's own two segments."""
    times = {"trace_id": TRACE_TEXT, "start_time": END / SECOND - 0.1, "end_time": END / SECOND}
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"
    return [
        {"id": f"{SERVICE_ID:016x}", "parent_id": f"{CALL_ID:016x}", "name": "checkout",
         "origin": "AWS::Lambda", "resource_arn": arn, "aws": {"request_id": REQUEST}, **times},
        {"id": f"{FUNCTION_ID:016x}", "parent_id": f"{SERVICE_ID:016x}", "name": "checkout",
         "origin": "AWS::Lambda::Function", "aws": {"account_id": ACCOUNT, "function_arn": arn},
         **times},
    ]  # fmt: skip


__all__ = ["make_world", "memory_world", "world"]
ONCE = (1, 0, 0, 0)
PATH = {(CLIENT, GATEWAY): 1, (GATEWAY, SERVICE): 1, (SERVICE, FUNCTION): 1}


def test_statuses_by_the_one_classification(world: World) -> None:
    """429 is purple, another 4xx yellow, 5xx red; a line that comes twice counts once, a damaged one costs itself."""
    changes: list[Json] = [{}, THROTTLED, {"status": 404}, {"status": 502}, {"status": 200}]
    lines = [
        access_line(requestId=f"r{number}", xrayTraceId=f"1-6b061440-{number:024x}", **change)
        for number, change in enumerate(changes, start=1)
    ]
    world.lines(*lines, access_line(status="?"), *lines[:2])
    world.lines(*lines)
    assert world.nodes == {GATEWAY: (2, 1, 1, 1)}
    assert world.edges == {(CLIENT, GATEWAY): 5}
    world.join()
    assert (world.nodes, world.edges) == ({GATEWAY: (2, 1, 1, 1)}, {(CLIENT, GATEWAY): 5})
    text = world.pipeline.metrics.render().decode()
    assert 'raymap_documents_rejected_total{reason="InvalidPlatformRecord"} 1.0' in text


@pytest.mark.parametrize("api", ["Rest", "Http"])
def test_a_stage_calls_the_function_that_answered_it(world: World, api: str) -> None:
    """A REST API by its trace, an HTTP API by the request of its integration; with what the SDK in the function sends."""
    world.lines(access_line(api, **(TRACED if api == "Rest" else {}), **ANSWERED))
    world.report()
    world.put(query())
    world.join()
    assert world.nodes == dict.fromkeys((GATEWAY, SERVICE, FUNCTION, TABLE), ONCE)
    assert world.edges == PATH | {(FUNCTION, TABLE): 1}


STEPS: dict[str, Callable[[World], None]] = {
    "access": lambda world: world.lines(access_line(**TRACED, **ANSWERED)),
    "report": lambda world: world.report(),
    "spans": lambda world: world.post(
        delivered(
            *(r for d in (reported_stage(), *reported_function()) for r in records_of(d)),
        )
    ),
    "sdk": lambda world: world.put(query()),
    "again": lambda world: world.lines(access_line(**TRACED, **ANSWERED)),
}


@pytest.mark.parametrize("joins", [True, False], ids=["joined between", "joined at the end"])
def test_in_any_order_with_awss_own_spans_counts_once(
    memory_world: Callable[[], World], joins: bool
) -> None:
    for order in itertools.permutations(STEPS):
        world = memory_world()
        for step in order:
            STEPS[step](world)
            if joins:
                world.join(1)
        world.join()
        assert world.nodes == dict.fromkeys((GATEWAY, SERVICE, FUNCTION, TABLE), ONCE), order
        assert world.edges == PATH | {(FUNCTION, TABLE): 1}, order
        world.pipeline.stop(5.0)


def test_clickhouse_counts_once_as_well(make_world: Callable[..., World]) -> None:
    world = make_world()
    for step in ("access", "report", "sdk"):
        STEPS[step](world)
    world.join()
    assert world.edges == PATH | {(FUNCTION, TABLE): 1}
    STEPS["spans"](world)
    world.join()
    assert world.nodes == dict.fromkeys((GATEWAY, SERVICE, FUNCTION, TABLE), ONCE)
    assert world.edges == PATH | {(FUNCTION, TABLE): 1}


def test_a_function_that_aws_reported_names_the_stages_subsegment(world: World) -> None:
    """What is behind the stage names a parent that no document contains."""
    world.lines(access_line(**TRACED, **ANSWERED))
    world.put(*reported_function())
    world.join()
    assert world.edges == PATH


def test_a_service_behind_an_http_integration_is_called_by_the_stage(world: World) -> None:
    backend = {
        "id": f"{0xBAC:016x}", "parent_id": f"{0x0DD:016x}", "trace_id": TRACE_TEXT, "name": "orders",
        "start_time": END / SECOND - 0.1, "end_time": END / SECOND,
    }  # fmt: skip
    world.put(backend)
    world.lines(access_line(**TRACED))
    world.join()
    assert world.edges == {(CLIENT, GATEWAY): 1, (GATEWAY, NodeKey("", "orders", "")): 1}


def test_a_service_that_calls_the_api_is_in_front_of_the_stage(world: World) -> None:
    call = {
        "id": f"{0xCA:016x}", "name": f"a1b2c3.execute-api.{REGION}.amazonaws.com",
        "namespace": "remote", "start_time": START / SECOND - 0.01, "end_time": END / SECOND + 0.02,
        "http": {"request": {"url": f"https://a1b2c3.execute-api.{REGION}.amazonaws.com/prod"}},
    }  # fmt: skip
    web = {
        "id": f"{0x3EB:016x}", "trace_id": TRACE_TEXT, "name": "web", "subsegments": [call],
        "start_time": START / SECOND - 0.02, "end_time": END / SECOND + 0.03,
    }  # fmt: skip
    world.lines(access_line(**TRACED, **ANSWERED))
    world.join()
    world.put(web)
    world.join()
    node = NodeKey("", "web", "")
    assert world.edges == {(NodeKey("", "web", "client"), node): 1, (node, GATEWAY): 1}


def test_an_http_apis_request_waits_for_its_function_and_then_stands_alone(world: World) -> None:
    """Its function's lines name no trace, or do not come: of the stage all requests are counted."""
    world.lines(access_line("Http", **ANSWERED), access_line("Http", requestId="r2", **THROTTLED))
    world.join()
    assert world.nodes == {GATEWAY: (0, 0, 1, 0)}
    world.later = 2 * OVERLAP
    world.join()
    assert world.nodes == {GATEWAY: (1, 0, 1, 0)}
    world.join()
    assert world.edges == {(CLIENT, GATEWAY): 2}


def test_a_functions_line_that_is_late_moves_the_request_to_its_trace(world: World) -> None:
    world.lines(access_line("Http", **ANSWERED))
    world.join(1)
    world.later = 2 * OVERLAP
    world.join(1)
    assert world.nodes == {GATEWAY: ONCE}
    world.report()
    world.join(8)
    assert world.nodes == dict.fromkeys((GATEWAY, SERVICE, FUNCTION), ONCE)
    assert world.edges == PATH


def test_the_functions_record_in_json_names_the_stage_as_well(world: World) -> None:
    world.post(delivery(record(log_batch(*map(json.dumps, events())))))
    world.lines(access_line(**TRACED, **ANSWERED))
    world.join()
    assert world.edges == PATH


def test_a_function_of_which_no_record_comes_is_behind_the_stage(world: World) -> None:
    world.put(query())
    world.lines(access_line(**TRACED, **ANSWERED))
    world.join(1)
    world.later = 4 * MINUTE
    world.join(6)
    unknown = NodeKey("", "unknown function", "AWS::Lambda::Function", REGION)
    assert world.edges == {(CLIENT, GATEWAY): 1, (GATEWAY, unknown): 1, (unknown, TABLE): 1}
    world.later = 0
    world.report()
    world.join()
    assert world.edges == PATH | {(FUNCTION, TABLE): 1}

"""Subsegments of functions of which no record came."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from collector.decode.document import decode_document
from store.missing_functions import LONG_PATIENCE, PATIENCE, RANK, UNKNOWN, missing_functions
from store.model import Document, Independent, derived_version
from store.times import MINUTE
from tests.builders import T0
from tests.lambda_samples import FUNCTION_ID, REQUEST, invocation, telemetry
from tests.store.test_invocation_evidence import (
    FROM_OUTSIDE,
    FROM_WEB,
    FUNCTION,
    SERVICE,
    World,
    document,
    query,
    web,
)

LONG_AFTER = T0 + LONG_PATIENCE


def replaced(world: World, now: int = LONG_AFTER) -> list[dict[str, Any]]:
    """Put what stands in place of missing segments into the store."""
    found = missing_functions(world.trace, now=now)
    for content in found:
        raw = msgspec.json.encode(content)
        world.put(decode_document(raw, derived_version(T0, RANK)))
    return found


def test_the_call_that_waits_names_the_function() -> None:
    world = World(query(), web())
    (content,) = replaced(world)
    assert content["name"] == "checkout"
    assert world.edges == {
        ("client", ""),
        ("web", "AWS::Lambda::Function"),
        ("AWS::Lambda::Function", "AWS::DynamoDB::Table"),
    }


@pytest.mark.parametrize(
    ("annotations", "name"), [({}, UNKNOWN), ({"Service": "payment"}, "payment")]
)
def test_without_a_call_it_is_named_by_what_is_known(
    annotations: dict[str, str], name: str
) -> None:
    world = World(query(annotations=annotations))
    (content,) = replaced(world)
    assert (content["name"], content["origin"]) == (name, "AWS::Lambda::Function")
    assert content["aws"] == {"region": "eu-west-1"}
    assert ("AWS::Lambda::Function", "AWS::DynamoDB::Table") in world.edges


@pytest.mark.parametrize("independent", [Independent.OF_SENDER, Independent.OF_PROCESS])
def test_spans_whose_parent_was_lost_lack_no_function(independent: Independent) -> None:
    """They say whose they are: any service may have been killed before it sent the rest."""
    world = World(msgspec.structs.replace(query(), independent=independent))
    assert replaced(world) == []


def test_it_says_that_the_record_is_missing_and_how_to_mend_that() -> None:
    (content,) = replaced(World(query()))
    assert content["annotations"] == {"lambda_record": "missing", "lambda_status": "unknown"}
    assert len(content["metadata"]["raymap"]["platform_record_missing"]) == 2


@pytest.mark.parametrize("given", [invocation(), telemetry(), invocation(segment_id=0xE1)])
def test_a_record_that_comes_later_replaces_it(given: Any) -> None:
    world = World(query(), web(request_id=REQUEST))
    replaced(world)
    world.report(given)
    world.join()
    assert world.edges == FROM_WEB
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)
    assert missing_functions(world.trace, now=LONG_AFTER) == []


def test_a_segment_that_comes_later_replaces_it_wherever_it_starts() -> None:
    world = World(query())
    replaced(world)
    late = document(id=FUNCTION_ID, name="batch", start_time=(T0 - 5 * MINUTE) / 1e6)
    world.put(late)
    assert {key.name for key in world.nodes} == {"batch", "orders"}


def test_a_caller_that_comes_later_names_it() -> None:
    world = World(query())
    assert replaced(world)[0]["name"] == UNKNOWN
    world.put(web())
    assert replaced(world)[0]["name"] == "checkout"


@pytest.mark.parametrize(
    ("documents", "age"),
    [
        ((query(), web()), PATIENCE - 1),
        ((query(),), LONG_PATIENCE - 1),
        ((query(in_progress=True),), LONG_PATIENCE),
        ((query(), document(id=FUNCTION_ID, name="stream", in_progress=True)), LONG_PATIENCE),
        ((web(),), LONG_PATIENCE),
    ],
)
def test_what_may_still_come_is_awaited(documents: tuple[Document, ...], age: int) -> None:
    assert missing_functions(World(*documents).trace, now=T0 + age) == []


def test_of_two_calls_that_wait_none_is_chosen() -> None:
    other = web()
    again = document(
        id=0x3EC, name="web", subsegments=msgspec.json.decode(other.raw)["subsegments"]
    )
    moved = again.raw.replace(b"ca11", b"ca12")
    world = World(query(), other, decode_document(moved, T0))
    assert replaced(world)[0]["name"] == UNKNOWN


def test_subsegments_that_were_recorded_as_functions_are_left_alone() -> None:
    world = World(query())
    world.report(telemetry())
    assert missing_functions(world.trace, now=LONG_AFTER) == []
    assert world.edges == FROM_OUTSIDE

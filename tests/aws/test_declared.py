"""`raymap declare --check` of the account's stacks: no difference where AWS's own records come; a stage that is gone is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.app import create_app
from raymap.cli import app
from store.memory import MemoryStore
from tests.aws.account import recordings
from tests.aws.recording import PLACES, REGION, START, Place, Recording
from tests.aws.test_account import World, by_aws, sourced
from tests.http_server import serve

TEMPLATE = Path(__file__).with_name("template.yaml")
NOW = START + 300.0


def declare(url: str, place: Place, *more: str) -> Result:
    where = ["--url", url, "--stack", f"parcels-{place.stage}", "--region", REGION]
    where += ["--account", place.account, "--environment", place.stage]
    given = [str(TEMPLATE), "--parameter", f"Stage={place.stage}"]
    return CliRunner().invoke(app, ["declare", *given, *where, *more])


@pytest.fixture
def world() -> World:
    return World(MemoryStore())


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with serve(create_app(world.store, version="1", clock=lambda: NOW)) as url:
        yield url


def arrive(world: World, found: list[Recording]) -> None:
    """AWS's own records, and what the layer sees of the events behind streams and buckets."""
    documents, invocations = by_aws(found), sourced(found)
    world.take(*documents, *invocations)
    world.join({each.trace_id for each in documents})


def test_a_stack_that_is_used_has_no_difference(url: str, world: World) -> None:
    arrive(world, recordings())
    for place in PLACES:
        done = declare(url, place, "--check", "--from", "-1h")
        assert done.exit_code == 0, done.output


def test_without_the_layer_events_are_unknown(url: str, world: World) -> None:
    """No record of AWS's says what a function behind a stream or a bucket was invoked for."""
    world.take(*by_aws(recordings()))
    done = declare(url, PLACES[0], "--check", "--from", "-1h")
    assert done.exit_code == 0, done.output
    found = [line.split("  ")[1:3] for line in done.stdout.splitlines() if line[:7] == "unknown"]
    assert sorted(edge for [edge, _] in found) == [
        "parcels-111122223333-dev → thumb-dev", "scans-dev → scan-dev",
    ]  # fmt: skip


def test_a_stage_that_is_gone_is_a_difference(url: str, world: World) -> None:
    """Its own: the same stack in other accounts and stages has none."""
    gone = PLACES[1]
    found = recordings()
    for recording in found:
        if recording.place == gone:
            recording.documents = [
                each
                for each in recording.documents
                if each.get("origin") != "AWS::ApiGateway::Stage"
            ]
    arrive(world, found)
    done = declare(url, gone, "--check", "--from", "-1h")
    assert done.exit_code == 1
    assert f"parcels/{gone.stage}" in done.output
    assert declare(url, PLACES[3], "--check", "--from", "-1h").exit_code == 0

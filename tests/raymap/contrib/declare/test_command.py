"""`raymap declare` against an app in this process: from a template to the table that is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.app import create_app
from raymap.cli import app
from raymap.contrib.declare import command
from raymap.contrib.declare.command import NO_ANSWER
from store.memory import MemoryStore
from store.model import NodeKey
from store.times import SECOND
from tests.builders import T0, call, segment, trace_id
from tests.http_server import serve

NOW = T0 // SECOND + 60
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Checkout:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: checkout
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
      Tracing: Active
      Policies:
        - DynamoDBCrudPolicy: {TableName: !Ref Orders}
        - DynamoDBReadPolicy: {TableName: !Ref Archive}
  Orders:
    Type: AWS::Serverless::SimpleTable
    Properties: {TableName: orders}
  Archive:
    Type: AWS::Serverless::SimpleTable
"""
FUNCTION = NodeKey("", "checkout", "AWS::Lambda::Function")
ORDERS = NodeKey("", "orders", "AWS::DynamoDB::Table")
ARCHIVE = NodeKey("", "shop-Archive-1A2B3C4D5E6F", "AWS::DynamoDB::Table")
QUEUE = NodeKey("", "mail", "AWS::SQS::Queue")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def url(store: MemoryStore) -> Iterator[str]:
    with serve(create_app(store, version="1", clock=lambda: float(NOW))) as url:
        yield url


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def send(store: MemoryStore, number: int, *called: NodeKey) -> None:
    calls = tuple(call(number * 16 + at, node=node) for at, node in enumerate(called))
    trace = trace_id(number)
    store.put([segment(number, trace_id=trace, node=FUNCTION, calls=calls)], str(number))


def run(url: str, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["declare", *map(str, arguments), "--url", url])


def test_a_deleted_table_is_found(store: MemoryStore, url: str, template: Path) -> None:
    """With traffic to both tables there is no difference; without it the table is dead."""
    assert run(url, template, "--stack", "shop").exit_code == 0
    assert run(url, "--check").exit_code == 2  # no traffic: nothing can be said
    send(store, 1, ORDERS)
    dead = run(url, "--check")
    assert dead.exit_code == 1
    lines = [line.split("  ") for line in dead.stdout.splitlines()]
    found = [(line[0], line[1]) for line in lines if line[0] == "declared, not seen"]
    assert found == [
        ("declared, not seen", "AWS::DynamoDB::Table shop-Archive-* (Archive)"),
        ("declared, not seen", "checkout → shop-Archive-*"),
    ]
    assert "the first traffic at 2026-11-24" in dead.stdout
    send(store, 2, ARCHIVE)
    assert run(url, "--check").exit_code == 0
    assert run(url, "--check", "--from", "-10s").exit_code == 2


def test_a_call_that_no_template_allows_is_found(
    store: MemoryStore, url: str, template: Path
) -> None:
    run(url, template, "--stack", "shop")
    send(store, 1, ORDERS, ARCHIVE, QUEUE)
    found = run(url, "--check")
    assert found.exit_code == 1
    assert "seen, not declared  AWS::SQS::Queue mail" in found.stdout
    assert run(url, "--check", "--ignore", "mail").exit_code == 0
    answer = json.loads(run(url, "--check", "--json").stdout)
    assert answer["counts"]["undeclared"] == 2


def test_declaring_and_checking_in_one(store: MemoryStore, url: str, template: Path) -> None:
    send(store, 1, ORDERS, ARCHIVE)
    assert run(url, template, "--stack", "shop", "--check").exit_code == 0


def test_stacks_are_listed_and_removed(url: str, template: Path) -> None:
    run(url, template, "--stack", "shop", "--region", "eu-west-1", "--environment", "dev")
    line = run(url, "--list").stdout.splitlines()[1].split()
    assert line[:5] == ["shop", "eu-west-1", "dev", "3", "2"]
    assert run(url, "--remove", "shop").exit_code == 0
    assert run(url, "--remove", "shop").exit_code == 1
    assert json.loads(run(url, "--list", "--json").stdout) == {"stacks": []}
    assert run(url, "--check").exit_code == 2


def test_a_dry_run_stores_nothing(store: MemoryStore, url: str, template: Path) -> None:
    shown = run(url, template, "--stack", "shop", "--dry-run").stdout
    assert "  Checkout → Archive: policy" in shown.splitlines()
    as_json = json.loads(run(url, template, "--stack", "s", "--dry-run", "--json").stdout)
    assert [each["id"] for each in as_json["resources"]] == ["Checkout", "Orders", "Archive"]
    assert store.declarations() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a template, or one of --check, --list and --remove."),
        (["--parameter", "x"], "Name a template"),
        (["TEMPLATE", "--parameter", "x"], "--parameter: expected NAME=VALUE, got 'x'."),
        (["TEMPLATE", "--parameter", "X=1"], "it has no parameter 'X'"),
        (["--remove", "nothing"], "No stack nothing is declared"),
    ],
)
def test_what_is_wrong_is_said(
    url: str,
    template: Path,
    arguments: list[str],
    message: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = [template if each == "TEMPLATE" else each for each in arguments]
    assert run(url, *given).exit_code == 1
    assert message in capfd.readouterr().err


def test_no_answer_is_no_comparison(capfd: pytest.CaptureFixture[str]) -> None:
    assert run("http://127.0.0.1:9", "--check").exit_code == NO_ANSWER
    assert "No Raymap answers" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("incomplete", "said"),
    [(None, False), ({"minutes": 3, "since": 1.0}, True)],
)
def test_a_comparison_says_what_is_not_counted(
    incomplete: dict[str, Any] | None,
    said: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = {"from": 0, "to": 60, "traffic_since": 1, "stacks": ["a"], "nodes": [], "edges": []}
    monkeypatch.setattr(command, "get_json", lambda *_, **__: {**answer, "incomplete": incomplete})
    assert command.check("http://127.0.0.1:1", {}, (), as_json=False) == command.NO_DIFFERENCE
    assert ("incomplete: 3 minutes still to be counted" in capsys.readouterr().out) is said

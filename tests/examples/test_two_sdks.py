"""The same shop with the X-Ray SDK and with OpenTelemetry, one server, and no difference but those that
are listed."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from examples.two_sdks.diff import Edge, Figures, Graph, Node, differences, read_graph
from tests.conftest import ROOT, Server

pytestmark = pytest.mark.server

SETTLE_SECONDS = 60.0

VISITORS, FRONT, ORDERS = Node("front", "client"), Node("front", ""), Node("orders", "")
INVENTORY, WORKER, MAILER = Node("inventory", ""), Node("worker", ""), Node("mailer", "")
POLLS = Node("worker", "client")
DATABASE = Node("shop@db.example.com", "Database::SQL")
TABLE = Node("orders-table", "AWS::DynamoDB::Table")
QUEUE = Node("orders-queue", "AWS::SQS::Queue")
CARRIER = Node("carrier.example.com", "remote")

EXPECTED = Graph(
    nodes={
        VISITORS: Figures(state="unknown"),
        FRONT: Figures(11, 8, 5, 6, "active", True),
        ORDERS: Figures(6, 5, 3, 3, "active"),
        INVENTORY: Figures(12, 3, 1, 1, "active"),
        DATABASE: Figures(11, 0, 0, 1, "unknown"),
        TABLE: Figures(7, 2, 1, 1, "unknown"),
        QUEUE: Figures(
            8, 0, 1, 0, "unknown"
        ),  # sends: two unanswered, one throttled; 3 polls, 3 deletions
        POLLS: Figures(state="unknown"),
        WORKER: Figures(6, 0, 0, 1, "active", True),  # three polls, four messages
        MAILER: Figures(3, 0, 0, 1, "active"),
        CARRIER: Figures(2, 1, 1, 2, "unknown"),
    },
    edges={
        Edge(VISITORS, FRONT): Figures(11, 8, 5, 6),
        Edge(FRONT, ORDERS): Figures(6, 5, 3, 3),
        Edge(FRONT, CARRIER): Figures(2, 1, 1, 2),
        Edge(ORDERS, INVENTORY): Figures(12, 3, 1, 1),
        Edge(ORDERS, DATABASE): Figures(11, 0, 0, 1),
        Edge(ORDERS, TABLE): Figures(7, 2, 1, 1),
        Edge(ORDERS, QUEUE): Figures(2, 0, 1),
        Edge(ORDERS, WORKER): Figures(4),
        Edge(POLLS, WORKER): Figures(3),
        Edge(WORKER, QUEUE): Figures(6),
        Edge(WORKER, MAILER): Figures(3, 0, 0, 1),
    },
)
"""Counted by hand from `examples.two_sdks.visits`."""
BY_SPANS = Graph(
    nodes={
        **{node: figures for node, figures in EXPECTED.nodes.items() if node != POLLS},
        WORKER: EXPECTED.nodes[WORKER]._replace(ok=6 - 3, root=False),
        QUEUE: EXPECTED.nodes[QUEUE]._replace(ok=8 + 4),
    },
    edges={
        **{
            edge: figures
            for edge, figures in EXPECTED.edges.items()
            if edge.source != POLLS and edge != Edge(ORDERS, WORKER)
        },
        Edge(ORDERS, QUEUE): Figures(2 + 4, 0, 1),
        Edge(QUEUE, WORKER): Figures(3, 0, 0, 1),
    },
)
"""A span says that no request began a poll, so that it is background work of the worker, and that the four messages did not reach the worker by themselves;
X-Ray's SDK has nothing but segments for both."""

RUNS = ("xray", "otel over grpc", "otel over http")


@pytest.fixture(scope="module")
def answers(raymap_server: Server) -> dict[str, dict[str, Any]]:
    """GetServiceGraph after each run, its names without the mark of the run."""
    targets = (
        ("--sdk=xray", f"--to={raymap_server.udp}"),
        ("--sdk=otel", "--protocol=grpc", f"--to=http://{raymap_server.grpc}"),
        ("--sdk=otel", "--protocol=http", f"--to={raymap_server.http.rstrip('/')}/v1/traces"),
    )
    begun = time.time()
    marks = {name: secrets.token_hex(4) for name in RUNS}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "examples.two_sdks", *options, f"--mark={marks[name]}"], cwd=ROOT
        )
        for name, options in zip(RUNS, targets, strict=True)
    ]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    return {name: _settled(raymap_server, name, mark, begun) for name, mark in marks.items()}


def _expected(run: str) -> Graph:
    return EXPECTED if run == "xray" else BY_SPANS


def _settled(server: Server, run: str, mark: str, begun: float) -> dict[str, Any]:
    """The graph once it is as expected, or time is up: the tests then say what is wrong."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        answer = server.post("/ServiceGraph", {"StartTime": begun - 1, "EndTime": time.time() + 5})
        assert "NextToken" not in answer
        wrong = differences(_expected(run), read_graph(answer, mark), ("", ""))
        if not wrong or time.monotonic() > deadline:
            break
        time.sleep(0.25)
    answer["Services"] = [s for s in answer["Services"] if mark in s["Name"]]
    freed: dict[str, Any] = json.loads(json.dumps(answer).replace(f"-{mark}", ""))
    return freed


@pytest.mark.parametrize("run", RUNS)
def test_the_map_is_what_was_done(answers: dict[str, dict[str, Any]], run: str) -> None:
    assert differences(_expected(run), read_graph(answers[run]), ("the visits", run)) == []


@pytest.mark.parametrize("run", RUNS[1:])
def test_both_sdks_give_one_map(answers: dict[str, dict[str, Any]], run: str) -> None:
    xray, otel = read_graph(answers["xray"]), read_graph(answers[run])
    assert differences(xray, otel, ("xray", run)) == [
        f"node orders-queue (AWS::SQS::Queue): ok is 8 in xray, 12 in {run}",
        f"node worker (service): ok is 6 in xray, 3 in {run}",
        f"node worker (service): root is True in xray, False in {run}",
        f"node worker (client) is in xray and not in {run}",
        f"edge orders (service) → orders-queue (AWS::SQS::Queue): ok is 2 in xray, 6 in {run}",
        f"edge orders (service) → worker (service) is in xray and not in {run}",
        f"edge orders-queue (AWS::SQS::Queue) → worker (service) is in {run} and not in xray",
        f"edge worker (client) → worker (service) is in xray and not in {run}",
    ]


def test_a_planted_difference_is_reported(
    answers: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """A count, a type, an edge, a missing node: each in words, and the tool's exit code."""
    planted = deepcopy(answers["xray"])
    services = {(s["Name"], s.get("Type", "")): s for s in planted["Services"]}
    statistics = services[TABLE]["SummaryStatistics"]["ErrorStatistics"]
    statistics["OtherCount"] += 1
    statistics["ThrottleCount"] -= 1
    services[MAILER]["Type"] = "remote"
    edges = services[ORDERS]["Edges"]
    database = services[DATABASE]["ReferenceId"]
    services[ORDERS]["Edges"] = [edge for edge in edges if edge["ReferenceId"] != database]
    planted["Services"].remove(services[CARRIER])
    said = differences(read_graph(answers["xray"]), read_graph(planted), ("xray", "planted"))
    assert said == [
        "node carrier.example.com (remote) is in xray and not in planted",
        "node mailer (service) is in xray and not in planted",
        "node mailer (remote) is in planted and not in xray",
        "node orders-table (AWS::DynamoDB::Table): error is 2 in xray, 3 in planted",
        "node orders-table (AWS::DynamoDB::Table): throttle is 1 in xray, 0 in planted",
        "edge front (service) → carrier.example.com (remote) is in xray and not in planted",
        "edge orders (service) → shop@db.example.com (Database::SQL) is in xray and not in planted",
        "edge worker (service) → mailer (service) is in xray and not in planted",
        "edge worker (service) → mailer (remote) is in planted and not in xray",
    ]
    files = [str(tmp_path / name) for name in ("xray.json", "planted.json")]
    for file, answer in zip(files, (answers["xray"], planted), strict=True):
        Path(file).write_text(json.dumps(answer))
    assert _tool(files[0], files[0]) == (0, "the same: 11 nodes, 11 edges")
    code, printed = _tool(*files)
    assert code == 1
    assert len(printed.splitlines()) == len(said)


def _tool(*files: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "examples.two_sdks.diff", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout.strip()

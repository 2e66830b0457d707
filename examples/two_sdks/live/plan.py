"""The requests that every program serves, and the map they have to give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from examples.two_sdks.diff import Edge, Figures, Graph, Node

OUTCOMES = {"ok": 4, "error": 3, "throttle": 2, "fault": 1}
"""How AWS answers, and how often; unequal, so that two confused outcomes show."""
ONCE = dict.fromkeys(OUTCOMES, 1)

SHOP = "shop"
VISITORS, FRONT = Node(SHOP, "client"), Node(SHOP, "")

TARGETS = {
    "dynamodb": Node("orders", "AWS::DynamoDB::Table"),
    "sfn": Node("fulfilment", "AWS::StepFunctions::StateMachine"),
    "sqs": Node("parcels", "AWS::SQS::Queue"),
    "s3": Node("labels", "AWS::S3::Bucket"),
    "lambda": Node("price", "AWS::Lambda"),
}
"""Service → the node of the resource called."""


SERVICES = {
    "dynamodb": Node("DynamoDB", "AWS::DynamoDB"),
    "sfn": Node("Sfn", "AWS::Sfn"),
    "sqs": Node("SQS", "AWS::SQS"),
    "s3": Node("S3", "AWS::S3"),
    "lambda": Node("Lambda", "AWS::Lambda"),
}
"""Service → the node of a call that names no resource."""


class Known(NamedTuple):
    """What a tracer does not record, so that its map differs."""

    unnamed: frozenset[str] = frozenset()
    """Services of whose calls it records no resource: they lead to the service's node."""
    without_status: frozenset[str] = frozenset()
    """Services of whose failures it records neither status nor a code of a throttle: an error is a
    fault."""
    without_server: bool = False
    """It does not see the HTTP server: each call is a trace that no request begins, and the shop fails as the
    call does."""


KNOWN = {
    "Python boto3, X-Ray SDK": Known(unnamed=frozenset({"sfn"})),
    "Python boto3, OpenTelemetry": Known(unnamed=frozenset({"s3"})),
    "Node.js v3, X-Ray SDK": Known(unnamed=frozenset({"sfn"})),
    "Go v1, X-Ray SDK": Known(unnamed=frozenset({"sfn"})),
    "Go v1, OpenTelemetry": Known(without_status=frozenset({"sfn", "sqs"})),
    "Go v2, X-Ray SDK": Known(unnamed=frozenset(SERVICES)),
    "Go v2, OpenTelemetry": Known(unnamed=frozenset({"sfn", "lambda"})),
    "Java v2, OpenTelemetry agent 2.10": Known(frozenset({"sfn"}), without_server=True),
    "Java v2 async, OpenTelemetry agent 2.10": Known(frozenset({"sfn"}), without_server=True),
    "Java v2, X-Ray SDK": Known(unnamed=frozenset({"sfn"})),
    "Java v2 async, X-Ray SDK": Known(unnamed=frozenset({"sfn"})),
}
"""Run → its known differences (docs/opentelemetry.md, "Beside X-Ray's SDKs")."""


def known_of(run: str) -> Known:
    """The known differences of a run; none of most."""
    return KNOWN.get(run, Known())


def paths(outcomes: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """The path of each request, and the status that the program answers."""
    for service, node in TARGETS.items():
        for outcome, count in outcomes.items():
            for _ in range(count):
                yield f"/{service}/{node.name}/{outcome}", 200 if outcome == "ok" else 502


def expected(outcomes: Mapping[str, int], known: Known) -> Graph:
    """The map: each resource with its outcomes, and the shop, which fails when a call does.

    S3 throttles with a 503 (``SlowDown``), which is a fault to every SDK.
    """
    figures = {}
    for service, node in TARGETS.items():
        counts = Figures(outcomes["ok"], outcomes["error"], outcomes["throttle"], outcomes["fault"])
        if service == "s3":
            counts = counts._replace(throttle=0, fault=counts.fault + counts.throttle)
        if service in known.without_status:
            counts = counts._replace(error=0, fault=counts.fault + counts.error)
        figures[SERVICES[service] if service in known.unnamed else node] = counts
    failed = sum(outcomes.values()) - outcomes["ok"]
    served = Figures(ok=len(TARGETS) * outcomes["ok"], fault=len(TARGETS) * failed)
    if known.without_server:
        each = figures.values()
        served = Figures(
            sum(f.ok for f in each),
            sum(f.error for f in each),
            sum(f.throttle for f in each),
            sum(f.fault for f in each),
        )
    nodes = {
        FRONT: served._replace(state="active", root=not known.without_server),
        **{node: counts._replace(state="unknown") for node, counts in figures.items()},
    }
    edges = {Edge(FRONT, node): counts for node, counts in figures.items()}
    if not known.without_server:
        nodes[VISITORS] = Figures(state="unknown")
        edges[Edge(VISITORS, FRONT)] = served
    return Graph(nodes, edges)

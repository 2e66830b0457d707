"""Calls all 38 operations over HTTP on a server with the demo's traces, and notes what they fill."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape
from fastapi.testclient import TestClient
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.problems.record import Happened, InsightGroup, Record, Requests, stored
from api.problems.symptom import Measure, Symptom
from api.problems.tracker import EventKind, Problem, problem_id
from api.problems.tracker import State as ProblemState
from api.xray.groups import DEFAULT
from collector.metrics import IngestMetrics
from collector.receivers.http import create_router
from store.memory import MemoryStore
from store.minutes import Series, SeriesKind
from store.model import NO_NODE, State, TimeRange
from store.times import MINUTE
from store.trace_id import format_trace_id
from tests.api.botocore_model import complaints, operations
from tests.builders import segment, trace_id
from tests.collector.conftest import SOON, StoringPipeline
from tests.vectors import NOON, demo_documents

Json = dict[str, Any]

OPERATIONS = {operation.name: operation for operation in operations().values()}
START, END = NOON - 3600, NOON + 60
ARN = "arn:aws:xray:local:000000000000:"


def filled_paths(value: Any, shape: Shape | None, prefix: str = "") -> Iterator[str]:
    """Paths of the scalars that an answer has."""
    if shape is None:
        return
    match shape.type_name:
        case "structure":
            for name, each in value.items():
                path = f"{prefix}.{name}" if prefix else name
                yield from filled_paths(each, shape.members[name], path)
        case "list":
            for each in value:
                yield from filled_paths(each, shape.member, f"{prefix}[]")
        case "map":
            for each in value.values():
                yield from filled_paths(each, shape.value, f"{prefix}.*")
        case _:
            yield prefix


class Session:
    """Calls operations and notes what they fill."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.filled: dict[str, set[str]] = {}

    def call(self, name: str, **body: Any) -> Json:
        """An answer of 200, checked against the model."""
        operation = OPERATIONS[name]
        response = self._client.post(operation.http["requestUri"], json=body)
        assert response.status_code == 200, f"{name}: {response.text}"
        assert complaints(operation, response.content) == []
        answer: Json = response.json()
        found = self.filled.setdefault(name, set())
        found.update(filled_paths(answer, operation.output_shape))
        return answer

    def refused(self, name: str, **body: Any) -> None:
        """An operation whose answer is an error of the model."""
        operation = OPERATIONS[name]
        response = self._client.post(operation.http["requestUri"], json=body)
        errors = {shape.name for shape in operation.error_shapes}
        assert response.json()["__type"] in errors, response.text
        self.filled.setdefault(name, set())


def filled_members() -> dict[str, set[str]]:
    """Paths that each operation fills, by operation."""
    store = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        metrics = IngestMetrics(CollectorRegistry())
        pipeline = StoringPipeline(store, folder, metrics=metrics, limits=SOON)
        pipeline.start()
        clock = Clock()
        app = create_app(store, version="0", extra_routers=[create_router(pipeline)], clock=clock)
        with TestClient(app) as client:
            session = Session(client)
            ingest(session, store)
            read(session)
            configure(session)
            find_insights(session, store)
            sample(session, clock)
            retrieve(session)
        pipeline.stop(5.0)
    return session.filled


class Clock:
    """The server's."""

    now = NOON + 120.0

    def __call__(self) -> float:
        return self.now


def ingest(session: Session, store: MemoryStore) -> None:
    """The demo's traces, a host on EC2, a bad document, and faults on earlier days."""
    documents = [document.decode() for document in demo_documents(300)]
    host: Json = {
        "name": "batch", "id": "00000000000000ff", "start_time": NOON, "end_time": NOON + 1,
        "trace_id": f"1-{int(NOON):08x}-{'f' * 24}", "origin": "AWS::EC2::Instance",
        "aws": {"ec2": {"instance_id": "i-1", "availability_zone": "eu-west-1a"},
                "account_id": "123456789012"},
        "resource_arn": "arn:aws:ec2:eu-west-1:123456789012:instance/i-1", "user": "ann",
        "annotations": {"size": 3, "dry": True, "kind": "nightly"},
        "http": {"request": {"method": "GET", "url": "http://b/", "user_agent": "curl",
                             "client_ip": "10.0.0.1"}, "response": {"status": 429}},
    }  # fmt: skip
    bad = json.dumps({**host, "trace_id": "x"})
    for first in range(0, len(documents), 40):
        session.call("PutTraceSegments", TraceSegmentDocuments=documents[first : first + 40])
    session.call("PutTraceSegments", TraceSegmentDocuments=[json.dumps(host), bad])
    session.call("PutTelemetryRecords", TelemetryRecords=[{"Timestamp": NOON}])
    noon = round(NOON * 1e6)
    earlier = [
        segment(1, trace_id=trace_id(day), name="nightly", start=at, end=at, state=State.FAULT)
        for day in range(5)
        for at in [noon - day * 86_400_000_000]
    ]
    store.put(earlier, "earlier")


def read(session: Session) -> None:
    """Graphs, series, summaries and traces."""
    window = {"StartTime": START, "EndTime": END}
    session.call("GetServiceGraph", **window)
    series = "GetTimeSeriesServiceStatistics"
    session.call(series, **window)
    selector = 'id(name: "nightly")'
    session.call(series, **window, EntitySelectorExpression=selector, ForecastStatistics=True)
    ids: list[str] = []
    session.call("GetTraceSummaries", StartTime=0, EndTime=2e10, TimeRangeType="Event")
    page = session.call("GetTraceSummaries", **window)
    while True:
        ids += [summary["Id"] for summary in page["TraceSummaries"]]
        if "NextToken" not in page:
            break
        page = session.call("GetTraceSummaries", **window, NextToken=page["NextToken"])
    for text in ("fault", "error"):
        session.call("GetTraceSummaries", **window, FilterExpression=text)
    session.call("GetTraceGraph", TraceIds=ids)
    session.call("BatchGetTraces", TraceIds=[ids[0], "none"])


def configure(session: Session) -> None:
    """Groups, tags, policies and settings."""
    window = {"StartTime": START, "EndTime": END}
    insights = {"InsightsEnabled": True, "NotificationsEnabled": True}
    session.call(
        "CreateGroup", GroupName="g", FilterExpression="ok", InsightsConfiguration=insights
    )
    session.call("UpdateGroup", GroupName="g", FilterExpression="fault")
    session.call("GetGroup", GroupName="g")
    session.call("GetGroups")
    arn = f"{ARN}group/Default"
    session.call("TagResource", ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}])
    session.call("ListTagsForResource", ResourceARN=arn)
    session.call("UntagResource", ResourceARN=arn, TagKeys=["a"])
    session.call("DeleteGroup", GroupName="g")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "xray:*"}
    policy = json.dumps({"Statement": statement})
    session.call("PutResourcePolicy", PolicyName="p", PolicyDocument=policy)
    session.call("ListResourcePolicies")
    session.call("DeleteResourcePolicy", PolicyName="p")
    session.call("GetEncryptionConfig")
    session.call("PutEncryptionConfig", Type="NONE")
    session.call("GetTraceSegmentDestination")
    session.call("UpdateTraceSegmentDestination", Destination="XRay")
    session.call("GetIndexingRules")
    value = {"Probabilistic": {"DesiredSamplingPercentage": 10}}
    session.call("UpdateIndexingRule", Name="Default", Rule=value)
    session.call("GetInsightSummaries", **window, GroupName="Default")
    insight = {"InsightId": "0c11f1a2-7b3c-4d5e-8f90-123456789abc"}
    session.refused("GetInsight", **insight)


def find_insights(session: Session, store: MemoryStore) -> None:
    """A problem of the demo's payments that has ended."""
    start, end = round(START * 1e6) // MINUTE, round(END * 1e6) // MINUTE
    every = TimeRange(start * MINUTE, end * MINUTE)
    caller, node = next(
        (source, target)
        for source, target in store.service_graph(every).edges
        if source.account and source.type and target.type and not source.is_client
    )
    of_node = Series(SeriesKind.NODE, NO_NODE, node)
    fault = Symptom(of_node, Measure.FAULT, start, start + 2, start + 9, 0.01, 0.2, 20.0)
    problem = Problem(
        *(problem_id(node, start), ProblemState.CLOSED, node, None, fault, start, start + 2, end),
        symptoms=(fault, replace(fault, series=of_node._replace(node=caller))),
        affected=(caller,),
        ended=start + 10,
    )
    requests = Requests(8, 2, 11)
    event = Happened(EventKind.CLOSED, end * MINUTE, "closed", requests, requests, (node, caller))
    record = Record(
        problem,
        "payments fails",
        clients=requests,
        root=requests,
        events=(event,),
        groups=(InsightGroup(DEFAULT.arn, "Default"),),
        updated=end * MINUTE,
    )
    store.put_problems([stored(record)])
    window = {"StartTime": START, "EndTime": END}
    found = session.call("GetInsightSummaries", **window, GroupName="Default")
    insight = {"InsightId": found["InsightSummaries"][0]["InsightId"]}
    session.call("GetInsight", **insight)
    session.call("GetInsightEvents", **insight)
    session.call("GetInsightImpactGraph", **insight, **window)


def sample(session: Session, clock: Clock) -> None:
    """A rule with a boost, and a client of it."""
    rule: Json = {
        **dict.fromkeys(("ResourceARN", "ServiceName", "ServiceType", "Host"), "*"),
        **dict.fromkeys(("HTTPMethod", "URLPath"), "*"),
        "RuleName": "r", "Priority": 1, "FixedRate": 0.1, "ReservoirSize": 1, "Version": 1,
        "Attributes": {"a": "b"},
        "SamplingRateBoost": {"MaxRate": 1.0, "CooldownWindowMinutes": 5},
    }  # fmt: skip
    session.call("CreateSamplingRule", SamplingRule=rule)
    session.call("UpdateSamplingRule", SamplingRuleUpdate={"RuleName": "r", "Priority": 2})
    session.call("GetSamplingRules")
    counts: Json = {"RequestCount": 9, "SampledCount": 1, "BorrowCount": 1}
    report = {"RuleName": "r", "ClientID": "c" * 24, "Timestamp": NOON, **counts}
    anomalies = {
        "RuleName": "r", "ServiceName": "s", "Timestamp": NOON, "TotalCount": 9,
        "AnomalyCount": 4, "SampledAnomalyCount": 0,
    }  # fmt: skip
    for _ in range(2):
        clock.now += 11
        session.call(
            "GetSamplingTargets",
            SamplingStatisticsDocuments=[report, {**report, "RuleName": "none"}],
            SamplingBoostStatisticsDocuments=[anomalies, {**anomalies, "RuleName": "none"}],
        )
    session.call("GetSamplingStatisticSummaries")
    session.call("DeleteSamplingRule", RuleName="r")


def retrieve(session: Session) -> None:
    """Retrieval of the traces of a window."""
    window = {"StartTime": START, "EndTime": END}
    found = session.call("GetTraceSummaries", **window)["TraceSummaries"]
    ids = [*(each["Id"] for each in found[:99]), format_trace_id(trace_id(0))]
    token = session.call("StartTraceRetrieval", TraceIds=ids, **window)
    session.call("ListRetrievedTraces", **token)
    session.call("ListRetrievedTraces", **token, TraceFormat="OTEL")
    session.call("GetRetrievedTracesGraph", **token)
    session.call("CancelTraceRetrieval", **token)

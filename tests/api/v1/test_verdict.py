"""Versions and verdicts over HTTP: shapes, bounds, and what webhooks are answered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from api.app import create_app
from api.graph.build import node_id
from api.schemas.v1 import VerdictReply, VersionList, VersionsByNode
from collector.decode.document import decode_document
from store.log_lines import LogLine
from store.memory import MemoryStore
from store.model import Document, NodeKey, State, derived_version
from store.rules.invocation_documents import documents_of
from store.times import MINUTE, SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, segment, subsegment, trace_id
from tests.lambda_samples import invocation

CHECKOUT = NodeKey("", "checkout", "AWS::Lambda::Function")
TABLE = NodeKey("", "orders", "AWS::DynamoDB::Table")
CACHE = NodeKey("", "cache", "Database::Redis")
NOW = T0 // SECOND + 600
JUDGE = "/api/v1/verdict?service=checkout&baseline=41&candidate=42&from=-10m"


def request(
    number: int, version: str, state: State = State.OK, target: NodeKey = TABLE, **more: Any
) -> Document:
    """A request that makes one call, which ends as it does."""
    at = T0 + number * SECOND // 10
    made = call(0xC0000 + number, start=at, end=at + 5000, state=state, node=target, host="")
    return segment(
        number,
        node=CHECKOUT,
        service="checkout",
        trace_id=trace_id(number, epoch=at // SECOND),
        start=at,
        end=at + 50_000,
        state=state,
        service_version=version,
        calls=(made,),
        **more,
    )


def client_of(*documents: Document) -> TestClient:
    store = MemoryStore()
    store.put(documents, "a")
    return TestClient(create_app(store, version="1", clock=lambda: NOW))


@pytest.fixture(scope="module")
def client() -> TestClient:
    """A baseline of 300 requests, a candidate of which every fifth of 100 fails, a good one of 60, a
    few requests without a version."""
    return client_of(
        *(request(n, "41") for n in range(1, 301)),
        *(request(n, "42", State.FAULT if n % 5 == 0 else State.OK) for n in range(301, 401)),
        *(request(n, "43", target=CACHE) for n in range(401, 461)),
        *(request(n, "") for n in range(461, 466)),
    )


def test_a_bad_version_fails(client: TestClient) -> None:
    reply = get(client, JUDGE, VerdictReply)
    assert reply["verdict"] == "fail"
    assert reply["nodes"] == [node_id(CHECKOUT)]
    assert (reply["baseline"]["requests"], reply["baseline"]["fault"]) == (300, 0)
    assert (reply["candidate"]["requests"], reply["candidate"]["fault"]) == (100, 20)
    assert [check["name"] for check in reply["checks"] if check["fails"]] == ["fault"]
    (edge,) = reply["edges"]
    assert (edge["name"], edge["kind"]) == ("orders", "failing")
    assert edge["candidate"] == {"requests": 100, "failed": 20}
    assert len(reply["reasons"]) == 2
    assert len(reply["examples"]) == 5
    for id in reply["examples"]:
        report = client.get(f"/api/v1/traces/{id}").json()
        assert report["status"] == "fault"


def test_a_good_version_passes_and_its_calls_are_compared(client: TestClient) -> None:
    address = JUDGE.replace("=42", "=43")
    reply = get(client, address, VerdictReply)
    assert (reply["verdict"], reply["reasons"], reply["examples"]) == ("pass", [], [])
    assert {(edge["name"], edge["kind"]) for edge in reply["edges"]} == {
        ("orders", "vanished"),
        ("cache", "new"),
    }
    assert reply["candidate"]["traces_read"] == 60
    assert get(client, f"{address}&vanished_fails=true", VerdictReply)["verdict"] == "fail"


def test_the_baseline_is_the_version_with_most_requests(client: TestClient) -> None:
    reply = get(client, JUDGE.replace("baseline=41&", ""), VerdictReply)
    assert (reply["baseline"]["version"], reply["verdict"]) == ("41", "fail")
    reply = get(client, JUDGE.replace("baseline=41&candidate=42", "candidate=41"), VerdictReply)
    assert reply["baseline"]["version"] == "42"


def test_a_verdict_on_one_environment() -> None:
    """The new version is good in production and bad in staging. An annotation names an environment as well."""
    of_stage: dict[str, dict[str, Any]] = {
        "staging": {"environment": "staging"},
        "prod": {"annotations": ('stage="prod"',)},
    }
    documents = [
        request(n, "42" if n % 2 else "41", _failing(n, stage), **of_stage[stage])
        for n, stage in ((n, "prod" if n % 4 < 2 else "staging") for n in range(1, 401))
    ]
    store = MemoryStore()
    store.put(documents, "a")
    app = create_app(store, version="1", clock=lambda: NOW, environment_annotation="stage")
    client = TestClient(app)
    reply = get(client, f"{JUDGE}&environment=prod", VerdictReply)
    assert (reply["verdict"], reply["candidate"]["requests"]) == ("pass", 100)
    assert reply["candidate"]["traces_read"] == 100
    reply = get(client, f"{JUDGE}&environment=staging", VerdictReply)
    assert (reply["verdict"], reply["candidate"]["fault"]) == ("fail", 20)
    failed = {number_of(id) for id in reply["examples"]}
    assert len(failed) == 5
    assert all(number % 4 == 3 for number in failed)
    assert get(client, JUDGE, VerdictReply)["verdict"] == "fail"
    assert get(client, f"{JUDGE}&environment=dev", VerdictReply)["verdict"] == "insufficient"
    address = f"/api/v1/nodes/{node_id(CHECKOUT)}/versions?from=-10m&environment=staging"
    versions = get(client, address, VersionList)["versions"]
    assert {each["version"]: each["requests"] for each in versions} == {"41": 100, "42": 100}


def _failing(number: int, stage: str) -> State:
    return State.FAULT if stage == "staging" and number % 20 == 3 else State.OK


def number_of(id: str) -> int:
    """The number of `request` whose trace this is."""
    return int(id.rpartition("-")[2], 16)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("candidate=42", "candidate=44"), "version 44 has 0 finished requests, 50 are needed"),
        (("from=-10m", "from=-10m&min_requests=101"), "version 42 has 100 finished requests"),
        (("service=checkout", "service=chekout"), "no service chekout had traffic in this window"),
        (("from=-10m", "from=-10m&type=AWS::Lambda"), "no service checkout had traffic"),
        (("from=-10m", "from=-10m&region=eu"), "no service checkout had traffic"),
        (("from=-10m", "from=-1m"), "no service checkout had traffic in this window"),
    ],
)
def test_too_little_is_no_verdict(client: TestClient, change: tuple[str, str], reason: str) -> None:
    reply = get(client, JUDGE.replace(*change), VerdictReply)
    assert reply["verdict"] == "insufficient"
    assert reply["reasons"][0].startswith(reason)
    assert reply["checks"] == []


def test_webhooks_read_the_status(client: TestClient) -> None:
    """As Flagger does, which posts a body of its own."""
    body = {"name": "checkout", "namespace": "shop", "phase": "Progressing"}
    statuses = [
        client.post(JUDGE.replace("=42", f"={version}"), json=body)
        for version in ("42", "43", "44")
    ]
    assert [each.status_code for each in statuses] == [412, 200, 425]
    assert [each.json()["verdict"] for each in statuses] == ["fail", "pass", "insufficient"]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/api/v1/verdict?service=checkout", "candidate"),
        ("/api/v1/verdict?candidate=42", "service"),
        (JUDGE.replace("=42", "=41"), "baseline and candidate must differ"),
        (f"{JUDGE}&min_requests=0", "min_requests"),
        (f"{JUDGE}&versoin=1", "versoin"),
        (JUDGE.replace("-10m", "-8d"), "the window must be at most 7 days"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, address: str, message: str) -> None:
    reply = client.get(address)
    assert reply.status_code == 400
    assert message in reply.json()["error"]["message"]


def test_versions_of_a_service(client: TestClient) -> None:
    """The one with the most requests first; shares add up."""
    address = f"/api/v1/nodes/{node_id(CHECKOUT)}/versions?from=-10m"
    reply = get(client, address, VersionList)
    assert [(each["version"], each["requests"]) for each in reply["versions"]] == [
        ("41", 300),
        ("42", 100),
        ("43", 60),
        ("", 5),
    ]
    assert sum(each["share"] for each in reply["versions"]) == pytest.approx(1, abs=1e-4)
    assert [each["named"] for each in reply["versions"]] == [True, True, True, False]
    assert reply["versions"][1]["fault"] == 20
    assert reply["versions"][0]["p50_ms"] == 50
    assert client.get(address.replace(node_id(CHECKOUT), "n0")).status_code == 404
    assert (
        get(client, f"/api/v1/nodes/{node_id(TABLE)}/versions?from=-10m", VersionList)["versions"]
        == []
    )


def test_versions_of_several_services_are_one_request(client: TestClient) -> None:
    """Each as it is alone; one that is named twice is there once, one without traffic is not."""
    alone = get(client, f"/api/v1/nodes/{node_id(CHECKOUT)}/versions?from=-10m", VersionList)
    ids = [node_id(CHECKOUT), node_id(TABLE), node_id(CHECKOUT), "n0"]
    words = ",".join(ids)
    reply = get(client, f"/api/v1/versions?from=-10m&nodes={words}", VersionsByNode)
    assert reply["nodes"] == [
        {"node": node_id(CHECKOUT), "versions": alone["versions"]},
        {"node": node_id(TABLE), "versions": []},
    ]
    assert client.get("/api/v1/versions?from=-10m").status_code == 400
    refused = client.get("/api/v1/versions?from=-10m&nodes=" + ",".join(f"n{n}" for n in range(21)))
    assert refused.status_code == 400
    assert "expected at most 20" in refused.json()["error"]["message"]


def test_requests_of_two_regions_are_judged_apart() -> None:
    """A canary in one region is not compared with all of them, if the region is given."""
    eu = CHECKOUT._replace(region="eu-west-1")
    client = client_of(
        *(request(n, "41") for n in range(1, 101)),
        *(request(n, "42", State.FAULT) for n in range(101, 201)),
        *(
            replace(request(n, version), node=eu)
            for version, numbers in (("41", range(201, 301)), ("42", range(301, 401)))
            for n in numbers
        ),
    )
    assert get(client, JUDGE, VerdictReply)["verdict"] == "fail"
    assert get(client, f"{JUDGE}&region=eu-west-1", VerdictReply)["verdict"] == "pass"


def test_calls_of_streamed_subsegments_belong_to_their_segment() -> None:
    """X-Ray's SDKs send large segments in parts; a function's subsegments always come alone."""
    documents: list[Document] = []
    for n in range(1, 201):
        version, state = ("41", State.OK) if n <= 100 else ("42", State.FAULT)
        at, id = T0 + n * SECOND, trace_id(n, epoch=T0 // SECOND + n)
        documents.append(
            segment(
                n, node=CHECKOUT, service="checkout", trace_id=id, start=at, end=at + MINUTE // 600,
                service_version=version,
            )
        )  # fmt: skip
        made = call(0xC0000 + n, start=at, end=at + 5000, state=state, node=TABLE, host="")
        documents.append(
            subsegment(0xC0000 + n, n, trace_id=id, start=at, end=at + 5000, calls=(made,))
        )
    reply = get(client_of(*documents), JUDGE, VerdictReply)
    assert [check["fails"] for check in reply["checks"]] == [False] * 3
    assert reply["verdict"] == "fail"
    assert reply["reasons"][0].startswith("calls to orders failed in 100 of 100 requests")


INIT = (
    "INIT_START Runtime Version: {}.v38\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:x"
)
OF_RECORDS = JUDGE.replace("from=-10m", "from=-10m&type=AWS::Lambda::Function")


def recorded(number: int, version: str, **more: Any) -> list[Document]:
    """The segments of a sampled invocation of which there is nothing but the platform's record."""
    at = T0 + number * SECOND // 10
    known = {
        "request_id": f"8286a188-ba32-4475-8077-{number:012x}",
        "trace_id": trace_id(number, epoch=at // SECOND),
        "end": at + 50_000,
        "duration": 50_000,
        "version": version,
        "account": "",
        "region": "",
    }
    derived = documents_of(invocation(**known, **more))
    return [decode_document(msgspec.json.encode(each), derived_version(at, 3)) for each in derived]


def judged(*lines: LogLine, failing: int = 0, inside: Any = None) -> VerdictReply:
    """The verdict on two versions of a function: ``failing`` of the candidate's handlers are known to have raised."""
    documents: list[Document] = []
    for number in range(1, 161):
        version = "42" if number > 100 else "41"
        known = {"failure": "ValueError"} if number > 160 - failing else {}
        documents += recorded(number, version, **known)
        if inside is not None:
            documents.append(inside(documents[-1]))
    store = MemoryStore()
    store.put(documents, "a")
    store.put_log_lines(lines, "b")
    client = TestClient(create_app(store, version="1", clock=lambda: NOW))
    reply: VerdictReply = get(client, OF_RECORDS, VerdictReply)
    return reply


def init(text: str, version: str = "") -> LogLine:
    known = {"name": "checkout", "type": "AWS::Lambda::Function", "record": "init"}
    return LogLine(T0, text, log_stream=f"2026/11/24/[{version}]0", **known)  # type: ignore[arg-type]


def test_where_nothing_says_whether_handlers_failed_there_is_no_verdict() -> None:
    """The platform's records alone do not."""
    reply = judged()
    assert reply["verdict"] == "insufficient"
    assert [reason.partition(":")[0] for reason in reply["reasons"]] == ["version 41", "version 42"]
    assert "docs/lambda.md" in reply["reasons"][0]
    assert reply["candidate"]["unknown_outcome"] == 60


@pytest.mark.parametrize(
    ("runtime", "verdict"),
    [("python:3.12", "pass"), ("nodejs:20", "pass"), ("provided:al2023", "insufficient")],
)
def test_runtimes_that_log_failures_say_that_there_was_none(runtime: str, verdict: str) -> None:
    lines = [init(INIT.format(runtime), version) for version in ("41", "42")]
    assert judged(*lines)["verdict"] == verdict
    assert judged(lines[0])["verdict"] == "insufficient", "of the candidate nothing is known"


def test_the_subsegment_around_the_handler_says_it() -> None:
    def handler(function: Document) -> Document:
        return subsegment(
            function.id ^ 1,
            parent_id=function.id,
            trace_id=function.trace_id,
            start=function.start,
            end=function.end,
            service="## checkout",
        )

    assert judged(inside=handler)["verdict"] == "pass"


def test_failures_that_are_known_fail_a_version_whatever_else_is_not() -> None:
    reply = judged(failing=15)
    assert (reply["verdict"], reply["candidate"]["fault"]) == ("fail", 15)


def test_a_function_that_reports_itself_is_not_in_doubt() -> None:
    """An OpenTelemetry layer's segment says how the handler ended."""
    reply = get(
        client_of(*(request(n, "41" if n % 2 else "42") for n in range(200))), JUDGE, VerdictReply
    )
    assert (reply["verdict"], reply["candidate"]["unknown_outcome"]) == ("pass", 0)

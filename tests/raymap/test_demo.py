"""The demo is reproducible, every document is valid, and the map is the one promised."""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.alarms.evaluator import AlarmEvaluator
from api.app import create_app
from api.graph.build import build_graph
from api.graph.open_ends import open_ends
from collector.decode.daemon import split_datagram
from collector.decode.document import decode_document
from collector.decode.lambda_records.cloudwatch import Delivery, decode_delivery
from collector.decode.lambda_records.upload import decode_upload
from collector.payloads import decode_documents
from raymap.demo import clock
from raymap.demo.alarms import put_alarm
from raymap.demo.clock import Calendar
from raymap.demo.declared import put_declaration
from raymap.demo.deliveries import MOST
from raymap.demo.deployments import Deployments, canary_alarm
from raymap.demo.logs import delivery, spans_delivery
from raymap.demo.main import BACKFILL_SECONDS, run
from raymap.demo.otel import export
from raymap.demo.sender import body as body_of
from raymap.demo.server import request
from raymap.demo.story import Story
from raymap.demo.trace import Document, LogLine, Span, Trace, Upload
from store.alarms import Alarm
from store.config import records
from store.graph import ServiceGraph
from store.invocation_evidence import evidence_in, invocations_in
from store.memory import MemoryStore
from store.model import Document as StoredDocument
from store.model import NodeKey, TimeRange, relayed_version
from store.rules.invocations import Invocation
from store.verdict import Outcome, Side, judge
from tests.api.alarms.traffic import Clock
from tests.aws.test_account import World
from tests.http_server import serve
from tests.otlp_json import decode_otlp_json
from tests.store.test_invocation_evidence import World as JoinedWorld

NOON = 1_764_072_000.0
ACCOUNT, DEV, REGION = "123456789012", "210987654321", "eu-west-1"
FUNCTIONS = (
    "audit",
    "catalog",
    "clickstream",
    "notify",
    "payments",
    "place-order",
    "reserve-stock",
    "thumbnailer",
)
ENTERED = ("assistant", "loyalty", "sales-etl", "shop-api/dev", "shop-graphql", "shop-web")
"""Called from outside; functions invoked by an event have the sender of that for a caller, and a job has none."""
WORKLOADS = ("assistant", "loyalty", "loyalty-mailer", "points-expiry")
"""Instrumented with OpenTelemetry."""


def own(name: str, type: str, account: str = ACCOUNT) -> NodeKey:
    """A node that reports itself, or that an ARN names."""
    return NodeKey(account, name, type, REGION)


def called(name: str, type: str) -> NodeKey:
    """A resource that is in no account, or whose caller is not known."""
    return NodeKey("", name, type, REGION)


SALES_REPORT = own("sales-report", "")
"""A script that says where it runs."""
NODES = {
    *(own(name, "AWS::Lambda") for name in FUNCTIONS),
    *(own(name, "AWS::Lambda::Function") for name in FUNCTIONS),
    *(NodeKey("", name, "client") for name in ENTERED),
    own("shop-web", "AWS::ECS::Container"),
    own("shop-api/prod", "AWS::ApiGateway::Stage"),
    own("shop-api/dev", "AWS::ApiGateway::Stage", DEV),
    *(own(name, "AWS::Lambda", DEV) for name in ("catalog", "place-order")),
    *(own(name, "AWS::Lambda::Function", DEV) for name in ("catalog", "place-order")),
    own("shop-graphql", "AWS::AppSync::GraphQLAPI"),
    own("order-fulfilment", "AWS::StepFunctions::StateMachine"),
    own("sales-etl", "AWS::StepFunctions::StateMachine"),
    SALES_REPORT,
    own("recommend", "AWS::Lambda"),
    own("Events", "AWS::Events"),
    NodeKey("", "mail.example.com", "remote"),
    own("orders", "AWS::DynamoDB::Table"),
    own("products", "AWS::DynamoDB::Table"),
    own("orders", "AWS::DynamoDB::Table", DEV),
    called("shop-media", "AWS::S3::Bucket"),
    called("shop-data-lake", "AWS::S3::Bucket"),
    own("clicks", "AWS::Kinesis::Stream"),
    own("order-events", "AWS::SNS"),
    own("order-emails", "AWS::SQS::Queue"),
    *(
        own("CognitoIdentityProvider", "AWS::CognitoIdentityProvider", account)
        for account in (ACCOUNT, DEV)
    ),
    NodeKey("", "orders@shop.cluster-c9x2k1.eu-west-1.rds.amazonaws.com", "Database::SQL"),
    NodeKey("", "payments.example.com", "remote"),
    *(own(name, "AWS::EKS::Container") for name in WORKLOADS),
    NodeKey("", "loyalty@loyalty-db", "Database::SQL"),
    NodeKey("", "points-earned", "Messaging::Kafka"),
    NodeKey("", "openai", "GenAI::Model"),
}


def _traces(count: int) -> Iterator[Trace]:
    return itertools.islice(Story(7, 8.0).backward(NOON, 3600), count)


def _documents(traces: Iterator[Trace]) -> list[str]:
    sends = [send.document for trace in traces for send in trace.sends()]
    return [document.text for document in sends if isinstance(document, Document)]


def _spans(traces: Iterator[Trace]) -> list[Span]:
    sends = [send.document for trace in traces for send in trace.sends()]
    return [document for document in sends if isinstance(document, Span)]


def arriving(traces: list[Trace]) -> tuple[list[StoredDocument], list[Invocation]]:
    """What receivers make of traces: documents of SDKs, spans, records of ``aws/spans``; and invocations that layers saw
    (not those in log lines)."""
    sends = [send.document for trace in traces for send in trace.sends()]
    own = [each for each in sends if isinstance(each, Document)]
    by_sdk = [each.text.encode() for each in own if not each.account]
    documents = [decode_document(text, number) for number, text in enumerate(by_sdk, 1)]
    body = export([each for each in sends if isinstance(each, Span)])
    for decoded in decode_otlp_json(json.dumps(body).encode(), 1):
        assert isinstance(decoded, StoredDocument), decoded
        documents.append(decoded)
    by_aws = [each for each in own if each.account]
    for at in range(0, len(by_aws), MOST):
        request = spans_delivery(by_aws[at : at + MOST])
        found = decode_delivery(msgspec.convert(request, Delivery), REGION)
        assert not found.rejected
        for part, version in ((found.spans.finished, relayed_version(1)), (found.spans.running, 1)):
            result = decode_documents(part.documents, version)
            assert not result.rejected
            documents += result.documents
    invocations: list[Invocation] = []
    uploads = [each for each in sends if isinstance(each, Upload)]
    for name in sorted({each.function["name"] for each in uploads}):
        content = body_of([each for each in uploads if each.function["name"] == name])
        upload = decode_upload(json.dumps(content).encode())
        assert not upload.rejected
        invocations += upload.folded.invocations
    return documents, invocations


def stored(traces: list[Trace]) -> MemoryStore:
    """A store with the traces, joined."""
    store = MemoryStore()
    world = World(store)
    documents, invocations = arriving(traces)
    world.take(*documents, *invocations)
    world.join(each.trace_id for each in invocations)
    return store


@pytest.fixture(scope="module")
def graph_store() -> MemoryStore:
    return stored(list(_traces(3000)))


@pytest.fixture(scope="module")
def graph(graph_store: MemoryStore) -> ServiceGraph:
    return graph_store.service_graph(TimeRange(int((NOON - 3600) * 1e6), int((NOON + 600) * 1e6)))


def test_a_seed_gives_the_same_documents() -> None:
    assert _documents(_traces(50)) == _documents(_traces(50))
    assert _spans(_traces(50)) == _spans(_traces(50)) != []


@pytest.mark.slow
def test_the_map_has_these_nodes(graph: ServiceGraph) -> None:
    assert set(graph.services) == NODES


def test_events_are_drawn_in_the_order_in_which_they_pass(graph: ServiceGraph) -> None:
    """Publisher, topic, queue, function; and nothing leads from the function back to its queue."""
    service, function = "AWS::Lambda", "AWS::Lambda::Function"
    topic = own("order-events", "AWS::SNS")
    queue = own("order-emails", "AWS::SQS::Queue")
    bus = own("Events", "AWS::Events")
    etl = own("sales-etl", "AWS::StepFunctions::StateMachine")
    place_order = own("place-order", function)
    assert {
        (place_order, topic),
        (topic, queue),
        (place_order, bus),
        (etl, bus),
        (etl, SALES_REPORT),
    } <= set(graph.edges)
    assert {
        (queue, own("notify", service)),
        (bus, own("audit", service)),
    } <= set(graph.links)
    notify = own("notify", function)
    assert [edge for edge in graph.edges if edge[0] == notify] == [
        (notify, NodeKey("", "mail.example.com", "remote"))
    ]


def test_what_is_done_behind_a_sidecar(graph_store: MemoryStore) -> None:
    """By the application, not by the proxy, which knows it as `loyalty:8080/*`."""
    nodes = frozenset([own("loyalty", "AWS::EKS::Container")])
    window = TimeRange(int((NOON - 3600) * 1e6), int((NOON + 600) * 1e6))
    listed = graph_store.operation_statistics(nodes, window, background=False, filter=None)
    assert set(listed) == {"GET /points", "POST /points"}


def test_what_opentelemetry_reports_several_times_is_drawn_once(graph: ServiceGraph) -> None:
    """A query by its ORM and its driver, a request by both sidecars, a chat by its SDK and by HTTP; a message passes
    its broker; and no one calls a job."""
    assistant, loyalty, mailer, expiry = (own(name, "AWS::EKS::Container") for name in WORKLOADS)
    database = NodeKey("", "loyalty@loyalty-db", "Database::SQL")
    topic, model = (
        NodeKey("", "points-earned", "Messaging::Kafka"),
        NodeKey("", "openai", "GenAI::Model"),
    )
    mail = NodeKey("", "mail.example.com", "remote")
    found = {
        pair
        for pair in graph.edges
        if not pair[0].is_client and {*pair} & {assistant, loyalty, mailer, expiry}
    }
    assert found == {
        (assistant, loyalty), (assistant, model), (loyalty, database), (loyalty, topic), (mailer, mail),
        (expiry, database),
    }  # fmt: skip
    assert set(graph.links) >= {(topic, mailer)}
    requests = graph.services[assistant].statistics
    assert graph.edges[assistant, loyalty].statistics.total == requests.total
    assert graph.edges[assistant, model].statistics.throttle == requests.fault > 0
    queried = graph.edges[loyalty, database].statistics
    assert (
        queried.total
        == graph.services[loyalty].statistics.total - graph.services[loyalty].statistics.error
    )
    assert {source for source, target in graph.edges if target == expiry} == set()
    assert graph.services[expiry].is_background
    assert not graph.services[loyalty].is_background


def test_the_segments_of_a_function_are_made_of_its_log() -> None:
    """Joined to the call by its request id, and to the SDK's subsegments by the segment's id."""
    traces = list(_traces(300))
    world = JoinedWorld()
    for text in _documents(iter(traces)):
        world.put(decode_document(text.encode(), 1))
    sends = [send.document for trace in traces for send in trace.sends()]
    request = delivery(each for each in sends if isinstance(each, LogLine))
    decoded = decode_delivery(msgspec.convert(request, Delivery), REGION)
    assert decoded.invocations
    assert not decoded.rejected
    for invocation in decoded.invocations:
        world.report(invocation)
        trace = world.store.get_traces([invocation.trace_id], raw=True)[invocation.trace_id]
        (found,) = invocations_in(trace)
        world.report(invocation, evidence_in(trace, found, now=invocation.end))
    graph = world.store.service_graph(TimeRange(0, 1 << 62))
    service, function = own("recommend", "AWS::Lambda"), own("recommend", "AWS::Lambda::Function")
    edges = [edge for edge in graph.edges if edge[1] in (service, function)]
    assert set(edges) == {(own("shop-web", "AWS::ECS::Container"), service), (service, function)}
    assert graph.services[function].statistics.total == len(decoded.invocations)


def test_without_its_log_a_function_is_known_by_its_caller(graph: ServiceGraph) -> None:
    """The SDK inside sends subsegments only; their segment goes to X-Ray."""
    web = own("shop-web", "AWS::ECS::Container")
    function = own("recommend", "AWS::Lambda")
    assert [edge for edge in graph.edges if function in edge] == [(web, function)]
    assert not graph.services[function].active


def test_everything_is_finished(graph: ServiceGraph) -> None:
    """In-progress documents were followed by complete ones."""
    assert {s.statistics.in_progress for s in graph.services.values()} == {0}


def test_every_colour_is_on_the_map(graph: ServiceGraph) -> None:
    """Faults, errors and throttles where the README says they come from."""
    totals: Counter[str] = Counter()
    for key, service in graph.services.items():
        for state in ("ok", "error", "throttle", "fault"):
            totals[f"{key.name} {state}"] += getattr(service.statistics, state)
    for expected in (
        "shop-api/prod error",
        "shop-api/prod throttle",
        "shop-web fault",
        "orders throttle",
        "payments.example.com fault",
        "CognitoIdentityProvider error",
        "place-order fault",
    ):
        assert totals[expected] > 0, expected


def test_documents_are_sent_when_they_end() -> None:
    """A complete one at its end, a report of progress after its start."""
    for trace in _traces(300):
        for send in trace.sends():
            if isinstance(send.document, LogLine | Upload):
                continue
            if isinstance(send.document, Span):
                assert send.at * 1e9 == pytest.approx(int(send.document.body["endTimeUnixNano"]))
                continue
            document = json.loads(send.document.text)
            moment = document["start_time"] if document["in_progress"] else document["end_time"]
            assert send.at >= moment
            assert len(send.document.text) < 60_000


@pytest.mark.slow
def test_run_sends_datagrams_and_ends_in_time() -> None:
    """Through the SDK's emitter, the past first; `duration` ends it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(60)
        begun = time.monotonic()
        run(f"127.0.0.1:{daemon.getsockname()[1]}", rate=8.0, duration=1.0, seed=1)
        assert time.monotonic() - begun < 30.0
        document = split_datagram(daemon.recv(65_535))
        assert decode_document(document, 1).raw == document


@pytest.mark.slow
def test_a_bad_version_of_a_canary_is_found() -> None:
    """A part of the requests gets a new version at first; a bad one fails the verdict within two minutes, a good one
    passes, and after its canary nothing of the bad one is left."""
    calendar = Calendar(NOON)
    for number, expected in ((0, Outcome.FAIL), (1, Outcome.PASS)):
        began = NOON + clock.FIRST_DEPLOYMENT + number * clock.DEPLOYMENT_EVERY
        newest = calendar.latest_change(began).version
        assert calendar.is_bad(newest) == (expected is Outcome.FAIL)
        lots = Random(7)
        shares = Counter(calendar.function_version(began + at, lots.random()) for at in range(300))
        assert shares[newest] == pytest.approx(300 * clock.CANARY_SHARE, abs=25)
        after = {calendar.function_version(began + at) for at in range(300, 900, 100)}
        assert after == ({newest} if expected is Outcome.PASS else {newest - 1})
        traces = Story(7, 8.0, calendar).backward(began + 120, 120)
        store = MemoryStore()
        store.put([decode_document(text.encode(), 1) for text in _documents(traces)], "a")
        function = own("catalog", "AWS::Lambda::Function")
        found = store.version_statistics([function], TimeRange(0, 1 << 62), weighted=False)
        in_use = max(found, key=lambda version: found[version].statistics.total)
        sides = (Side(v, found[v].statistics, {}, 0) for v in (in_use, str(newest)))
        assert judge(*sides).outcome is expected


def test_nothing_goes_wrong_at_first_but_a_deployment() -> None:
    """In the past, from which is learnt what is usual, and in the minutes in which the deployment's problem is found; and
    later as often in a demo that has just begun as in one that began long ago."""
    calendar = Calendar(NOON)
    wrong = (Calendar.payments_ailing, Calendar.orders_table_hot, Calendar.gateway_flooded)
    first = range(-round(BACKFILL_SECONDS), 1200, 5)
    assert not any(each(calendar, NOON + at) for at in first for each in wrong)
    bad = {
        calendar.function_version(NOON + at, 0.0)
        for at in first
        if calendar.is_bad(calendar.function_version(NOON + at, 0.0))
    }
    assert bad == {calendar.latest_change(NOON + clock.FIRST_DEPLOYMENT).version}
    for each in wrong:
        hours = [sum(each(calendar, NOON + n * 3600 + at) for at in range(3600)) for n in (1, 1000)]
        assert hours[0] == pytest.approx(hours[1], abs=100)


def test_a_distant_past_is_thin() -> None:
    starts = [trace.start for trace in Story(7, 4.0, Calendar(NOON)).backward(NOON, 2400, 1200)]
    near = sum(NOON - start < 1200 for start in starts)
    assert near > 2500
    assert len(starts) - near == pytest.approx(near / 5, rel=0.15)


def test_a_failed_request_is_in_its_function_s_log() -> None:
    """With its exception, under the segment's request, and with the attribute that failed requests have in common."""
    calendar = Calendar(NOON)
    canary = NOON + clock.FIRST_DEPLOYMENT + clock.CANARY_SECONDS
    traces = list(Story(7, 8.0, calendar).backward(canary, 60))
    sends = [send.document for trace in traces for send in trace.sends()]
    segments = [json.loads(each.text) for each in sends if isinstance(each, Document)]
    catalog = [each for each in segments if each["name"] == "catalog" and "aws" in each]
    failed = {
        each["aws"]["request_id"]
        for each in catalog
        if "request_id" in each["aws"] and "fault" in each
    }
    request = delivery(each for each in sends if isinstance(each, LogLine))
    decoded = decode_delivery(msgspec.convert(request, Delivery), REGION)
    logged = {line.request_id: line for line in decoded.logs.lines if line.name == "catalog"}
    assert set(logged) == failed != set()
    missing = [line for line in logged.values() if "MissingField: 'currency'" in line.body]
    assert len(missing) > 5
    assert {line.severity for line in missing} == {"error"}
    handled = [each for each in segments if "price_list" in each.get("annotations", {})]
    lists = Counter(
        each["annotations"]["price_list"]
        for each in handled
        if any(e["type"] == "MissingField" for e in each.get("cause", {}).get("exceptions", []))
    )
    assert lists == {"outlet": len(missing)}
    assert {each["annotations"]["price_list"] for each in handled} == {"outlet", "retail"}


@pytest.mark.slow
def test_the_alarm_fires_while_the_payment_provider_is_ailing() -> None:
    """And not before and after; one that someone has changed stays."""
    store = MemoryStore()
    begun = 660 * 2_000_000.0
    calendar = Calendar()
    assert calendar.payments_ailing(begun)
    assert not calendar.payments_ailing(begun - 1)
    past = Story(7, 8.0).backward(begun + 240, 420)
    store.put([decode_document(text.encode(), 1) for text in _documents(past)], "a")
    now = Clock(begun - 60)
    with serve(create_app(store, version="1", clock=now)) as url:
        for _ in range(2):
            put_alarm(url.removeprefix("http://"))
    assert store.read_configuration().revision == 1
    put_alarm("127.0.0.1:9")
    evaluator = AlarmEvaluator(store, now)
    states = []
    for since in range(-60, 241, 30):
        now.now = begun + since
        states += [(since, event.state.value) for event in evaluator.evaluate()]
    assert [state for _, state in states] == ["OK", "ALARM", "OK"]
    assert 60 < states[1][0] < 150


def test_deployments_are_reported_once() -> None:
    """To the address that the datagrams go to, and a bad one's rollback; a server that is unavailable costs nothing."""
    store = MemoryStore()
    calendar = Calendar(NOON)
    first = NOON + clock.FIRST_DEPLOYMENT
    with serve(create_app(store, version="1", clock=lambda: first + 900)) as url:
        deployments = Deployments(url.removeprefix("http://"), calendar)
        for at in (NOON, NOON + 1, first, first + 1, first + 300, first + 301):
            deployments.report(at)
    found = store.deployments(TimeRange(0, 1 << 62), limit=9)
    bad = int(found[1].version)
    assert calendar.is_bad(bad)
    assert [(each.at / 1e6 - first, int(each.version) - bad, each.state) for each in found] == [
        (300, -1, "rolled back"),
        (0, 0, "canary"),
        (-600, -1, "complete"),
    ]
    assert {each.service for each in found} == {"catalog"}
    Deployments("127.0.0.1:9", calendar).report(first)
    (alarm,) = records.read(store.read_configuration(), Alarm).values()
    assert (alarm.name, alarm.version) == ("catalog-canary", str(bad))


@pytest.mark.slow
def test_the_alarm_of_a_bad_version_fires_during_its_canary() -> None:
    """The alarm of the service as a whole would not: most requests are good."""
    calendar = Calendar(NOON)
    began = NOON + clock.FIRST_DEPLOYMENT
    store = MemoryStore()
    past = Story(7, 8.0, calendar).backward(began + 300, 420)
    store.put([decode_document(text.encode(), 1) for text in _documents(past)], "a")
    now = Clock(began)
    with serve(create_app(store, version="1", clock=now)) as url:
        Deployments(url.removeprefix("http://"), calendar).report(began)
        whole = canary_alarm("")
        request(url.removeprefix("http://"), "PUT", "/api/v1/alarms/whole", whole)
    evaluator = AlarmEvaluator(store, now)
    fired = set()
    for since in range(0, 301, 30):
        now.now = began + since
        fired |= {event.alarm for event in evaluator.evaluate() if event.state == "ALARM"}
    assert fired == {"catalog-canary"}


def test_the_declared_stack_differs_from_the_traffic_as_the_template_says(
    graph_store: MemoryStore,
) -> None:
    app = create_app(graph_store, version="1", clock=lambda: NOON + 600)
    with serve(app) as url:
        put_declaration(url.removeprefix("http://"))
    put_declaration("127.0.0.1:9")
    window = f"from={NOON - 3600:.0f}&to={NOON + 600:.0f}"
    found = TestClient(app).get(f"/api/v1/declarations/compare?{window}").json()
    by_status = {
        status: {each["name"] for each in found["nodes"] if each["status"] == status}
        for status in ("never_seen", "undeclared")
    }
    assert by_status == {"never_seen": {"wishlists"}, "undeclared": {"shop-data-lake"}}
    edges = {
        (each["source_name"], each["target_name"], each["status"])
        for each in found["edges"]
        if each["status"] in ("never_seen", "undeclared")
    }
    assert edges == {
        ("place-order", "wishlists", "never_seen"),
        ("audit", "shop-data-lake", "undeclared"),
        # The function's segment is made of its log, which this store does not have.
        ("recommend", "products", "never_seen"),
    }


@pytest.mark.slow
def test_two_accounts_and_stages_are_apart(graph_store: MemoryStore) -> None:
    """As the picker offers them, and as a map of each shows them."""
    client = TestClient(create_app(graph_store, version="1", clock=lambda: NOON + 600))
    window = f"from={NOON - 3600:.0f}&to={NOON + 600:.0f}"
    places = client.get(f"/api/v1/places?{window}").json()
    assert places["accounts"] == [ACCOUNT, DEV]
    assert {each["value"] for each in places["environments"]} == {"dev", "prod"}

    def stages(query: str) -> set[str]:
        services = client.get(f"/api/v1/services?{window}&limit=1000&{query}").json()["services"]
        return {each["name"] for each in services if each["type"] == "AWS::ApiGateway::Stage"}

    assert stages(f"account={DEV}") == stages("environment=dev") == {"shop-api/dev"}
    assert stages("environment=prod") == {"shop-api/prod"}


def test_no_edge_is_missing(graph: ServiceGraph) -> None:
    assert list(open_ends(build_graph(graph))) == []


@pytest.mark.slow
def test_traces_show_no_cause_of_a_missing_edge() -> None:
    """Of services that are called in every way that the demo has."""
    store = stored(list(_traces(500)))
    client = TestClient(create_app(store, version="1", clock=lambda: NOON + 700))
    window = f"from={NOON - 3600}&to={NOON + 600}"
    for node in client.get(f"/api/v1/map?{window}").json()["services"]:
        if node["name"] in ("shop-web", "loyalty", "payments", "assistant", "payments.example.com"):
            found = client.get(f"/api/v1/nodes/{node['id']}/missing?{window}").json()
            assert found["causes"] == [], node["name"]

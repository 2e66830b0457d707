"""Cases of `tests.collector.conventions`: B who does the work, L lost and late spans, N nested calls, M messages,
G names, A agents and models, R roots, S sampling."""

from __future__ import annotations

from typing import Any

from tests.collector.conventions import AWS, GET, KAFKA, SQL, TABLE, Case, Span, http

LOCAL, REMOTE = 0x100, 0x300
NEVER_SENT = -7
RECEIVE = {**KAFKA, "messaging.operation.type": "receive"}
PROCESS = {**KAFKA, "messaging.operation.type": "process"}
CREATE = {**KAFKA, "messaging.operation.type": "create"}
PUBSUB = {"messaging.system": "gcp_pubsub", "messaging.destination.name": "orders"}
AZURE = {
    "messaging.system": "eventhubs",
    "messaging.destination.name": "orders",
    "az.namespace": "Microsoft.EventHub",
}
DAPR = {
    "messaging.system": "pubsub",
    "messaging.destination": "orders",
    "messaging.destination_kind": "topic",
}
SEND = {**KAFKA, "messaging.operation.type": "send"}
BROWSER = {"telemetry.sdk.language": "webjs"}
PROXY: dict[str, Any] = {"component": "proxy"}
POOL = {**SQL, "db.postgresql.max.client": 10, "db.postgresql.idle.timeout.millis": 10000}
SPRING = {"exception": "none", "http.url": "/x", "method": "GET", "uri": "/x"}
SQS = {"messaging.system": "aws_sqs", "messaging.destination.name": "jobs"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}


def front(attributes: Any = GET, **more: Any) -> Span:
    return Span("front", "S", attributes=attributes, **more)


OWNERS = (
    Case("B1 a CLIENT span of another service", "wrong", [front(), Span("back", "C", 1, SQL)],
         "back 1, front 1, o@pg:Database::SQL 1 | back->o@pg:Database::SQL 1, client->front 1, front->back 1"),
    Case("B2 an INTERNAL span of another service, with a call", "wrong",
         [front(), Span("back", "I", 1), Span("back", "C", 2, SQL)],
         "back 1, front 1, o@pg:Database::SQL 1 | back->o@pg:Database::SQL 1, client->front 1, front->back 1"),
    Case("B3 an INTERNAL span of another service below a call", "wrong",
         [front(), Span("front", "C", 1, http("back.example.com")), Span("back", "I", 2), Span("back", "C", 3, SQL)],
         "back 1, front 1, o@pg:Database::SQL 1 | back->o@pg:Database::SQL 1, client->front 1, front->back 1"),
    Case("B4 as B1, with the flag of a remote parent", "right", [front(), Span("back", "C", 1, SQL, flags=REMOTE)],
         "back 1, front 1, o@pg:Database::SQL 1 | back->o@pg:Database::SQL 1, client->front 1, front->back 1"),
    Case("B4b as B1, with the flag of a local parent: another name in one process", "wrong",
         [front(), Span("back", "C", 1, SQL, flags=LOCAL)],
         "back, front 1, o@pg:Database::SQL 1 | back->o@pg:Database::SQL 1, client->front 1"),
    Case("B5 a job that still runs", "wrong",
         [*[Span("batch", "C", NEVER_SENT, SQL)] * 5, Span("batch", "C", NEVER_SENT, http("api")), Span("api", "S", 6, GET)],
         "api 1, batch, o@pg:Database::SQL 5 | batch->api 1, batch->o@pg:Database::SQL 5"),
    Case("B6 the same when it ended", "wrong",
         [Span("batch", "I"), *[Span("batch", "C", 1, SQL)] * 5, Span("batch", "C", 1, http("api")), Span("api", "S", 7, GET)],
         "api 1, batch (1), o@pg:Database::SQL 5 | batch->api 1, batch->o@pg:Database::SQL 5"),
    Case("B7 sidecars on both sides", "wrong",
         [front(), Span("front", "C", 1, http("reviews")), Span("front", "C", 2, http("reviews", **PROXY)),
          Span("reviews", "S", 3, {**GET, **PROXY}), Span("reviews", "S", 4, GET)],
         "front 1, reviews 1 | client->front 1, front->reviews 1"),
    Case("B8 a proxy that is a service", "right",
         [front(), Span("front", "C", 1, http("envoy")), Span("envoy", "S", 2, GET), Span("envoy", "C", 3, http("reviews")),
          Span("reviews", "S", 4, GET)],
         "envoy 1, front 1, reviews 1 | client->front 1, envoy->reviews 1, front->envoy 1"),
    Case("B9 a sidecar at localhost, which reports as its application", "wrong",
         [front(), Span("front", "C", 1, http("localhost", **{"server.port": 3500})),
          Span("front", "C", 2, {"net.peer.name": "stock", "dapr.protocol": "http"}), Span("stock", "S", 3, GET),
          Span("stock", "S", 4, GET)],
         "front 1, stock 1 | client->front 1, front->stock 1"),
    Case("B9b the same for a store of state", "wrong",
         [front(), Span("front", "C", 1, http("127.0.0.1", **{"server.port": 3500})),
          Span("front", "C", 2, {"db.system": "state", "db.name": "orders", "db.connection_string": "state"})],
         "front 1, orders:Database::State 1 | client->front 1, front->orders:Database::State 1"),
    Case("B9c the same, of what reports nothing", "wrong",
         [front(), Span("front", "C", 1, http("localhost", **{"server.port": 3500})), Span("front", "C", 2, {"net.peer.name": "stock"})],
         "front 1, stock:remote 1 | client->front 1, front->stock:remote 1"),
    Case("B9d a process at localhost that reports nothing", "right",
         [front(), Span("front", "C", 1, http("localhost", **{"server.port": 3500}))],
         "front 1, localhost:3500 (front):remote 1 | client->front 1, front->localhost:3500 (front):remote 1"),
    Case("B10 a page that its server gave the id of its request", "wrong",
         [front(), Span("page", "I", 1, resource=BROWSER, name="documentLoad"), Span("page", "I", 2, resource=BROWSER, name="documentFetch"),
          Span("page", "C", 2, http("front"), resource=BROWSER), Span("front", "S", 4, GET)],
         "front 2, page (1) | client->front 1, page->front 1"),
    Case("L1 a consumer loop whose root is dropped", "wrong",
         [Span("loop", "I", NEVER_SENT), Span("loop", "C", 1, SQL)],
         "loop, o@pg:Database::SQL 1 | loop->o@pg:Database::SQL 1"),
    Case("H7 a server that names its caller", "wrong", [front({**GET, "peer.service": "mobile"})],
         "front 1, mobile:remote | mobile:remote->front 1"),
)  # fmt: skip
NESTED = (
    Case("N1 an ORM over its driver", "wrong", [front(), Span("front", "C", 1, SQL), Span("front", "C", 2, SQL)],
         "front 1, o@pg:Database::SQL 1 | client->front 1, front->o@pg:Database::SQL 1"),
    Case("N1b SQLAlchemy over sqlite3", "wrong",
         [front(), Span("front", "C", 1, {"db.system": "sqlite", "db.name": "shop.db"}), Span("front", "C", 2, {"db.system": "sqlite"})],
         "front 1, shop.db:Database::SQL 1 | client->front 1, front->shop.db:Database::SQL 1"),
    Case("N1c a query on a connection of Node's pool", "wrong",
         [front(), Span("front", "C", 1, POOL, name="pg-pool.connect"), Span("front", "C", 1, SQL)],
         "front 1, o@pg:Database::SQL 1 | client->front 1, front->o@pg:Database::SQL 1"),
    Case("N1d a query for which the pool opens a connection, in vain", "wrong",
         [front(), Span("front", "C", 1, POOL, name="pg-pool.connect", failed=True), Span("front", "C", 2, SQL, failed=True)],
         "front 1, o@pg:Database::SQL 1 fault | client->front 1, front->o@pg:Database::SQL 1 fault"),
    Case("N1e queries with the settings of a pool", "right",
         [front(), *[Span("front", "C", 1, POOL)] * 2], "front 1, o@pg:Database::SQL 2 | client->front 1, front->o@pg:Database::SQL 2"),
    Case("N2 an AWS SDK over HTTP", "wrong",
         [front(), Span("front", "C", 1, TABLE), Span("front", "C", 2, http("dynamodb.us-east-1.amazonaws.com"))],
         "front 1, tab:AWS::DynamoDB::Table 1 | client->front 1, front->tab:AWS::DynamoDB::Table 1"),
    Case("N3 a model's SDK over HTTP", "wrong",
         [front(), Span("front", "C", 1, CHAT), Span("front", "C", 2, http("api.openai.com"))],
         "front 1, openai:GenAI::Model 1 | client->front 1, front->openai:GenAI::Model 1"),
    Case("N4 a search engine's client over HTTP", "wrong",
         [front(), Span("front", "C", 1, {"db.system": "elasticsearch", "server.address": "es1"}), Span("front", "C", 2, http("es1"))],
         "es1:Database::Elasticsearch 1, front 1 | client->front 1, front->es1:Database::Elasticsearch 1"),
    Case("W1 a span made by hand around an instrumented request", "wrong",
         [front(), Span("front", "C", 1, {"peer.service": "pay"}), Span("front", "C", 2, http("payhost")), Span("pay", "S", 3, GET)],
         "front 1, pay 1 | client->front 1, front->pay 1"),
    Case("N5 three retries, each a span of its own", "right",
         [front(), *[Span("front", "C", 1, http("pay", 503), failed=True)] * 2, Span("front", "C", 1, http("pay"))],
         "front 1, pay:remote 1 2 fault | client->front 1, front->pay:remote 1 2 fault"),
)  # fmt: skip
MESSAGES = (
    Case("M1 a consumer below its producer", "wrong",
         [front(), Span("front", "P", 1, SEND), Span("worker", "Q", 2, PROCESS, at=700, takes=50)],
         "front 1, orders:Messaging::Kafka 1, worker 1 | client->front 1, front->orders:Messaging::Kafka 1, "
         "orders:Messaging::Kafka=>worker 1"),
    Case("M2 a consumer that links to its producer", "right",
         [front(), Span("front", "P", 1, SEND), Span("worker", "Q", 0, PROCESS, links=[2], trace=2, at=700, takes=50)],
         "front 1, orders:Messaging::Kafka 1, worker 1 | client->front 1, front->orders:Messaging::Kafka 1, "
         "orders:Messaging::Kafka=>worker 1"),
    Case("M3 three messages, fetched together, processed each", "wrong",
         [front(), *[Span("front", "P", 1, SEND)] * 3, Span("worker", "Q", 0, RECEIVE, links=[2, 3, 4], trace=2),
          *[Span("worker", "Q", 5, PROCESS, links=[each], trace=2) for each in (2, 3, 4)]],
         "front 1, orders:Messaging::Kafka 3, worker 3 | client->front 1, front->orders:Messaging::Kafka 3, "
         "orders:Messaging::Kafka=>worker 3"),
    Case("M4 an SQS message below what sent it, with a link to the same", "wrong",
         [front(), Span("front", "P", 1, SQS), Span("worker", "Q", 2, SQS, links=[2])],
         "front 1, jobs:AWS::SQS::Queue 1, worker 1 | client->front 1, front->jobs:AWS::SQS::Queue 1, "
         "jobs:AWS::SQS::Queue=>worker 1"),
    Case("M5 a consumer that tries again", "right",
         [front(), Span("front", "P", 1, SEND), Span("worker", "Q", 0, PROCESS, links=[2], trace=2, failed=True),
          Span("worker", "Q", 0, PROCESS, links=[2], trace=3)],
         "front 1, orders:Messaging::Kafka 1, worker 1 1 fault | client->front 1, front->orders:Messaging::Kafka 1, "
         "orders:Messaging::Kafka=>worker 1 1 fault"),
    Case("M6 polls that find nothing", "wrong", [Span("worker", "C", 0, RECEIVE, trace=each) for each in (1, 2)], " | "),
    Case("M10 messages made each and sent together", "wrong",
         [front(), *[Span("front", "P", 1, CREATE)] * 3, Span("front", "C", 1, SEND, links=[2, 3, 4]),
          *[Span("worker", "Q", 0, PROCESS, links=[each], trace=each) for each in (2, 3, 4)]],
         "front 1, orders:Messaging::Kafka 1, worker 3 | client->front 1, front->orders:Messaging::Kafka 1, "
         "front=>orders:Messaging::Kafka 3, orders:Messaging::Kafka=>worker 3"),
    Case("M11 Pub/Sub's client: a message is made, sent in a trace of its own, and processed below what made it", "wrong",
         [front(), Span("front", "P", 1, {**PUBSUB, "messaging.operation": "create"}),
          Span("front", "C", 0, {**PUBSUB, "messaging.operation": "publish"}, links=[2], trace=2),
          Span("worker", "Q", 2, {**PUBSUB, "messaging.operation": "process"}, at=700, takes=50)],
         "front 1 (1), orders:Messaging::PubSub 1, worker 1 | client->front 1, front->orders:Messaging::PubSub 1, "
         "front=>orders:Messaging::PubSub 1, orders:Messaging::PubSub=>worker 1"),
    Case("M12 Azure's SDKs, whose message spans name no operation; the send fails", "wrong",
         [front(), *[Span("front", "P", 1, AZURE)] * 2,
          Span("front", "C", 1, {**AZURE, "messaging.operation.type": "publish"}, links=[2, 3], failed=True)],
         "front 1, orders:Messaging::EventHubs 1 fault | client->front 1, front->orders:Messaging::EventHubs 1 fault"),
    Case("M13 a message that Dapr's sidecars publish and deliver", "wrong",
         [front(), Span("front", "C", 1, {**DAPR, "dapr.protocol": "http"}),
          Span("worker", "C", 2, DAPR, at=700, takes=50, name="pubsub/orders"), Span("worker", "S", 3, GET, at=705, takes=40),
          Span("worker", "C", 4, SQL, at=710, takes=20)],
         "front 1, o@pg:Database::SQL 1, orders:Messaging::Pubsub 1, worker 1 | client->front 1, "
         "front->orders:Messaging::Pubsub 1, orders:Messaging::Pubsub=>worker 1, worker->o@pg:Database::SQL 1"),
    Case("M8 a consumer without a traced producer", "wrong", [Span("worker", "Q", 0, PROCESS)],
         "orders:Messaging::Kafka, worker 1 | orders:Messaging::Kafka=>worker 1"),
    Case("M9 a RabbitMQ message between two services", "wrong",
         [front(), Span("front", "P", 1, {"messaging.system": "rabbitmq", "messaging.destination.name": "log"}),
          Span("recorder", "Q", 2, {"messaging.system": "rabbitmq", "messaging.destination.name": "log"})],
         "front 1, log:Messaging::RabbitMQ 1, recorder 1 | client->front 1, front->log:Messaging::RabbitMQ 1, "
         "log:Messaging::RabbitMQ=>recorder 1"),
)  # fmt: skip


def calls(*attributes: Any) -> list[Span]:
    """A request of front that makes calls."""
    return [front(), *(Span("front", "C", 1, each) for each in attributes)]


def called(*nodes: str) -> str:
    """The map of `calls` that lead to nodes, each with how often and how."""
    found = sorted(nodes)
    edges = sorted(["client->front 1", *(f"front->{each}" for each in nodes)])
    return f"{', '.join(sorted(['front 1', *found]))} | {', '.join(edges)}"


def failing(attributes: Any) -> list[Span]:
    return [front(), Span("front", "C", 1, {**CHAT, **attributes}, failed=True)]


NAMES = (
    Case("H2 service.peer.name", "wrong", calls({"service.peer.name": "pay", "server.address": "h1"}), called("pay:remote 1")),
    Case("F1 functions of two clouds with one name", "wrong",
         calls({"faas.invoked_name": "f", "faas.invoked_provider": "aws"}, {"faas.invoked_name": "f", "faas.invoked_provider": "gcp"}),
         called("f:AWS::Lambda 1", "f:GCP::CloudFunctions 1")),
    Case("D2 db.namespace with a schema", "wrong",
         calls({"db.system.name": "postgresql", "db.namespace": "o|public", "server.address": "pg"}, SQL),
         called("o@pg:Database::SQL 2")),
    Case("D8 an embedded database as an INTERNAL span", "wrong",
         [front(), Span("front", "I", 1, {"db.system.name": "sqlite", "db.namespace": "app.db"})], called("app.db:Database::SQL 1")),
    Case("G1 a call without an address", "wrong", calls({"dns.question.name": "h"}), "front 1 | client->front 1"),
    Case("G2 loopback of two services", "wrong",
         [front(), Span("front", "C", 1, http("127.0.0.1", **{"server.port": 8001})),
          Span("other", "S", 0, GET, trace=2), Span("other", "C", 3, http("localhost", **{"server.port": 9002}), trace=2)],
         "front 1, localhost:8001 (front):remote 1, localhost:9002 (other):remote 1, other 1 | client->front 1, "
         "client->other 1, front->localhost:8001 (front):remote 1, other->localhost:9002 (other):remote 1"),
    Case("P1 types of other clouds", "wrong",
         [Span(name, "S", 0, GET, {"cloud.platform": platform}, trace=n) for n, (name, platform) in enumerate(
             (("a", "azure.functions"), ("b", "azure_app_service"), ("c", "azure.aks"), ("d", "gcp_cloud_run"),
              ("e", "gcp_kubernetes_engine"), ("f", "alibaba_cloud_fc")), 1)],
         "a:Azure::Functions 1, b:Azure::AppService 1, c:Azure::AKS 1, d:GCP::CloudRun 1, e:GCP::KubernetesEngine 1, "
         "f:Alibaba::FunctionCompute 1 | client->a:Azure::Functions 1, client->b:Azure::AppService 1, client->c:Azure::AKS 1, "
         "client->d:GCP::CloudRun 1, client->e:GCP::KubernetesEngine 1, client->f:Alibaba::FunctionCompute 1"),
    Case("P2 one name in two namespaces", "wrong",
         [Span("api", "S", 0, GET, {"service.namespace": each}, trace=n) for n, each in enumerate(("shop", "crm", "shop"), 1)],
         "crm/api 1, shop/api 2 | client->crm/api 1, client->shop/api 2"),
    Case("P3 a table of two accounts", "wrong",
         [each for n in (1, 2) for each in (
             Span("fn", "S", 0, GET, {**AWS, "cloud.account.id": f"{n}" * 12}, trace=n),
             Span("fn", "C", 2 * n - 1, TABLE, {**AWS, "cloud.account.id": f"{n}" * 12}, trace=n))],
         "fn@111111111111 1, fn@222222222222 1, tab:AWS::DynamoDB::Table@111111111111 1, "
         "tab:AWS::DynamoDB::Table@222222222222 1 | client->fn 1, client->fn 1, fn->tab:AWS::DynamoDB::Table 1, "
         "fn->tab:AWS::DynamoDB::Table 1"),
    Case("G3 gRPC, old code and new", "right",
         calls({"rpc.system": "grpc", "rpc.service": "c.S", "server.address": "b", "rpc.grpc.status_code": 8},
               {"rpc.system.name": "grpc", "rpc.method": "c.S/Get", "server.address": "b", "rpc.response.status_code": "NOT_FOUND"}),
         called("b:remote 1 error 1 throttle")),
    Case("G3b gRPC servers, the code of .NET and of Envoy", "wrong",
         [Span("s", "S", 0, {**GET, "grpc.status_code": code}, trace=n) for n, code in enumerate(("0", "5", "8", "13"), 1)],
         "s 1 1 error 1 throttle 1 fault | client->s 1 1 error 1 throttle 1 fault"),
    Case("G3c gRPC servers, the name of Micrometer", "wrong",
         [Span("s", "S", 0, {"grpc.status_code": name}, trace=n) for n, name in enumerate(("OK", "NOT_FOUND", "RESOURCE_EXHAUSTED", "INTERNAL"), 1)],
         "s 1 1 error 1 throttle 1 fault | client->s 1 1 error 1 throttle 1 fault"),
    Case("G3d Connect, whose server leaves the status to the code", "wrong",
         [Span("s", "S", 0, {"rpc.system": "connect_rpc", "rpc.connect_rpc.error_code": name}, trace=n)
          for n, name in enumerate(("not_found", "canceled", "resource_exhausted", "unavailable"), 1)],
         "s 2 error 1 throttle 1 fault | client->s 2 error 1 throttle 1 fault"),
    Case("G4 HTTP, old attributes and new", "right",
         calls({"http.method": "GET", "http.url": "http://b/x", "http.status_code": 404}, http("b", 404)), called("b:remote 2 error")),
    Case("G4b HTTP, as Spring Boot 3 observes it by default", "wrong",
         [*[Span("s", "S", 0, {**SPRING, "status": status, "outcome": outcome}, trace=n) for n, (status, outcome) in enumerate(
             (("200", "SUCCESS"), ("404", "CLIENT_ERROR"), ("429", "CLIENT_ERROR"), ("500", "SERVER_ERROR"), ("UNKNOWN", "UNKNOWN")), 1)],
          Span("s", "C", 1, {**SPRING, "client.name": "b", "http.url": "http://b/x", "status": "503", "outcome": "SERVER_ERROR"})],
         "b:remote 1 fault, s 2 1 error 1 throttle 1 fault | client->s 2 1 error 1 throttle 1 fault, s->b:remote 1 fault"),
    Case("G4c a status and an outcome that are not HTTP's", "right",
         [Span("s", "S", 0, {"method": "card", "status": "404", "outcome": "declined"})], "s 1 | client->s 1"),
    Case("G5 addresses", "right", calls(http("10.0.0.7"), http("2001:db8::1")), called("10.0.0.7:remote 1", "2001:db8::1:remote 1")),
    Case("G5b a host, however clients write it", "wrong",
         calls(*map(http, ("b", "B", "b.", "b:50051", "dns:b:50051", "dns:///b:50051", "dns://8.8.8.8/b:50051", "passthrough:///b:50051",
                           "xds:///b", "https://B:443/x")),
               {"http.host": "b.:80"}, {"url.full": "http://B.:80/x"}, {"net.sock.peer.addr": "b:80"},
               {"aws.remote.service": "B:8080"}), called("b:remote 14")),
    Case("G5c IPv6, however clients write it", "wrong",
         calls(*map(http, ("2001:DB8::1", "[2001:db8::1]", "[2001:db8::1]:443", "ipv6:[2001:db8::1]:443", "dns:///[2001:DB8::1]:443")),
               {"url.full": "http://[2001:db8::1]:80/x"}), called("2001:db8::1:remote 6")),
    Case("G5d what is not one host", "right",
         calls(*map(http, ("unix:///tmp/S", "/tmp/S", "DB1\\X", "a:1,B:2", "arn:aws:s3:::B", "tcp:DB1,1433", "b:Http", "fe80::1:443"))),
         called(*(f"{each}:remote 1" for each in
                  ("unix:///tmp/S", "/tmp/S", "DB1\\X", "a:1,B:2", "arn:aws:s3:::B", "tcp:DB1,1433", "b:Http", "fe80::1:443")))),
    Case("G5e databases, with the port in the address or without a scheme", "wrong",
         calls(*({"db.system": "redis", **each} for each in (
             {"server.address": "r"}, {"server.address": "R.:6379"}, {"db.connection_string": "r:6379"},
             {"db.connection_string": "redis://r:6379/0"}))), called("r:Database::Redis 4")),
    Case("G5f this machine with the port in the address", "wrong",
         calls(http("localhost:8001"), http("[::1]:8001"), http("dns:///LOCALHOST:8001"), {"aws.remote.service": "localhost:8001"},
               http("127.0.0.1:1", **{"server.port": 8001})), called("localhost:8001 (front):remote 5")),
    Case("G5g a name that is given stays", "right", calls({"aws.remote.service": "Pay"}, {"peer.service": "Pay"}), called("Pay:remote 2")),
    Case("G6 temporary queues", "right",
         [front(), *[Span("front", "P", 1, {"messaging.system": "nats", "messaging.destination.name": f"_INBOX.{n}",
                                            "messaging.destination.temporary": True}) for n in (1, 2)]],
         called("(temporary):Messaging::NATS 2")),
    Case("G7 brokers of many kinds", "right",
         [front(), *[Span("front", "P", 1, {"messaging.system": each, "messaging.destination.name": "t"})
                     for each in ("gcp_pubsub", "servicebus", "eventhubs", "eventgrid", "pulsar", "rocketmq", "jms")]],
         called("t:Messaging::PubSub 1", "t:Messaging::ServiceBus 1", "t:Messaging::EventHubs 1", "t:Messaging::EventGrid 1",
                "t:Messaging::Pulsar 1", "t:Messaging::RocketMQ 1", "t:Messaging::JMS 1")),
    Case("G8 GraphQL", "right", [front(), Span("front", "I", 1, {"graphql.operation.name": "q"})], "front 1 | client->front 1"),
    *(Case(f"D {old}, old attributes and new", "right",
           calls({"db.system": old, "db.name": name[0], "net.peer.name": "h"}, {"db.system.name": new, "db.namespace": name[0], "server.address": "h"}),
           called(f"{name.replace('0', 'h')}:Database::{type} 2"))
      for old, new, name, type in (
          ("postgresql", "postgresql", "n@h", "SQL"), ("mssql", "microsoft.sql_server", "n@h", "SQL"),
          ("oracle", "oracle.db", "n@h", "SQL"), ("redis", "redis", "0", "Redis"), ("mongodb", "mongodb", "n@h", "MongoDB"),
          ("cosmosdb", "azure.cosmosdb", "n@h", "CosmosDB"), ("spanner", "gcp.spanner", "n@h", "SQL"),
          ("cassandra", "cassandra", "n@h", "Cassandra"), ("clickhouse", "clickhouse", "n@h", "SQL"),
          ("pinecone", "pinecone", "n@h", "Pinecone"), ("milvus", "milvus", "n@h", "Milvus"))),
)  # fmt: skip
AGENTS = (
    Case("A1 an agent", "wrong", calls({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "guide"}),
         called("guide:GenAI::Agent 1")),
    Case("A2 a tool", "wrong", [front(), Span("front", "I", 1, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"})],
         called("search:GenAI::Tool 1")),
    Case("A3 MCP over stdio", "wrong", calls({"mcp.method.name": "tools/call", "gen_ai.tool.name": "search", "network.transport": "pipe"}),
         called("search:GenAI::MCP 1")),
    Case("A4 a model, whatever it is called", "wrong",
         calls({**CHAT, "gen_ai.request.model": "a"}, {**CHAT, "gen_ai.request.model": "b"}), called("openai:GenAI::Model 2")),
    Case("A4b a model, as OpenLLMetry and as the conventions spell its provider", "wrong",
         calls(CHAT, {"gen_ai.system": "OpenAI"}, {"gen_ai.system": "MistralAI"}, {"gen_ai.provider.name": "mistral_ai"}),
         called("openai:GenAI::Model 2", "mistral_ai:GenAI::Model 2")),
    Case("A5 Bedrock by aws-api", "right", calls({"rpc.system": "aws-api", "rpc.service": "Bedrock Runtime", "gen_ai.system": "aws.bedrock"}),
         called("BedrockRuntime:AWS::BedrockRuntime 1")),
    Case("F1a error.type 429", "wrong", failing({"error.type": "429"}), called("openai:GenAI::Model 1 throttle")),
    Case("F1b error.type 404", "wrong", failing({"error.type": "404"}), called("openai:GenAI::Model 1 error")),
    Case("F1c RateLimitError with its code", "wrong",
         [front(), Span("front", "C", 1, {**CHAT, "error.type": "RateLimitError", "exception.message": "Error code: 429"}, failed=True)],
         called("openai:GenAI::Model 1 throttle")),
    Case("F1d ThrottlingException", "wrong", failing({"error.type": "ThrottlingException"}), called("openai:GenAI::Model 1 throttle")),
    Case("F1e an explicit status", "wrong", failing({"http.response.status_code": 429}), called("openai:GenAI::Model 1 throttle")),
    Case("F1f error.type 500", "wrong", failing({"error.type": "500"}), called("openai:GenAI::Model 1 fault")),
    Case("F1g a class that says nothing", "wrong", failing({"error.type": "TimeoutError"}), called("openai:GenAI::Model 1 fault")),
)  # fmt: skip
ROOTS = (
    Case("R1 a look-up at start-up", "wrong", [Span("node", "C", 0, {"dns.question.name": "h"})], "node (1) | "),
    Case("R2 a table that main creates", "wrong", [Span("stock", "I"), Span("stock", "C", 1, SQL)],
         "o@pg:Database::SQL 1, stock (1) | stock->o@pg:Database::SQL 1"),
    Case("R3 requests and jobs of one service", "wrong", [Span("stock", "S", 0, GET), Span("stock", "I", trace=2)],
         "stock 1 (1) | client->stock 1"),
    Case("S1 sampled by ot=th", "right", [front(state="ot=th:e"), Span("front", "C", 1, SQL, state="ot=th:e")],
         "front 8, o@pg:Database::SQL 8 | client->front 8, front->o@pg:Database::SQL 8"),
    Case("S2 sampled by an older ot=p", "wrong", [front(state="ot=p:3;r:5"), Span("front", "C", 1, SQL, state="ot=p:3;r:5")],
         "front 8, o@pg:Database::SQL 8 | client->front 8, front->o@pg:Database::SQL 8"),
)  # fmt: skip
CASES = (*OWNERS, *NESTED, *MESSAGES, *NAMES, *AGENTS, *ROOTS)

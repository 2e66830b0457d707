"""Whom a call leads to, in the attributes of many releases and languages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.decode.document import decode_document
from store.model import NO_NODE, NodeKey
from store.otel.to_xray import render_span
from tests.collector.otlp_samples import (
    CLIENT,
    INTERNAL,
    PARENT,
    PRODUCER,
    SERVER,
    decode,
    span,
)

AWS = {"rpc.system": "aws-api"}
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
LAMBDA = "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:news"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:order-flow"

AWS_CALLS: list[tuple[dict[str, Any], str, str]] = [
    ({"rpc.service": "DynamoDB", "aws.dynamodb.table_names": ["orders"]}, "orders", "AWS::DynamoDB::Table"),
    ({"rpc.service": "DynamoDb", "aws.table.name": "orders"}, "orders", "AWS::DynamoDB::Table"),
    ({"rpc.service": "DynamoDB", "aws.table_name": "orders"}, "orders", "AWS::DynamoDB::Table"),
    ({"rpc.service": "DynamoDB", "aws.dynamodb.table_names": ["a", "b"]}, "a", "AWS::DynamoDB::Table"),
    ({"rpc.service": "DynamoDB"}, "DynamoDB", "AWS::DynamoDB"),
    ({"rpc.service": "SQS", "aws.queue.url": QUEUE_URL}, "orders", "AWS::SQS::Queue"),
    ({"rpc.service": "Sqs", "messaging.url": QUEUE_URL}, "orders", "AWS::SQS::Queue"),
    ({"rpc.service": "SQS", "aws.sqs.queue.url": QUEUE_URL}, "orders", "AWS::SQS::Queue"),
    ({"rpc.service": "SQS", "aws.queue_url": "https://eu-west-1.queue.amazonaws.com/123456789012/orders"},
     "orders", "AWS::SQS::Queue"),
    ({"rpc.service": "SQS", "messaging.destination.name": "orders"}, "orders", "AWS::SQS::Queue"),
    # Go's instrumentation (otelaws 0.72)
    ({"rpc.method": "SQS/SendMessage", "server.address": QUEUE_URL}, "orders", "AWS::SQS::Queue"),
    ({"rpc.service": "SQS", "server.address": "sqs.eu-west-1.amazonaws.com"}, "SQS", "AWS::SQS"),
    # Java's agent 2.10 and 2.33
    ({"rpc.service": "Lambda", "url.full": f"{LAMBDA}/resize/invocations"}, "resize", "AWS::Lambda"),
    ({"rpc.service": "Lambda", "url.full": f"{LAMBDA}/resize%3Alive/invocations"}, "resize",
     "AWS::Lambda"),
    ({"rpc.service": "Lambda", "url.full": LAMBDA}, "Lambda", "AWS::Lambda"),
    ({"rpc.service": "SNS", "aws.sns.topic.arn": TOPIC}, "news", "AWS::SNS"),
    ({"rpc.service": "SNS", "messaging.destination.name": TOPIC}, "news", "AWS::SNS"),
    ({"rpc.service": "S3", "aws.s3.bucket": "photos"}, "photos", "AWS::S3::Bucket"),
    ({"rpc.service": "S3", "aws.bucket.name": "photos"}, "photos", "AWS::S3::Bucket"),
    ({"rpc.service": "Amazon S3"}, "S3", "AWS::S3"),
    ({"rpc.service": "Lambda", "faas.invoked_name": "resize"}, "resize", "AWS::Lambda"),
    ({"rpc.service": "Lambda", "aws.lambda.function.name": "resize:live"}, "resize", "AWS::Lambda"),
    # OpenTelemetry's convention for any cloud's function, without the rest of AWS's
    ({"rpc.system": "", "faas.invoked_name": "resize", "faas.invoked_provider": "aws"}, "resize",
     "AWS::Lambda"),
    ({"rpc.service": "Kinesis", "aws.kinesis.stream_name": "clicks"}, "clicks", "AWS::Kinesis::Stream"),
    ({"rpc.service": "Kinesis", "aws.stream.name": "clicks"}, "clicks", "AWS::Kinesis::Stream"),
    ({"rpc.service": "SFN", "aws.step_functions.state_machine.arn": MACHINE}, "order-flow",
     "AWS::StepFunctions::StateMachine"),
    ({"rpc.service": "Secrets Manager"}, "SecretsManager", "AWS::SecretsManager"),
    ({"rpc.service": "Bedrock Runtime", "gen_ai.system": "aws.bedrock"}, "BedrockRuntime",
     "AWS::BedrockRuntime"),
    ({"rpc.method": "S3/ListBuckets"}, "S3", "AWS::S3"),
    ({"aws.remote.service": "AWS::DynamoDB", "aws.remote.resource.type": "AWS::DynamoDB::Table",
      "aws.remote.resource.identifier": "orders"}, "orders", "AWS::DynamoDB::Table"),
]  # fmt: skip

OTHER_CALLS: list[tuple[dict[str, Any], str, str]] = [
    # databases
    ({"db.system": "postgresql", "db.name": "shop", "net.peer.name": "db1"}, "shop@db1", "Database::SQL"),
    ({"db.system.name": "postgresql", "db.namespace": "shop", "server.address": "db1"}, "shop@db1",
     "Database::SQL"),
    ({"db.system": "mysql", "db.name": "shop"}, "shop", "Database::SQL"),
    ({"db.system": "mysql", "server.address": "db1"}, "db1", "Database::SQL"),
    ({"db.system": "sqlite"}, "sqlite", "Database::SQL"),
    ({"db.system": "oracle", "db.name": "crm", "db.connection_string": "jdbc:oracle://db9:1521"},
     "crm@db9", "Database::SQL"),
    ({"db.system": "redis", "net.peer.name": "cache", "db.name": "0"}, "cache", "Database::Redis"),
    ({"db.system.name": "redis", "server.address": "cache", "db.namespace": "3"}, "cache",
     "Database::Redis"),
    ({"db.system": "mongodb", "db.name": "crm", "net.peer.name": "m1"}, "crm@m1", "Database::MongoDB"),
    ({"db.system": "elasticsearch", "url.full": "https://es.example.com:9200/x"}, "es.example.com",
     "Database::Elasticsearch"),
    ({"db.system": "cassandra", "db.cassandra.keyspace": "ks"}, "ks", "Database::Cassandra"),
    ({"db.system": "my_own-db"}, "my_own-db", "Database::MyOwnDb"),
    ({"db.system": "postgresql", "db.namespace": "orders|public", "server.address": "db1"}, "orders@db1",
     "Database::SQL"),
    ({"db.system.name": "microsoft.sql_server", "db.namespace": "east|orders"}, "orders",
     "Database::SQL"),
    ({"db.system": "postgresql", "db.name": "shop", "server.address": "localhost"}, "shop@localhost",
     "Database::SQL"),
    ({"db.system": "redis", "net.peer.name": "127.0.0.1", "net.peer.port": 6379}, "127.0.0.1",
     "Database::Redis"),
    ({"db.system": "dynamodb", "aws.dynamodb.table_names": ["orders"]}, "orders", "AWS::DynamoDB::Table"),
    ({"db.system.name": "aws.dynamodb", "db.collection.name": "orders"}, "orders",
     "AWS::DynamoDB::Table"),
    # queues and topics
    ({"messaging.system": "aws_sqs", "messaging.destination.name": "orders"}, "orders",
     "AWS::SQS::Queue"),
    ({"messaging.system": "AmazonSQS", "messaging.destination": "orders"}, "orders", "AWS::SQS::Queue"),
    ({"messaging.system": "aws_sns", "messaging.destination.name": TOPIC}, "news", "AWS::SNS"),
    ({"messaging.system": "aws_kinesis", "messaging.destination.name": "clicks"}, "clicks",
     "AWS::Kinesis::Stream"),
    ({"messaging.system": "kafka", "messaging.destination.name": "orders"}, "orders",
     "Messaging::Kafka"),
    ({"messaging.system": "kafka", "messaging.destination": "orders"}, "orders", "Messaging::Kafka"),
    ({"messaging.system": "rabbitmq", "messaging.destination.name": "q-7",
      "messaging.destination.template": "q-{n}"}, "q-{n}", "Messaging::RabbitMQ"),
    ({"messaging.system": "rabbitmq", "messaging.destination.name": "amq.gen-1",
      "messaging.destination.anonymous": True}, "(anonymous)", "Messaging::RabbitMQ"),
    ({"messaging.system": "nats", "messaging.destination.name": "_INBOX.1",
      "messaging.destination.temporary": True}, "(temporary)", "Messaging::NATS"),
    ({"messaging.system": "gcp_pubsub"}, "PubSub", "Messaging::PubSub"),
    # functions
    ({"faas.invoked_name": "resize", "faas.invoked_provider": "gcp"}, "resize", "GCP::CloudFunctions"),
    ({"faas.invoked_name": "resize", "faas.invoked_provider": "azure", "server.address": "h"}, "resize",
     "Azure::Functions"),
    ({"faas.invoked_name": "resize", "faas.invoked_provider": "alibaba_cloud"}, "resize",
     "Alibaba::FunctionCompute"),
    ({"faas.invoked_name": "resize", "faas.invoked_provider": "tencent_cloud"}, "resize",
     "Tencent::ServerlessCloudFunction"),
    ({"faas.invoked_name": "resize", "faas.invoked_provider": "own"}, "resize", "remote"),
    # MCP servers, agents, models: named by provider, whatever the model
    ({"mcp.method.name": "tools/call", "gen_ai.tool.name": "search", "server.address": "mcp.example.com"},
     "mcp.example.com", "GenAI::MCP"),
    ({"mcp.method.name": "tools/call", "gen_ai.tool.name": "search", "network.transport": "pipe"},
     "search", "GenAI::MCP"),
    ({"mcp.method.name": "initialize", "peer.service": "tools"}, "tools", "remote"),
    ({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner",
      "gen_ai.provider.name": "openai"}, "planner", "GenAI::Agent"),
    ({"gen_ai.operation.name": "create_agent", "gen_ai.agent.id": "asst_5"}, "asst_5", "GenAI::Agent"),
    ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "gen_ai.system": "openai"},
     "search", "GenAI::Tool"),
    ({"gen_ai.operation.name": "execute_tool", "gen_ai.system": "openai"}, "openai", "GenAI::Model"),
    ({"gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "openai"}, "openai",
     "GenAI::Model"),
    ({"gen_ai.operation.name": "chat", "gen_ai.agent.name": "planner", "gen_ai.system": "openai",
      "gen_ai.request.model": "gpt-5"}, "openai", "GenAI::Model"),
    ({"gen_ai.system": "openai", "server.address": "api.openai.com"}, "openai", "GenAI::Model"),
    ({"gen_ai.provider.name": "anthropic", "peer.service": "llm"}, "anthropic", "GenAI::Model"),
    ({"gen_ai.system": "az.ai.openai"}, "azure.ai.openai", "GenAI::Model"),
    ({"gen_ai.provider.name": "azure.ai.openai"}, "azure.ai.openai", "GenAI::Model"),
    # hosts and services
    ({"http.method": "GET", "http.url": "https://a.example.com:8443/x"}, "a.example.com", "remote"),
    ({"http.request.method": "GET", "url.full": "http://u:p@a.example.com/x"}, "a.example.com", "remote"),
    ({"server.address": "a.example.com", "server.port": 443}, "a.example.com", "remote"),
    ({"net.peer.name": "a.example.com"}, "a.example.com", "remote"),
    ({"http.host": "a.example.com:8443"}, "a.example.com", "remote"),
    ({"network.peer.address": "10.0.0.7"}, "10.0.0.7", "remote"),
    ({"http.url": "http://[2001:db8::1]:8000/"}, "2001:db8::1", "remote"),
    ({"net.sock.peer.addr": "10.0.0.7", "net.sock.peer.port": 80}, "10.0.0.7", "remote"),
    ({"service.peer.name": "pay", "server.address": "10.0.0.7"}, "pay", "remote"),
    ({"service.peer.name": "pay", "peer.service": "old"}, "pay", "remote"),
    ({"peer.service": "pay", "server.address": "10.0.0.7"}, "pay", "remote"),
    ({"aws.remote.service": "pay", "peer.service": "x"}, "pay", "remote"),
    ({"aws.remote.service": "UnknownRemoteService", "server.address": "h"}, "h", "remote"),
    ({"rpc.system": "grpc", "rpc.service": "shop.Cart", "server.address": "cart"}, "cart", "remote"),
    ({"rpc.system": "grpc", "rpc.service": "shop.Cart", "rpc.method": "Add"}, "shop.Cart", "remote"),
    ({"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Add"}, "shop.Cart", "remote"),
    ({"peer.service": "x" * 300}, "x" * 200, "remote"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "name", "type"), [({**AWS, **a}, n, t) for a, n, t in AWS_CALLS] + OTHER_CALLS
)
def test_node(attributes: dict[str, Any], name: str, type: str) -> None:
    """One node for a callee, whichever convention names it; never the verb."""
    for kind in (CLIENT, PRODUCER):
        if kind == PRODUCER and type == "remote":
            type = "Messaging::Other"
        document = decode(span(kind, attributes))
        call = document.calls[0]
        named = "123456789012" in str(attributes)  # in an ARN, or a queue's URL
        account, region = ("123456789012", "eu-west-1") if named else ("", "")
        assert call.node == NodeKey(account, name, type, region)
        rendered = render_span(document.raw)
        assert rendered["namespace"] == ("aws" if type.startswith("AWS::") else "remote")
        assert rendered["name"] == (call.service if type.startswith("AWS::") else name)


LOOPBACK: list[tuple[dict[str, Any], str]] = [
    ({"server.address": "localhost", "server.port": 8001}, "localhost:8001 (shop)"),
    ({"net.peer.name": "127.0.0.1", "net.peer.port": 8001}, "localhost:8001 (shop)"),
    ({"http.url": "http://[::1]:8001/x"}, "localhost:8001 (shop)"),
    ({"http.host": "LocalHost:8001"}, "localhost:8001 (shop)"),
    ({"network.peer.address": "127.8.0.1", "network.peer.port": "8001"}, "localhost:8001 (shop)"),
    ({"url.full": "http://0.0.0.0/x"}, "localhost (shop)"),
    ({"url.full": "http://localhost:99999/x"}, "localhost (shop)"),
    ({"server.address": "127.0.0.1.nip.io"}, "127.0.0.1.nip.io"),
    ({"rpc.system": "grpc", "rpc.service": "Cart", "server.address": "localhost", "server.port": 50051},
     "localhost:50051 (shop)"),
    ({"server.address": "localhost", "server.port": 8001, "aws.local.service": "till"},
     "localhost:8001 (till)"),
    ({"server.address": "localhost", "server.port": 8001, "peer.service": "pay"}, "pay"),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "name"), LOOPBACK)
def test_loopback(attributes: dict[str, Any], name: str) -> None:
    """At a loopback address is another process for each caller; after an export to X-Ray, too."""
    document = decode(span(CLIENT, attributes))
    assert document.calls[0].node == NodeKey("", name, "remote")
    raw = json.dumps(render_span(document.raw)).encode()
    assert decode_document(raw, 0).calls[0].node == document.calls[0].node


EMBEDDED = {"db.system.name": "sqlite", "db.namespace": "app.db"}


@pytest.mark.parametrize("kind", [0, INTERNAL])
@pytest.mark.parametrize("parent", [b"", PARENT])
def test_embedded_database(kind: int, parent: bytes) -> None:
    """Its queries are calls though nothing leaves the process; Java's getConnection is no query."""
    (call,) = decode(span(kind, EMBEDDED, parent=parent)).calls
    assert call.node == NodeKey("", "app.db", "Database::SQL")
    for key in ("code.function.name", "code.function"):
        assert not decode(span(kind, {**EMBEDDED, key: "getConnection"}, parent=parent)).calls


def test_region_of_a_function() -> None:
    named = {"faas.invoked_name": "resize", "faas.invoked_provider": "aws"}
    document = decode(span(CLIENT, {**named, "faas.invoked_region": "eu-west-1"}))
    assert document.calls[0].node == NodeKey("", "resize", "AWS::Lambda", "eu-west-1")


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.method": "GET"},
        {"http.url": "http://[broken/"},
        {"peer.service": 7, "server.address": ["x"]},
        {"rpc.method": "Add"},
        {"mcp.method.name": "initialize"},
        {"aws.remote.service": "UnknownRemoteService"},
    ],
)
@pytest.mark.parametrize("name", ["GET", "charge card"])
def test_nothing_named(attributes: dict[str, Any], name: str) -> None:
    """What names no callee calls nothing unless it is answered, and never a node called like the span."""
    document = decode(span(CLIENT, attributes, name=name))
    root = decode(span(CLIENT, attributes, name=name, parent=b""))
    assert document.node.name == root.node.name == "shop"
    for each in (document, root):
        assert [(call.node, call.service, call.host) for call in each.calls] == [(NO_NODE, "", "")]
    assert "namespace" not in str(render_span(document.raw)) + str(render_span(root.raw))


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ({}, "shop"),
        ({"service.namespace": "eu"}, "eu/shop"),
        ({"service.namespace": "eu", "cloud.platform": "aws_lambda"}, "shop"),
    ],
)
def test_namespace(resource: dict[str, Any], name: str) -> None:
    """It is part of the node's name, but of a function's; the service and its X-Ray document are called as before."""
    for kind in (SERVER, INTERNAL, CLIENT):
        document = decode(
            span(kind, {"url.full": "http://localhost:8001/"}, parent=PARENT), resource=resource
        )
        assert (document.node.name, document.service) == (name, "shop")
        for call in document.calls:
            assert call.node.name == f"localhost:8001 ({name})"
    entry = decode(span(SERVER), resource=resource)
    assert render_span(entry.raw)["name"] == "shop"


HERE = {"cloud.account.id": "111122223333", "cloud.region": "us-east-1"}
TABLE = {**AWS, "rpc.service": "DynamoDB", "aws.table.name": "orders"}


@pytest.mark.parametrize(
    ("attributes", "account", "region"),
    [
        (TABLE, "111122223333", "us-east-1"),
        ({**TABLE, "aws.account_id": "444455556666"}, "444455556666", "us-east-1"),
        ({**TABLE, "cloud.region": "us-west-2"}, "111122223333", "us-west-2"),
        ({**AWS, "rpc.service": "S3", "aws.s3.bucket": "orders"}, "", ""),
        ({**AWS, "rpc.service": "SNS", "messaging.destination.name":
          "arn:aws:sns:eu-west-1:444455556666:orders"}, "444455556666", "eu-west-1"),
        ({**AWS, "rpc.service": "SQS", "aws.queue_url":
          "https://sqs.eu-west-1.amazonaws.com/444455556666/orders"}, "444455556666", "eu-west-1"),
        ({**AWS, "rpc.service": "SQS", "aws.queue_url":
          "https://eu-west-1.queue.amazonaws.com/444455556666/orders"}, "444455556666", "eu-west-1"),
        ({**AWS, "rpc.service": "SQS", "aws.queue_url": "http://localhost:4566/000000000000/orders"},
         "111122223333", "us-east-1"),
        ({"server.address": "orders"}, "", ""),
    ],
)  # fmt: skip
def test_place_of_a_call(attributes: dict[str, Any], account: str, region: str) -> None:
    """An AWS resource that names no account or region is in its caller's, also after an export to X-Ray and
    back; a bucket is in none."""
    document = decode(span(CLIENT, attributes), resource=HERE)
    (call,) = document.calls
    assert (call.node.account, call.node.name, call.node.region) == (account, "orders", region)
    raw = json.dumps(render_span(document.raw)).encode()
    assert decode_document(raw, 0).calls[0].node == call.node


@pytest.mark.parametrize("key", ["cloud.region", "aws.region", "aws.remote.resource.region"])
def test_region_of_a_call(key: str) -> None:
    document = decode(span(CLIENT, {**TABLE, key: "us-west-2"}))
    assert document.calls[0].node == NodeKey("", "orders", "AWS::DynamoDB::Table", "us-west-2")
    raw = json.dumps(render_span(document.raw)).encode()
    assert decode_document(raw, 0).calls[0].node == document.calls[0].node


@pytest.mark.parametrize(
    "given",
    [
        {"cloud.region": "us-west-2", "cloud.availability_zone": "us-east-1a"},
        {"aws.region": "us-west-2"},
        {"cloud.availability_zone": "us-west-2b"},
        {"aws.log.group.arns": ["arn:aws:logs:us-west-2:123456789012:log-group:x"]},
        {"cloud.resource_id": "arn:aws:ecs:us-west-2::service/x", "cloud.provider": "gcp"},
    ],
)
def test_region_of_a_service(given: dict[str, Any]) -> None:
    """Of the resource, also after an export to X-Ray and back; never of the span's callee."""
    for shape in (span(SERVER), span(CLIENT, parent=b"", attributes={"peer.service": "x"})):
        document = decode(shape, resource=given)
        assert document.node.region == "us-west-2"
        raw = json.dumps(render_span(document.raw)).encode()
        assert decode_document(raw, 0).node == document.node


@pytest.mark.parametrize(
    ("former", "newest"),
    [
        ("adabas", "softwareag.adabas"),
        ("cache", "intersystems.cache"),
        ("cosmosdb", "azure.cosmosdb"),
        ("db2", "ibm.db2"),
        ("firebird", "firebirdsql"),
        ("h2", "h2database"),
        ("hanadb", "sap.hana"),
        ("informix", "ibm.informix"),
        ("ingres", "actian.ingres"),
        ("maxdb", "sap.maxdb"),
        ("mssql", "microsoft.sql_server"),
        ("netezza", "ibm.netezza"),
        ("oracle", "oracle.db"),
        ("redshift", "aws.redshift"),
        ("spanner", "gcp.spanner"),
    ],
)
def test_renamed_databases(former: str, newest: str) -> None:
    """A database remains one node when its client's instrumentation takes the stable convention's name for it."""
    place = {"server.address": "db1"}
    before = decode(span(CLIENT, {"db.system": former, "db.name": "crm", **place}))
    after = decode(span(CLIENT, {"db.system.name": newest, "db.namespace": "crm", **place}))
    assert before.calls[0].node == after.calls[0].node

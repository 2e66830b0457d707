"""Node identity and origins, case by case (docs/xray-format.md §4.3, §5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from store.model import NodeKey
from store.rules.identity import (
    account_of,
    call_node,
    further_nodes,
    inferred_origin,
    region_of,
    resource_names,
    segment_node,
)


@pytest.mark.parametrize(
    ("name", "aws", "node", "service"),
    [
        ("dynamodb", {"table_name": "orders"}, ("orders", "AWS::DynamoDB::Table"), "DynamoDB"),
        ("DynamoDB", {"table_names": ["a", "b"]}, ("a", "AWS::DynamoDB::Table"), "DynamoDB"),
        (
            "dynamodb",
            {"table_names": "dict_keys(['orders', 'carts'])"},
            ("orders", "AWS::DynamoDB::Table"),
            "DynamoDB",
        ),
        ("DynamoDB", {"resource_names": ["t"]}, ("t", "AWS::DynamoDB::Table"), "DynamoDB"),
        ("DynamoDB", {}, ("DynamoDB", "AWS::DynamoDB"), "DynamoDB"),
        ("s3", {"bucket_name": "pictures"}, ("pictures", "AWS::S3::Bucket"), "S3"),
        ("AmazonS3", {}, ("S3", "AWS::S3"), "S3"),
        (
            "sqs",
            {"queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs"},
            ("jobs", "AWS::SQS::Queue"),
            "SQS",
        ),
        ("sns", {"topic_arn": "arn:aws:sns:us-west-2:1:news"}, ("news", "AWS::SNS"), "SNS"),
        ("SNS", {}, ("SNS", "AWS::SNS"), "SNS"),
        ("Lambda", {"function_name": "fn:live"}, ("fn", "AWS::Lambda"), "Lambda"),
        (
            "lambda",
            {"function_name": "arn:aws:lambda:us-east-1:1:function:fn:7"},
            ("fn", "AWS::Lambda"),
            "Lambda",
        ),
        ("kinesis", {"stream_name": "clicks"}, ("clicks", "AWS::Kinesis::Stream"), "Kinesis"),
        (
            "stepfunctions",
            {"state_machine_arn": "arn:aws:states:us-east-1:1:stateMachine:order"},
            ("order", "AWS::StepFunctions::StateMachine"),
            "Sfn",
        ),
        *(
            (
                "states",
                {key: f"arn:aws:states:us-east-1:111122223333:{of}"},
                ("order", "AWS::StepFunctions::StateMachine"),
                "Sfn",
            )
            for key, of in (
                ("state_machine_arn", "stateMachine:order:7"),
                ("state_machine_arn", "stateMachine:order:live"),
                ("state_machine_arn", "stateMachine:order/Map:0d1e"),
                ("execution_arn", "execution:order:0d1e"),
                ("execution_arn", "express:order:0d1e:2f3a"),
            )
        ),
        (
            "states",
            {"state_machine_arn": "arn:aws"},
            ("aws", "AWS::StepFunctions::StateMachine"),
            "Sfn",
        ),
        (
            "firehose",
            {"delivery_stream_name": "logs"},
            ("logs", "AWS::KinesisFirehose::DeliveryStream"),
            "Firehose",
        ),
        ("events", {"event_bus_name": "shop"}, ("shop", "AWS::Events::EventBus"), "Events"),
        (
            "events",
            {"event_bus_name": ["shop", "default"]},
            ("shop", "AWS::Events::EventBus"),
            "Events",
        ),
        (
            "events",
            {"event_bus_name": "arn:aws:events:eu-west-1:111122223333:event-bus/shop"},
            ("shop", "AWS::Events::EventBus"),
            "Events",
        ),
        ("glue", {"job_name": "report"}, ("report", "AWS::Glue::Job"), "Glue"),
        (
            "rds-data",
            {"db_cluster_arn": "arn:aws:rds:eu-west-1:111122223333:cluster:ledger"},
            ("ledger", "AWS::RDS::DBCluster"),
            "RDSData",
        ),
        (
            "cognito-idp",
            {"user_pool_id": "eu-west-1_Ab"},
            ("eu-west-1_Ab", "AWS::Cognito::UserPool"),
            "CognitoIdentityProvider",
        ),
        (
            "secretsmanager",
            {"job_name": "x"},
            ("SecretsManager", "AWS::SecretsManager"),
            "SecretsManager",
        ),
        ("ssm", {}, ("SSM", "AWS::SSM"), "SSM"),
        (
            "SimpleSystemsManagement",
            None,
            ("SimpleSystemsManagement", "AWS::SimpleSystemsManagement"),
            "SimpleSystemsManagement",
        ),
        ("logs", {}, ("CloudWatchLogs", "AWS::CloudWatchLogs"), "CloudWatchLogs"),
        ("sqs.eu-west-1.amazonaws.com", {}, ("SQS", "AWS::SQS"), "SQS"),
        ("cdn.example.com", {}, ("cdn.example.com", "remote"), "cdn.example.com"),
        (
            "dynamodb",
            {"table_name": 7, "table_names": None},
            ("DynamoDB", "AWS::DynamoDB"),
            "DynamoDB",
        ),
    ],
)
def test_aws_calls(
    name: str, aws: dict[str, Any] | None, node: tuple[str, str], service: str
) -> None:
    found = call_node("aws", name, aws=aws)
    assert (found.node[1:3], found.service) == (node, service)
    expected = "" if node[1] == "remote" else node[1]
    assert inferred_origin("aws", name, aws or {}, False) == expected


@pytest.mark.parametrize(
    ("names", "service"),
    [
        (("rds-data", "RDSData", "RDSDataService"), "RDSData"),
        (("scheduler", "Scheduler"), "Scheduler"),
        (("events", "EventBridge", "Events"), "Events"),
        (("states", "stepfunctions", "StepFunctions", "SFN"), "Sfn"),
    ],
)
def test_every_sdks_spelling_is_one_node(names: tuple[str, ...], service: str) -> None:
    for name in names:
        assert call_node("aws", name).node == NodeKey("", service, f"AWS::{service}")


def test_remote_calls_and_databases() -> None:
    assert call_node("remote", "api.example.com").node == NodeKey("", "api.example.com", "remote")
    assert call_node("remote", "db@host", has_sql=True).node == NodeKey(
        "", "db@host", "Database::SQL"
    )
    assert inferred_origin("remote", "db@host", {}, True) == "Database::SQL"
    assert inferred_origin("remote", "api.example.com", {}, False) == ""


def test_segments() -> None:
    assert segment_node("web").node == NodeKey("", "web", "")
    gateway = segment_node(
        "api/prod", origin="AWS::APIGateway::Stage", aws={"api_gateway": {"account_id": "12"}}
    )
    assert gateway.node == NodeKey("12", "api/prod", "AWS::ApiGateway::Stage")
    uploaded = segment_node(
        "DynamoDB", origin="AWS::DynamoDB::Table", aws={"resource_names": ["t"]}, inferred=True
    )
    assert uploaded == (NodeKey("", "t", "AWS::DynamoDB::Table"), "DynamoDB")


def test_a_call_across_accounts() -> None:
    aws = {"table_name": "t", "account_id": "123456789012"}
    assert call_node("aws", "DynamoDB", aws=aws).node.account == "123456789012"


FUNCTION = "arn:aws:lambda:eu-west-1:{}:function:fn"


@pytest.mark.parametrize(
    ("aws", "resource_arn", "account"),
    [
        ({}, FUNCTION.format("111111111111"), "111111111111"),
        ({"function_arn": FUNCTION.format("222222222222")}, "", "222222222222"),
        ({"account_id": "333333333333"}, FUNCTION.format("111111111111"), "333333333333"),
        ({"account_id": None, "api_gateway": {"account_id": "4" * 12}}, "", "4" * 12),
        ({"ecs": {"task_arn": "arn:aws-cn:ecs:cn-north-1:555555555555:task/a"}}, "", "5" * 12),
        (
            {"cloudwatch_logs": [{"arn": "arn:aws:logs:eu-west-1:666666666666:log-group:x"}]},
            "",
            "6" * 12,
        ),
        ({}, "arn:aws:apigateway:eu-west-1::/restapis/x/stages/y", ""),
        ({}, "arn:aws:s3:::bucket", ""),
        ({"ecs": 1, "cloudwatch_logs": "x", "function_arn": 7}, "no arn", ""),
    ],
)
def test_the_account_is_named_or_part_of_an_arn(
    aws: dict[str, Any], resource_arn: str, account: str
) -> None:
    """AWS's own ``AWS::Lambda`` segments have a resource_arn only."""
    assert account_of(aws, resource_arn) == account
    node = segment_node("fn", origin="AWS::Lambda", aws=aws, resource_arn=resource_arn).node
    assert node._replace(region="") == NodeKey(account, "fn", "AWS::Lambda")


@pytest.mark.parametrize(
    ("aws", "resource_arn", "region"),
    [
        ({}, FUNCTION.format("111111111111"), "eu-west-1"),
        ({"function_arn": FUNCTION.format("222222222222")}, "", "eu-west-1"),
        ({"region": "us-east-2"}, FUNCTION.format("111111111111"), "us-east-2"),
        ({"region": None, "ec2": {"availability_zone": "us-west-2c"}}, "", "us-west-2"),
        ({"ecs": {"availability_zone": "us-west-2-lax-1a"}}, "", "us-west-2"),
        ({"ec2": {"availability_zone": None}, "ecs": {"availability_zone": "us-gov-east-1a"}}, "",
         "us-gov-east-1"),
        ({"ecs": {"task_arn": "arn:aws-cn:ecs:cn-north-1:555555555555:task/a"}}, "", "cn-north-1"),
        (
            {"cloudwatch_logs": [{"arn": "arn:aws:logs:eu-west-1:666666666666:log-group:x"}]},
            "",
            "eu-west-1",
        ),
        ({}, "arn:aws:apigateway:eu-west-1::/restapis/x/stages/y", "eu-west-1"),
        ({}, "arn:aws:s3:::bucket", ""),
        ({"region": "aws-global", "ec2": {"availability_zone": "nova"}}, "arn:a:b", ""),
        ({"region": 7, "ec2": "x", "ecs": [], "function_arn": 7}, "no arn", ""),
    ],
)  # fmt: skip
def test_the_region_is_named_or_part_of_an_arn_or_zone(
    aws: dict[str, Any], resource_arn: str, region: str
) -> None:
    assert region_of(aws, resource_arn) == region
    node = segment_node("fn", origin="AWS::Lambda", aws=aws, resource_arn=resource_arn).node
    assert node.region == region


@pytest.mark.parametrize(
    ("name", "aws", "region"),
    [
        ("DynamoDB", {"table_name": "t", "region": "us-west-2"}, "us-west-2"),
        ("SQS", {"queue_url": "https://sqs.eu-west-1.amazonaws.com/1/q"}, ""),
        ("SNS", {"topic_arn": "arn:aws:sns:eu-west-1:123456789012:news"}, "eu-west-1"),
        ("sts.us-east-1.amazonaws.com", {}, "us-east-1"),
        ("sts.amazonaws.com", {}, ""),
    ],
)
def test_a_call_leads_to_the_region_it_names(name: str, aws: dict[str, Any], region: str) -> None:
    assert call_node("aws", name, aws=aws).node.region == region


def test_hosts_and_databases_have_no_region() -> None:
    aws = {"region": "us-west-2"}
    for found in (
        call_node("remote", "api.example.com", aws=aws),
        call_node("remote", "db@host", aws=aws, has_sql=True),
        call_node("aws", "api.example.com", aws=aws),
    ):
        assert found.node.region == ""


def test_a_call_by_arn_has_its_account() -> None:
    topic = call_node("aws", "SNS", aws={"topic_arn": "arn:aws:sns:eu-west-1:123456789012:news"})
    assert topic.node == NodeKey("123456789012", "news", "AWS::SNS", "eu-west-1")
    table = call_node(
        "aws", "DynamoDB", aws={"table_name": "arn:aws:dynamodb:eu-west-1:123456789012:table/t"}
    )
    assert table.node == NodeKey("123456789012", "t", "AWS::DynamoDB::Table", "eu-west-1")


def test_further_tables_of_a_batch() -> None:
    kind = "AWS::DynamoDB::Table"
    for names in (["a", "b", "a", "c"], "dict_keys(['a', 'b', 'c'])"):
        found = further_nodes("aws", "dynamodb", {"table_names": names})
        assert [each.node for each in found] == [NodeKey("", "b", kind), NodeKey("", "c", kind)]
    elsewhere = "arn:aws:dynamodb:eu-west-1:123456789012:table/b"
    block = {"table_names": ["a", elsewhere, "c"], "region": "us-west-2", "account_id": "1"}
    assert [each.node for each in further_nodes("aws", "DynamoDB", block)] == [
        NodeKey("123456789012", "b", kind, "eu-west-1"),
        NodeKey("1", "c", kind, "us-west-2"),
    ]
    assert further_nodes("aws", "dynamodb", {"table_name": "a"}) == []
    assert further_nodes("aws", "S3", {"resource_names": ["a", "b"]}) == []
    assert (
        len(further_nodes("aws", "DynamoDB", {"table_names": [str(n) for n in range(999)]})) == 99
    )


def test_resource_names_as_x_ray_adds_them() -> None:
    """The SNS oracle has none though it has a topic (vectors, scorekeep)."""
    assert resource_names("SNS", {"topic_arn": "arn:aws:sns:us-west-2:1:news"}) == []
    assert resource_names("Lambda", {"function_name": "fn"}) == ["fn"]

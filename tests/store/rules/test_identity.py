"""Node identity, canonical names and origins, case by case (docs/xray-format.md §4.3, §5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from store.model import NodeKey
from store.rules.identity import (
    call_node,
    canonical_service,
    inferred_origin,
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
    assert call_node("aws", name, aws=aws) == (NodeKey("", *node), service)
    expected = "" if node[1] == "remote" else node[1]
    assert inferred_origin("aws", name, aws or {}, False) == expected


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


def test_resource_names_as_x_ray_adds_them() -> None:
    """The SNS oracle has none though it has a topic (vectors, scorekeep)."""
    assert resource_names("SNS", {"topic_arn": "arn:aws:sns:us-west-2:1:news"}) == []
    assert resource_names("Lambda", {"function_name": "fn"}) == ["fn"]
    assert canonical_service("DYNAMODB") == "DynamoDB"

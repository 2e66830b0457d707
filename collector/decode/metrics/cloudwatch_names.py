"""Which node a metric of CloudWatch is about: by namespace and dimension. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from store.rules.invocations import FUNCTION

_NODES = {
    "AWS/Lambda": ("FunctionName", FUNCTION),
    "AWS/DynamoDB": ("TableName", "AWS::DynamoDB::Table"),
    "AWS/SQS": ("QueueName", "AWS::SQS::Queue"),
    "AWS/SNS": ("TopicName", "AWS::SNS"),
    "AWS/Kinesis": ("StreamName", "AWS::Kinesis::Stream"),
    "AWS/States": ("StateMachineArn", "AWS::StepFunctions::StateMachine"),
    "AWS/S3": ("BucketName", "AWS::S3::Bucket"),
}


class Resource(NamedTuple):
    """A node by name and type, and the dimensions that do not name it, as ``key=value`` by key."""

    name: str
    type: str
    dimensions: str


def resource_of(namespace: str, dimensions: Mapping[str, str]) -> Resource | None:
    """The node of a metric; None where no dimension names one that is on the map."""
    dimension, type = _NODES.get(namespace, ("", ""))
    name = dimensions.get(dimension, "")
    if not name:
        return None
    if name.startswith("arn:"):
        name = name.rpartition(":")[2]
    rest = sorted((key, value) for key, value in dimensions.items() if key != dimension)
    return Resource(name, type, ",".join(f"{key}={value}" for key, value in rest))

"""Spans that call AWS: which service, and what in it (docs/opentelemetry.md, "Which node a call leads to").

Shared with the first decoder: the names of AWS services (`store.rules.service_names`).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from store.rules.service_names import canonical_service
from store.second_decoder.attributes import Attributes, names, text
from store.second_decoder.callee import RESOURCES, Callee, aws_callees, place_of_queue
from store.second_decoder.callers import Caller
from store.second_decoder.places import account_of, region_of
from store.second_decoder.reading import Json
from store.second_decoder.resource import MOST_NAME

DESTINATION = (
    "messaging.destination.template",
    "messaging.destination.name",
    "messaging.destination",
)
OF_RESOURCE = {
    # service: attributes that name the resource
    "DynamoDB": ("aws.dynamodb.table_names", "aws.table_name", "aws.table.name", "db.collection.name"),
    "S3": ("aws.s3.bucket", "aws.bucket.name", "aws.bucket_name"),
    "SQS": ("aws.sqs.queue.url", "aws.sqs.queue_url", "aws.queue.url", "aws.queue_url", "messaging.url",
            *DESTINATION[1:], "aws.sqs.queue.name", "aws.sqs.queue_name", "aws.queue.name"),
    "SNS": ("aws.sns.topic.arn", "aws.sns.topic_arn", "aws.topic.arn", *DESTINATION[1:]),
    "Lambda": ("aws.lambda.function.name", "aws.lambda.function_name", "faas.invoked_name",
               "aws.lambda.function.arn"),
    "Kinesis": ("aws.kinesis.stream_name", "aws.kinesis.stream.name", "aws.stream.name", "aws.kinesis.stream.arn",
                *DESTINATION[1:]),
    "Sfn": ("aws.step_functions.state_machine.arn", "aws.stepfunctions.state_machine.arn",
            "aws.stepfunctions.statemachine.arn"),
    "Firehose": ("aws.firehose.delivery_stream_name",),
}  # fmt: skip
REMOTE_RESOURCES = {
    # service: aws.remote.resource.type of AWS's distribution
    "DynamoDB": "AWS::DynamoDB::Table", "S3": "AWS::S3::Bucket", "SQS": "AWS::SQS::Queue", "SNS": "AWS::SNS::Topic",
    "Lambda": "AWS::Lambda::Function", "Kinesis": "AWS::Kinesis::Stream",
    "Sfn": "AWS::StepFunctions::StateMachine",
}  # fmt: skip
REMOTE_AWS = ("AWS::", "AWS.SDK.")
REGIONS = ("cloud.region", "aws.region", "aws.remote.resource.region", "faas.invoked_region")
INVOCATION = re.compile(r"/2015-03-31/functions/([^/?]+)/invocations")
AWS_QUEUES = {"sqs": "SQS", "sns": "SNS", "kinesis": "Kinesis"}
"""A messaging system of AWS, without ``amazon``, ``aws_`` or ``aws.``."""


def is_aws(attributes: Attributes) -> bool:
    """Whether a span calls an AWS API."""
    return (
        attributes.get("rpc.system", attributes.get("rpc.system.name")) == "aws-api"
        or "aws.service" in attributes
        or text(attributes, "aws.remote.service").startswith(REMOTE_AWS)
    )


def aws_service(attributes: Attributes) -> str:
    """The service that a call of an AWS API names; the newest conventions have it in the method's name alone."""
    named = text(attributes, "aws.service", "rpc.service", "aws.remote.service")
    named = named.removeprefix("AWS::").removeprefix("AWS.SDK.")
    if not named:
        method = text(attributes, "rpc.method", "aws.operation")
        named = re.split("[/.]", method)[0] if re.search("[/.]", method) else "AWS"
    return canonical_service(named.replace(" ", ""))[:MOST_NAME]


def of_service(caller: Caller, service: str) -> list[Callee]:
    """The node of an AWS service, or of what a span names in it, as a document of X-Ray would have it. The account
    and the region that it does not name are those in its queue's URL, else its caller's; a bucket has neither."""
    a, named = caller.attributes, aws_resources(caller.attributes, service)
    members, _ = RESOURCES.get(service, (("resource_names",), ""))
    aws: Json = {
        "account_id": text(a, "aws.account_id", "aws.remote.resource.account.id"),
        "region": text(a, *REGIONS),
        members[-1]: named,
    }
    place = (service == "SQS" and named and place_of_queue(named[0])) or caller.place
    if service != "S3":
        aws["account_id"] = account_of(aws) or place.account
        aws["region"] = region_of(aws) or place.region
    return aws_callees(service, aws)


def aws_resources(attributes: Attributes, service: str) -> list[str]:
    """The resources that a call of an AWS API names."""
    found = names(attributes, *OF_RESOURCE.get(service, ()))
    if service == "SQS" and not found and "://" in text(attributes, "server.address"):
        found = [text(attributes, "server.address")]
    if service == "Lambda" and not found:
        named = INVOCATION.search(text(attributes, "url.full", "http.url"))
        found = [unquote(named[1])] if named else []
    remote = REMOTE_RESOURCES.get(service)
    if not found and remote and text(attributes, "aws.remote.resource.type") == remote:
        found = names(attributes, "aws.remote.resource.identifier")
    return found if service == "DynamoDB" else found[:1]


def aws_queue(system: str) -> str:
    """The AWS service that a messaging system is, '' if it is none."""
    return AWS_QUEUES.get(re.sub(r"^(amazon|aws[_.])", "", system.lower()), "")

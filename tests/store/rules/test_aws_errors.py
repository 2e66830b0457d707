"""Error codes and statuses in the messages of AWS SDKs, as these write them."""

from __future__ import annotations

import botocore.session
import pytest
from botocore.exceptions import ClientError

from store.model import State
from store.rules.aws_errors import exception_name, status_in_message
from store.rules.classify import classify

JAVA = "software.amazon.awssdk.services.dynamodb.model."
GO = "operation error {}, https response error StatusCode: 400, RequestID: 4B2E, "
THROTTLE = "ProvisionedThroughputExceededException"


@pytest.mark.parametrize(
    ("type", "message", "name", "status"),
    [
        (
            JAVA + THROTTLE,
            (
                "The level of configured provisioned throughput for the table was exceeded. "
                "(Service: DynamoDb, Status Code: 400, Request ID: 4B2E) (SDK Attempt Count: 1)"
            ),
            JAVA + THROTTLE,
            400,
        ),
        (
            "java.util.concurrent.CompletionException",
            f"{JAVA}{THROTTLE}: exceeded (Service: DynamoDb, Status Code: 400, Request ID: 4B2E)",
            JAVA + THROTTLE,
            400,
        ),
        (
            "software.amazon.awssdk.services.sfn.model.SfnException",
            "Rate exceeded (Service: Sfn, Status Code: 400, Request ID: 4B2E)",
            "ThrottlingException",
            400,
        ),
        (
            "com.amazonaws.services.kinesis.model.AmazonKinesisException",
            (
                "Rate exceeded (Service: AmazonKinesis; Status Code: 400; Error Code: "
                "LimitExceededException; Request ID: 4B2E)"
            ),
            "LimitExceededException",
            400,
        ),
        (
            "*retry.MaxAttemptsError",
            GO.format("DynamoDB: PutItem, exceeded maximum number of attempts, 3")
            + THROTTLE
            + ": The level of configured provisioned throughput was exceeded.",
            THROTTLE,
            400,
        ),
        (
            "*smithy.OperationError",
            GO.format("SFN: StartExecution") + "api error ThrottlingException: Rate exceeded",
            "ThrottlingException",
            400,
        ),
        (
            "*smithy.OperationError",
            (
                "operation error S3: PutObject, https response error StatusCode: 503, RequestID: 4B2E, "
                "HostID: a/b+c=, api error SlowDown: Please reduce your request rate."
            ),
            "SlowDown",
            503,
        ),
        (
            "awserr.requestError",
            "ThrottlingException: Rate exceeded\n\tstatus code: 400, request id: 4B2E",
            "ThrottlingException",
            400,
        ),
        (
            "*dynamodb.ConditionalCheckFailedException",
            (
                "ConditionalCheckFailedException: The conditional request failed\n{\n"
                '  RespMetadata: {\n    StatusCode: 400,\n    RequestID: "4B2E"\n  },\n'
                '  Message_: "The conditional request failed"\n}'
            ),
            "ConditionalCheckFailedException",
            400,
        ),
        (
            "*sfn.StateMachineDoesNotExist",
            "StateMachineDoesNotExist: State Machine Does Not Exist",
            "*sfn.StateMachineDoesNotExist",
            0,
        ),
        (
            "botocore.exceptions.ClientError",
            (
                "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the "
                "SendMessage operation: no such queue"
            ),
            "AWS.SimpleQueueService.NonExistentQueue",
            0,
        ),
        ("botocore.errorfactory." + THROTTLE, "An error occurred", THROTTLE, 0),
        ("ValueError", "An error occurred (SlowDown) when calling", "ValueError", 0),
        ("ValueError", "bad Status Code: 400", "ValueError", 0),
        ("", "", "", 0),
    ],
)
def test_messages_of_every_sdk(type: str, message: str, name: str, status: int) -> None:
    assert exception_name(type, message) == name
    assert status_in_message(message) == status
    assert exception_name(name, message) == name


@pytest.mark.parametrize("service", ["stepfunctions", "sqs", "sts", "s3", "ec2"])
def test_services_of_botocore_without_a_modelled_throttle(service: str) -> None:
    """Their throttles are a plain ClientError; as botocore itself makes it."""
    client = botocore.session.get_session().create_client(
        service, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    response = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
    error = client.exceptions.from_code("ThrottlingException")(response, "Anything")
    assert type(error) is ClientError
    name = exception_name(type(error).__name__, str(error))
    assert classify(error=True, fault=True, status=400, exception=name) == State.THROTTLE

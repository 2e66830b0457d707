"""Calls to AWS services as a subsegment each: what the SDKs' patches write, and how calls fail.

A call lets time pass on the caller's clock and returns, or raises what the SDK would raise.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from raymap.demo import latency
from raymap.demo.failures import (
    ConditionalCheckFailedException,
    NoSuchKey,
    NotAuthorizedException,
    ProvisionedThroughputExceededException,
    ServiceError,
)
from raymap.demo.latency import Latency
from raymap.demo.trace import Scope

REGION = "eu-west-1"
ACCOUNT = "123456789012"
DEV_ACCOUNT = "210987654321"
"""Where the stage dev and its functions are."""
ORDERS, PRODUCTS = "orders", "products"
MEDIA, LAKE = "shop-media", "shop-data-lake"
TOPIC_NAME = "order-events"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:{TOPIC_NAME}"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/order-emails"
STREAM = "clicks"


def arn(service: str, resource: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{REGION}:{account}:{resource}"


def call(
    scope: Scope,
    service: str,
    operation: str,
    takes: Latency,
    *,
    fail: Callable[[Scope], ServiceError | None] = lambda _: None,
    **details: Any,
) -> None:
    """One API call; `fail` decides, at the time of the answer, whether it is an error."""
    with scope.subsegment(scope.sdk.service(service), "aws") as call:
        aws: dict[str, Any] = {"operation": operation, "region": REGION, **details}
        call.entity.set_aws(aws)
        call.announce()
        call.wait(takes)
        aws["request_id"] = request_id(call)
        error = fail(call)
        call.entity.put_http_meta("status", 200 if error is None else error.status)
        if error is None:
            scope.trace.answered = call.entity.id
            return
        if isinstance(error, ProvisionedThroughputExceededException):
            _throttled(call, aws)
        raise error


def request_id(scope: Scope) -> str:
    return new_request_id(scope.trace.random)


def new_request_id(random: Random) -> str:
    digits = f"{random.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _throttled(call: Scope, aws: dict[str, Any]) -> None:
    """The client backed off and tried again before it gave up; both show in the subsegment."""
    aws["retries"] = 4
    call.wait(Latency(0.6, 0.3))
    if call.sdk.flags_throttles:
        call.entity.add_throttle_flag()


def get_item(scope: Scope, table: str, operation: str = "GetItem") -> None:
    call(scope, "DynamoDB", operation, latency.DYNAMODB_READ, table_name=table)


def put_item(scope: Scope, table: str, operation: str = "PutItem", conflicts: float = 0.0) -> None:
    """A write: throttled while the table is hot, refused now and then by its condition."""

    def fail(call: Scope) -> ServiceError | None:
        hot = table == ORDERS and call.trace.calendar.orders_table_hot(call.now)
        if call.trace.chance(0.28 if hot else 0.002):
            return ProvisionedThroughputExceededException(
                operation, "The level of configured provisioned throughput was exceeded"
            )
        if call.trace.chance(conflicts):
            return ConditionalCheckFailedException(operation, "The conditional request failed")
        return None

    call(scope, "DynamoDB", operation, latency.DYNAMODB_WRITE, fail=fail, table_name=table)


def get_object(scope: Scope, bucket: str, key: str, missing: float = 0.0) -> None:
    def fail(call: Scope) -> ServiceError | None:
        if call.trace.chance(missing):
            return NoSuchKey("GetObject", "The specified key does not exist.")
        return None

    call(scope, "S3", "GetObject", latency.S3_GET, fail=fail, bucket_name=bucket, key=key)


def put_object(scope: Scope, bucket: str, key: str) -> None:
    call(scope, "S3", "PutObject", latency.S3_PUT, bucket_name=bucket, key=key)


def list_objects(scope: Scope, bucket: str, prefix: str) -> None:
    call(scope, "S3", "ListObjectsV2", latency.S3_LIST, bucket_name=bucket, prefix=prefix)


def publish(scope: Scope) -> None:
    call(scope, "SNS", "Publish", latency.SNS_PUBLISH, topic_arn=TOPIC)


def send_message(scope: Scope) -> None:
    call(scope, "SQS", "SendMessage", latency.SQS_CALL, queue_url=QUEUE)


def put_events(scope: Scope) -> None:
    """The SDKs record no event bus, so that all buses are one node (docs/xray-format.md §5.4)."""
    call(scope, "Events", "PutEvents", latency.PUT_EVENTS)


def put_records(scope: Scope) -> None:
    call(scope, "Kinesis", "PutRecords", latency.KINESIS_PUT, stream_name=STREAM)


def check_credentials(scope: Scope, operation: str, wrong: float) -> None:
    def fail(call: Scope) -> ServiceError | None:
        if call.trace.chance(wrong):
            return NotAuthorizedException(operation, "Incorrect username or password.")
        return None

    call(scope, "CognitoIdentityProvider", operation, latency.COGNITO, fail=fail)

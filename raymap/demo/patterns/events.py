"""What events set off: a trace of its own per event, but for EventBridge's, which passes the trace on.

The topic is traced itself: it delivers to the queue in the trace of the publication. A message of the queue has a trace
header, by which AWS links its consumer to it. Of streams, buckets and buses the layer in the function sees what it was
invoked for.
"""

from __future__ import annotations

from raymap.demo import aws, latency
from raymap.demo.failures import UnidentifiedImageError
from raymap.demo.functions import (
    AUDIT,
    CLICKSTREAM,
    NOTIFY,
    PAYMENTS,
    THUMBNAILER,
    Event,
    link_to,
    run,
)
from raymap.demo.http import fetch_outside
from raymap.demo.patterns import payments
from raymap.demo.sdk import SERVICE
from raymap.demo.trace import Scope, Trace

MAIL_PROVIDER = "https://mail.example.com/v1/messages"


def order_written(trace: Trace, order: str) -> None:
    """DynamoDB stream to Lambda to RDS and the payment provider."""
    at = trace.start + latency.EVENT_DELAY.draw(trace.random)
    event = Event(aws.arn("dynamodb", f"table/{aws.ORDERS}/stream/2026-11-01T00:00:00.000"))
    run(trace, PAYMENTS, lambda scope: payments.charge(scope, order), at, event=event)


def publish(scope: Scope, tier: str) -> None:
    """SNS to SQS to Lambda, which tells the customer; Lambda's poller deletes the message."""
    aws.publish(scope)
    topic = scope.trace.segment(aws.TOPIC_NAME, scope.now, "AWS::SNS", scope.trace.answered)
    topic.resource_arn = aws.TOPIC
    delivery = Scope(scope.trace, topic, scope.now, SERVICE)
    aws.send_message(delivery)
    scope.trace.finish(topic, delivery.now)
    _message_queued(scope.trace.spawn(delivery.now), delivery, tier)


def _message_queued(trace: Trace, producer: Scope, tier: str) -> None:
    at = trace.start + latency.EVENT_DELAY.times(2.0).draw(trace.random)
    run(trace, NOTIFY, lambda scope: notify(scope, tier), at, links=[link_to(producer, at)])


def put_event(scope: Scope) -> None:
    """EventBridge to Lambda to S3."""
    aws.put_events(scope)
    trace, event = scope.trace, Event(aws.arn("events", "event-bus"))
    at = scope.now + latency.EVENT_DELAY.draw(trace.random)
    run(trace, AUDIT, audit, at, parent=trace.answered, event=event)


def image_uploaded(trace: Trace, key: str) -> None:
    """S3 event to Lambda to S3."""
    at = trace.start + latency.EVENT_DELAY.draw(trace.random)
    event = Event(f"arn:aws:s3:::{aws.MEDIA}")
    run(trace, THUMBNAILER, lambda scope: make_thumbnail(scope, key), at, event=event)


def clicks_batched(trace: Trace) -> None:
    """Kinesis to Lambda to S3. Large batches exceed what the SDK keeps in one document."""
    at = trace.start + latency.EVENT_DELAY.times(3.0).draw(trace.random)
    size = trace.random.choice((3, 5, 8, 12, 45))
    event = Event(aws.arn("kinesis", f"stream/{aws.STREAM}"), size)
    run(trace, CLICKSTREAM, lambda scope: archive_clicks(scope, size), at, event=event)


def notify(scope: Scope, tier: str) -> int:
    with scope.subsegment("## notify") as handler:
        handler.entity.put_annotation("customer_tier", tier)
        handler.wait(latency.CODE)
        with handler.subsegment("render e-mail") as render:
            render.wait(latency.CODE)
        fetch_outside(handler, "POST", MAIL_PROVIDER, latency.MAIL_PROVIDER, 202)
    return 200


def audit(scope: Scope) -> int:
    with scope.subsegment("## audit") as handler:
        handler.wait(latency.CODE)
        aws.put_object(handler, aws.LAKE, "audit/event.json")
    return 200


def make_thumbnail(scope: Scope, key: str) -> int:
    with scope.subsegment("## make_thumbnail") as handler:
        aws.get_object(handler, aws.MEDIA, key, missing=0.01)
        with handler.subsegment("resize") as resize:
            resize.wait(latency.RESIZE)
            _open_image(resize, key)
        for width in (160, 640):
            aws.put_object(handler, aws.MEDIA, f"thumbs/{width}/{key}")
    return 200


def _open_image(scope: Scope, key: str) -> None:
    if scope.trace.chance(0.02):
        raise UnidentifiedImageError(f"cannot identify image file '{key}'")


def archive_clicks(scope: Scope, size: int) -> int:
    """A batch of records."""
    with scope.subsegment("## archive_clicks") as handler:
        handler.entity.put_metadata("records", size)
        for number in range(size):
            with handler.subsegment(f"record {number}") as record:
                record.wait(latency.CODE)
        aws.put_object(handler, aws.LAKE, "clicks/part.parquet")
    return 200

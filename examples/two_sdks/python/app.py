"""Serves /service/resource/outcome on PORT: one call of AWS, 200 if it succeeds, else 502.

TRACER is xray (the X-Ray SDK) or otel (OpenTelemetry).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask, Response

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:"
QUEUE = os.environ.get("AWS_ENDPOINT_URL", "") + "/123456789012/"


def trace_with_xray(app: Flask) -> Callable[[], None]:
    """The X-Ray SDK, as its manual sets it up; returns what ends it."""
    from aws_xray_sdk.core import patch, xray_recorder
    from aws_xray_sdk.ext.flask.middleware import XRayMiddleware

    xray_recorder.configure(service=os.environ["SERVICE"], sampling=False)
    patch(["botocore"])
    XRayMiddleware(app, xray_recorder)
    return lambda: None


def trace_with_otel(app: Flask) -> Callable[[], None]:
    """OpenTelemetry's SDK and instrumentations; returns what ends them."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
    from opentelemetry.instrumentation.flask import FlaskInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    BotocoreInstrumentor().instrument()
    FlaskInstrumentor().instrument_app(app)
    return provider.shutdown


def make_calls() -> dict[str, Callable[[str, str], object]]:
    """Service → its call, with the resource and the outcome."""
    import boto3
    from botocore.config import Config

    def client(service: str) -> Any:
        return boto3.client(service, config=Config(s3={"addressing_style": "path"}))

    clients = {s: client(s) for s in ("dynamodb", "lambda", "s3", "sqs", "stepfunctions")}
    table, function, bucket, queue, machine = clients.values()
    return {
        "dynamodb": lambda name, outcome: table.put_item(
            TableName=name, Item={"outcome": {"S": outcome}}
        ),
        "lambda": lambda name, outcome: function.invoke(
            FunctionName=name, Payload=json.dumps({"outcome": outcome})
        ),
        "s3": lambda name, outcome: bucket.get_object(Bucket=name, Key=outcome),
        "sqs": lambda name, outcome: queue.send_message(QueueUrl=QUEUE + name, MessageBody=outcome),
        "sfn": lambda name, outcome: machine.start_execution(
            stateMachineArn=MACHINE + name, name=outcome
        ),
    }


def main() -> None:
    app = Flask(os.environ["SERVICE"])
    trace = trace_with_xray if os.environ["TRACER"] == "xray" else trace_with_otel
    close = trace(app)
    calls = make_calls()

    @app.get("/<service>/<resource>/<outcome>")
    def serve(service: str, resource: str, outcome: str) -> Response:
        from botocore.exceptions import ClientError

        try:
            calls[service](resource, outcome)
        except ClientError:
            return Response(status=502)
        return Response(status=200)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        app.run("127.0.0.1", int(os.environ["PORT"]))
    finally:
        close()


if __name__ == "__main__":
    main()

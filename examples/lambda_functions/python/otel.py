"""A function as its author writes it, under what OpenTelemetry's layer for Python sets up."""

from __future__ import annotations

import os
from typing import Any

import boto3
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
BotocoreInstrumentor().instrument()

orders = boto3.resource("dynamodb", endpoint_url=os.environ["DYNAMODB_URL"]).Table("orders")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store an order; ``fail`` raises."""
    print(f"an order for {event.get('product', 'tea')}")
    if event.get("fail"):
        raise ValueError("no such product")
    orders.put_item(Item={"id": context.aws_request_id, "product": event.get("product", "tea")})
    return {"stored": context.aws_request_id}


AwsLambdaInstrumentor().instrument()  # replaces the handler that `_HANDLER` names

"""The shop: one route for each thing the SDK records. Nothing here knows Raymap.

AWS_XRAY_DAEMON_ADDRESS says where segments go, AWS_XRAY_TRACING_NAME what the service is called,
INVENTORY_URL, DYNAMODB_URL and CARRIER_URL whom it calls, ORDERS_TABLE where it writes.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from typing import Any

from aws_xray_sdk.core import patch_all, xray_recorder

patch_all()

import boto3  # noqa: E402 - after patch_all, as the SDK's manual asks
import requests  # noqa: E402
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware  # noqa: E402
from botocore.config import Config  # noqa: E402
from flask import Flask, request  # noqa: E402

from examples.flask_shop.serving import serve  # noqa: E402

Answer = tuple[dict[str, Any], int]


def create_shop() -> Flask:
    app = Flask("shop")
    xray_recorder.configure(service="shop")
    XRayMiddleware(app, xray_recorder)
    _add_plain_routes(app)
    _add_calling_routes(app)
    return app


def _add_plain_routes(app: Flask) -> None:
    @app.get("/ok")
    def ok() -> Answer:
        return {"ok": True}, 200

    @app.get("/notfound")
    def not_found() -> Answer:
        return {"error": "no such thing"}, 404

    @app.get("/throttled")
    def throttled() -> Answer:
        return {"error": "slow down"}, 429

    @app.get("/boom")
    def boom() -> Answer:
        return {"per head": 120 // int(request.args.get("people", "0"))}, 200


def _add_calling_routes(app: Flask) -> None:
    dynamodb = _dynamodb()
    table = os.environ.get("ORDERS_TABLE", "orders")

    @app.post("/orders")
    def orders() -> Answer:
        """Price it with SQL, keep it in DynamoDB; the same number twice is a conflict."""
        order = request.args["order"]
        with closing(sqlite3.connect(":memory:")) as database:
            (price,) = database.execute("SELECT 19.9 AS price").fetchone()
        item = {"order": {"S": order}, "price": {"N": str(price)}}
        try:
            dynamodb.put_item(TableName=table, Item=item)
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return {"error": "ordered before"}, 409
        return {"order": order, "price": price}, 201

    @app.get("/chain")
    def chain() -> Answer:
        """Pass on what the inventory says."""
        url = os.environ["INVENTORY_URL"] + "/stock"
        answer = requests.get(url, params={"answer": request.args.get("answer", "200")}, timeout=10)
        return {"inventory": answer.status_code}, answer.status_code

    @app.get("/quote")
    def quote() -> Answer:
        """Call a service that reports no segments."""
        answer = requests.get(os.environ["CARRIER_URL"] + "/quote", timeout=10)
        return {"quote": answer.json()}, 200


def _dynamodb() -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=os.environ.get("DYNAMODB_URL", "http://127.0.0.1:8000"),
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )


if __name__ == "__main__":
    serve(create_shop(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)

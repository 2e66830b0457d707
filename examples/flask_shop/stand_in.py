"""What the shop calls and is not traced: DynamoDB's PutItem as boto3 needs it, and a carrier.

A second write of the same order is refused with HTTP 400, as a conditional write is.
"""

from __future__ import annotations

import sys
import uuid

from flask import Flask, Response, jsonify, request

from examples.flask_shop.serving import serve


def create_stand_in() -> Flask:
    app = Flask("stand_in")
    seen: set[str] = set()

    @app.post("/")
    def put_item() -> Response:
        key = str(request.get_json(force=True)["Item"])
        answer = jsonify({})
        if key in seen:
            kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
            answer = jsonify({"__type": kind, "message": "The conditional request failed"})
            answer.status_code = 400
        seen.add(key)
        answer.headers["x-amzn-RequestId"] = uuid.uuid4().hex
        answer.content_type = "application/x-amz-json-1.0"
        return answer

    @app.get("/quote")
    def quote() -> dict[str, float]:
        return {"price": 4.9}

    return app


if __name__ == "__main__":
    serve(create_stand_in(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)

"""The second service: it answers with the status in the request, so that every state occurs.

AWS_XRAY_DAEMON_ADDRESS says where segments go, AWS_XRAY_TRACING_NAME what the service is called.
"""

from __future__ import annotations

import sys

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from flask import Flask, request

from examples.flask_shop.serving import serve


class WarehouseOffline(Exception):
    """The stock cannot be read."""


def create_inventory() -> Flask:
    app = Flask("inventory")
    xray_recorder.configure(service="inventory")
    XRayMiddleware(app, xray_recorder)

    @app.get("/stock")
    def stock() -> tuple[dict[str, int], int]:
        answer = int(request.args.get("answer", "200"))
        if answer >= 500:
            raise WarehouseOffline("the warehouse does not answer")
        return {"left": 7}, answer

    return app


if __name__ == "__main__":
    serve(create_inventory(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)
